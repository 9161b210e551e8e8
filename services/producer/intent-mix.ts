import type { Product } from './population.ts'
import { createPicker, type Random } from './random.ts'
import { slurpCounts, type Scenario } from './slurp-counts.ts'

/** Share of requests by scenario (split by SLURP's counts) or by single intent, any scale. */
interface Mix {
  readonly scenarios: Partial<Record<Scenario, number>>
  readonly intents: Readonly<Record<string, number>>
}

/**
 * What each product is asked for. Echo follows the order that studies of home logs found (Ammari et al. 2019: music,
 * then search, then smart home); the others follow what they are sold for. All rates are ours, none is Amazon's.
 */
const mixes: Record<Product, Mix> = {
  echo: {
    scenarios: {
      play: 25,
      music: 5,
      qa: 16,
      news: 3,
      iot: 12,
      weather: 8,
      alarm: 7,
      audio: 5,
      datetime: 4,
      general: 4,
      calendar: 2,
      lists: 2,
      cooking: 1,
      recommendation: 0.6,
      email: 0.5,
      social: 0.4,
      transport: 0.4,
      takeaway: 0.3,
    },
    intents: {
      timer_set: 4,
      shopping_query: 0.4,
      shopping_cart_add: 0.3,
      shopping_deals: 0.2,
      shopping_buy: 0.1,
      shopping_reorder: 0.05,
    },
  },
  kindle: {
    scenarios: { general: 3, audio: 5 },
    intents: {
      play_audiobook: 42,
      qa_definition: 16,
      shopping_query: 12,
      shopping_buy: 7,
      recommendation_books: 6,
      shopping_deals: 3,
      lists_createoradd: 3,
      play_podcasts: 2,
      subscription_start: 0.3,
    },
  },
  fire_tv: {
    scenarios: { play: 12, music: 3, audio: 10, weather: 3, general: 3, news: 2 },
    intents: {
      play_video: 44,
      recommendation_movies: 8,
      shopping_ad_open: 9,
      shopping_deals: 4,
      shopping_buy: 0.8,
      subscription_start: 0.2,
    },
  },
  ring: {
    scenarios: { general: 2, datetime: 2 },
    intents: {
      security_view_camera: 38,
      security_answer_door: 22,
      security_history: 14,
      security_arm: 9,
      security_disarm: 9,
      iot_hue_lighton: 4,
      iot_hue_lightoff: 4,
      subscription_start: 0.3,
    },
  },
}

/** What people try on a new device and mostly leave again. */
export const noveltyIntents = {
  general_joke: 30,
  play_game: 25,
  general_quirky: 20,
  skill_launch: 20,
  recommendation_events: 5,
} as const

/** Intents that are a transaction in the turn when they are fulfilled. */
export const directIntents: ReadonlySet<string> = new Set([
  'shopping_buy',
  'shopping_reorder',
  'takeaway_order',
  'transport_taxi',
  'transport_ticket',
  'subscription_start',
  'subscription_upgrade',
  'skill_purchase',
])

/** What the few who buy on an Echo buy there. */
const echoPurchases = {
  shopping_buy: 60,
  shopping_reorder: 20,
  takeaway_order: 8,
  skill_purchase: 6,
  transport_taxi: 3,
  transport_ticket: 3,
}

export interface IntentPicker {
  habitual(product: Product, random: Random): string
  novel(random: Random): string
  echoPurchase(random: Random): string
}

export function createIntentPicker(): IntentPicker {
  const byProduct = {
    echo: createPicker(flatten(mixes.echo)),
    kindle: createPicker(flatten(mixes.kindle)),
    fire_tv: createPicker(flatten(mixes.fire_tv)),
    ring: createPicker(flatten(mixes.ring)),
  } satisfies Record<Product, (random: Random) => string>
  return {
    habitual: (product, random) => byProduct[product](random),
    novel: createPicker(Object.entries(noveltyIntents)),
    echoPurchase: createPicker(Object.entries(echoPurchases)),
  }
}

function flatten(mix: Mix): [string, number][] {
  const weighted = Object.entries(mix.intents)
  for (const [scenario, share] of Object.entries(mix.scenarios)) {
    const counts = Object.entries(slurpCounts[scenario as Scenario]) as [string, number][]
    const total = counts.reduce((sum, [, count]) => sum + count, 0)
    weighted.push(...counts.map(([intent, count]): [string, number] => [intent, (share * count) / total]))
  }
  return weighted
}
