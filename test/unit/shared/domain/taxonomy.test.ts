import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import {
  classify,
  isMonetised,
  outcomes,
  patternCovers,
  type Classifiable,
  type Taxonomy,
  valueClasses,
  type ValueClass,
} from '../../../../services/shared/domain/taxonomy.ts'
import { loadTaxonomy } from '../../../../services/shared/io/taxonomy-file.ts'
import { slurpMissing, slurpPath } from '../../../support/slurp.ts'

/** The 60 intents of SLURP and MASSIVE. */
const slurpIntents = [
  ...['alarm_query', 'alarm_remove', 'alarm_set', 'audio_volume_down', 'audio_volume_mute', 'audio_volume_other'],
  ...['audio_volume_up', 'calendar_query', 'calendar_remove', 'calendar_set', 'cooking_query', 'cooking_recipe'],
  ...['datetime_convert', 'datetime_query', 'email_addcontact', 'email_query', 'email_querycontact', 'email_sendemail'],
  ...['general_greet', 'general_joke', 'general_quirky', 'iot_cleaning', 'iot_coffee', 'iot_hue_lightchange'],
  ...['iot_hue_lightdim', 'iot_hue_lightoff', 'iot_hue_lighton', 'iot_hue_lightup', 'iot_wemo_off', 'iot_wemo_on'],
  ...['lists_createoradd', 'lists_query', 'lists_remove', 'music_dislikeness', 'music_likeness', 'music_query'],
  ...['music_settings', 'news_query', 'play_audiobook', 'play_game', 'play_music', 'play_podcasts', 'play_radio'],
  ...['qa_currency', 'qa_definition', 'qa_factoid', 'qa_maths', 'qa_stock', 'recommendation_events'],
  ...['recommendation_locations', 'recommendation_movies', 'social_post', 'social_query', 'takeaway_order'],
  ...['takeaway_query', 'transport_query', 'transport_taxi', 'transport_ticket', 'transport_traffic', 'weather_query'],
]

/** Those the assistants of this project have besides. */
const ourIntents = [
  ...['shopping_buy', 'shopping_reorder', 'shopping_cart_add', 'shopping_deals', 'shopping_track', 'timer_set'],
  ...[
    'subscription_start',
    'subscription_upgrade',
    'subscription_cancel',
    'skill_purchase',
    'skill_launch',
    'play_video',
  ],
  ...['security_arm', 'security_camera_show', 'false_wake'],
]

const intents = [...slurpIntents, ...ourIntents]
const planSets = [
  [],
  ['audiobook'],
  ['music'],
  ['paid_assistant'],
  ['prime'],
  ['security'],
  ['audiobook', 'music', 'paid_assistant', 'prime', 'security'],
]
const versions = { 1: loadTaxonomy(1).taxonomy, 2: loadTaxonomy(2).taxonomy }
const everything: Classifiable[] = intents.flatMap((intent) =>
  outcomes.flatMap((outcome) =>
    planSets.flatMap((plans) => [false, true].map((hasPurchase) => ({ intent, outcome, plans, hasPurchase }))),
  ),
)
const request = (intent: string, over: Partial<Classifiable> = {}): Classifiable => ({
  intent,
  outcome: 'fulfilled',
  plans: [],
  hasPurchase: false,
  ...over,
})

test('knows 60 intents of SLURP', () => {
  assert.equal(new Set(slurpIntents).size, 60)
})

test('knows every intent that the real utterances hold', { skip: slurpMissing() }, () => {
  const lines = readFileSync(slurpPath, 'utf8').split('\n').slice(1)
  // split,slurp_id,scenario,intent,sentence: only the last column may be quoted.
  const found = new Set(lines.filter((line) => line !== '').map((line) => line.split(',')[3]!))
  assert.ok(found.size > 50, `${found.size} intents`)
  for (const intent of found) {
    assert.ok(slurpIntents.includes(intent), `${intent} is not among the 60`)
  }
})

for (const version of [1, 2] as const) {
  const taxonomy = versions[version]

  test(`version ${version} classes every intent, under every outcome, plan and purchase`, () => {
    for (const each of everything) {
      assert.notEqual(classify(taxonomy, each).valueClass, 'unclassified', JSON.stringify(each))
    }
  })

  test(`version ${version} gives direct only to fulfilled transactions`, () => {
    const direct = everything.filter((each) => classify(taxonomy, each).valueClass === 'direct')
    assert.ok(direct.every(({ outcome }) => outcome === 'fulfilled'))
    assert.deepEqual([...new Set(direct.map(({ intent }) => intent))].sort(), [
      'shopping_buy',
      'shopping_reorder',
      'skill_purchase',
      'subscription_start',
      'subscription_upgrade',
      'takeaway_order',
      'transport_taxi',
      'transport_ticket',
    ])
  })

  test(`version ${version} gives entitlement only to fulfilled requests whose rule's plan is held`, () => {
    for (const each of everything) {
      const { valueClass, ruleId } = classify(taxonomy, each)
      if (valueClass === 'entitlement') {
        const rule = taxonomy.rules.find(({ id }) => id === ruleId)!
        assert.equal(each.outcome, 'fulfilled')
        // Version 2 counts fulfilled music without a plan, and says so: that is its contrast.
        assert.ok((version === 2 && ruleId === 'music_any') || rule.plans!.some((plan) => each.plans.includes(plan)))
      }
    }
  })

  test(`version ${version} takes what was not understood, and a false wake, for no request`, () => {
    for (const each of everything) {
      const isNone = each.outcome === 'not_understood' || each.intent === 'false_wake'
      assert.equal(classify(taxonomy, each).valueClass === 'not_a_request', isNone, JSON.stringify(each))
    }
  })

  test(`version ${version} leaves an intent that no rule knows unclassified, without a rule`, () => {
    assert.deepEqual(classify(taxonomy, request('teleport_home')), { valueClass: 'unclassified', ruleId: '' })
  })
}

