/**
 * How often each intent occurs within its scenario in SLURP (devel and test, 5,007 utterances; text CC BY 4.0): the
 * weights of intents within a scenario. How often a scenario is used is ours, by product (`intent-mix.ts`): SLURP's
 * scenarios were balanced by its authors and say nothing about use.
 */
export const slurpCounts = {
  alarm: { alarm_query: 53, alarm_remove: 35, alarm_set: 72 },
  audio: { audio_volume_down: 19, audio_volume_mute: 47, audio_volume_other: 6, audio_volume_up: 25 },
  calendar: { calendar_query: 228, calendar_remove: 114, calendar_set: 340 },
  cooking: { cooking_query: 2, cooking_recipe: 113 },
  datetime: { datetime_convert: 24, datetime_query: 152 },
  email: { email_addcontact: 17, email_query: 192, email_querycontact: 42, email_sendemail: 177 },
  general: { general_greet: 3, general_joke: 34, general_quirky: 274 },
  iot: {
    iot_cleaning: 45,
    iot_coffee: 50,
    iot_hue_lightchange: 58,
    iot_hue_lightdim: 38,
    iot_hue_lightoff: 60,
    iot_hue_lighton: 8,
    iot_hue_lightup: 39,
    iot_wemo_off: 23,
    iot_wemo_on: 17,
  },
  lists: { lists_createoradd: 64, lists_query: 101, lists_remove: 89 },
  music: { music_dislikeness: 6, music_likeness: 52, music_query: 65, music_settings: 14 },
  news: { news_query: 206 },
  play: { play_audiobook: 76, play_game: 57, play_music: 299, play_podcasts: 97, play_radio: 118 },
  qa: { qa_currency: 71, qa_definition: 112, qa_factoid: 231, qa_maths: 38, qa_stock: 50 },
  recommendation: { recommendation_events: 69, recommendation_locations: 62, recommendation_movies: 32 },
  social: { social_post: 131, social_query: 43 },
  takeaway: { takeaway_order: 42, takeaway_query: 59 },
  transport: { transport_query: 87, transport_taxi: 50, transport_ticket: 60, transport_traffic: 37 },
  weather: { weather_query: 282 },
} as const satisfies Record<string, Record<string, number>>

export type Scenario = keyof typeof slurpCounts