for (const [each, one, two] of [
  [request('shopping_buy'), 'direct', 'direct'],
  [request('shopping_buy', { outcome: 'abandoned' }), 'assisted', 'assisted'],
  [request('shopping_cart_add'), 'assisted', 'assisted'],
  [request('lists_createoradd'), 'assisted', 'free'],
  [request('transport_query'), 'assisted', 'free'],
  [request('cooking_recipe'), 'assisted', 'assisted'],
  [request('play_music'), 'free', 'entitlement'],
  [request('play_music', { plans: ['music'] }), 'entitlement', 'entitlement'],
  [request('play_music', { plans: ['music'], outcome: 'failed' }), 'free', 'free'],
  [request('play_audiobook'), 'free', 'free'],
  [request('play_audiobook', { plans: ['audiobook'] }), 'entitlement', 'entitlement'],
  [request('play_video', { plans: ['prime'] }), 'entitlement', 'entitlement'],
  [request('security_arm'), 'free', 'free'],
  [request('security_arm', { plans: ['security'] }), 'entitlement', 'entitlement'],
  [request('qa_factoid', { plans: ['paid_assistant'] }), 'entitlement', 'entitlement'],
  [request('weather_query', { plans: ['prime'] }), 'free', 'free'],
  [request('timer_set'), 'free', 'free'],
] as [Classifiable, ValueClass, ValueClass][]) {
  test(`classes ${each.intent} ${each.outcome} with ${each.plans.join('+') || 'no plan'} as ${one}, in version 2 as ${two}`, () => {
    assert.equal(classify(versions[1], each).valueClass, one)
    assert.equal(classify(versions[2], each).valueClass, two)
  })
}

test('differs between the versions only in music without a plan, the shopping list and the route', () => {
  const differ = everything.filter(
    (each) => classify(versions[1], each).valueClass !== classify(versions[2], each).valueClass,
  )
  const found = new Set(differ.map(({ intent }) => intent))
  assert.deepEqual([...found].sort(), [
    'lists_createoradd',
    'music_dislikeness',
    'music_likeness',
    'music_query',
    'music_settings',
    'play_music',
    'play_radio',
    'transport_query',
  ])
})

test('lets the first rule that matches decide, and looks at plan, outcome and purchase', () => {
  const taxonomy: Taxonomy = {
    version: 1,
    description: '',
    rules: [
      { id: 'with_purchase', valueClass: 'direct', intents: ['a'], outcomes: ['fulfilled'], purchase: true },
      { id: 'without', valueClass: 'assisted', intents: ['a'], purchase: false },
      { id: 'plan', valueClass: 'entitlement', intents: ['b*'], plans: ['x', 'y'] },
      { id: 'rest', valueClass: 'free', intents: ['*'] },
    ],
  }
  const ruleOf = (over: Partial<Classifiable>) => classify(taxonomy, request('a', over)).ruleId
  assert.equal(ruleOf({ hasPurchase: true }), 'with_purchase')
  assert.equal(ruleOf({ hasPurchase: true, outcome: 'failed' }), 'rest')
  assert.equal(ruleOf({}), 'without')
  assert.equal(ruleOf({ intent: 'bee', plans: ['w', 'y'] }), 'plan')
  assert.equal(ruleOf({ intent: 'bee', plans: ['w'] }), 'rest')
})

for (const [pattern, intent, covers] of [
  ['*', 'anything', true],
  ['*', 'any_*', true],
  ['play_*', 'play_music', true],
  ['play_*', 'play_', true],
  ['play_*', 'play', false],
  ['play_*', 'play_m*', true],
  ['play_m*', 'play_*', false],
  ['play_music', 'play_music', true],
  ['play_music', 'play_musical', false],
  ['play_music', 'play_music*', false],
] as const) {
  test(`${pattern} ${covers ? 'covers' : 'does not cover'} ${intent}`, () => {
    assert.equal(patternCovers(pattern, intent), covers)
  })
}

test('strict is direct, broad adds what leads up to a purchase and what a plan covers', () => {
  const of = (definition: 'strict' | 'broad') =>
    (Object.keys(valueClasses) as ValueClass[]).filter((valueClass) => isMonetised(valueClass, definition))
  assert.deepEqual([of('strict'), of('broad')], [['direct'], ['direct', 'assisted', 'entitlement']])
})
