import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { assistantIntents } from '../../../../services/shared/domain/assistant-intents.ts'
import { parseSchema, type RecordNode } from '../../../../services/shared/domain/avro-schema.ts'
import {
  numberBounds,
  plansMax,
  textBounds,
  type AssistantIntentEvent,
} from '../../../../services/shared/domain/event.ts'
import { recordOf, type LogRecord } from '../../../../services/shared/domain/log-record.ts'
import { outcomes, valueClasses, type Taxonomy } from '../../../../services/shared/domain/taxonomy.ts'
import { compileWalker } from '../../../../services/shared/domain/walker.ts'
import { createStreamRows } from '../../../../services/shared/pipeline/rows.ts'
import { encoders, makeEvent, purchase, writerSchema, type RecordJson } from '../../../support/events.ts'
import { nativeRows, type NativeRow } from '../../../support/native-rows.ts'

const taxonomy: Taxonomy = {
  version: 1,
  description: '',
  rules: [
    { id: 'misheard', valueClass: 'not_a_request', intents: ['*'], outcomes: ['not_understood'] },
    { id: 'bought', valueClass: 'direct', intents: ['shopping_buy'], outcomes: ['fulfilled'], purchase: true },
    { id: 'music', valueClass: 'entitlement', intents: ['play_music'], plans: ['music'] },
    { id: 'rest', valueClass: 'free', intents: ['weather_*', 'play_*', 'shopping_*'] },
  ],
}

function open(schema: RecordJson = writerSchema(2)) {
  const walker = compileWalker(
    parseSchema(schema) as RecordNode,
    assistantIntents.fields.map(({ path }) => path),
  )
  const rows = createStreamRows(assistantIntents)
  const nodeOf = (path: string) => walker.nodeOf(path)
  const judge = assistantIntents.createJudge({ taxonomy, nodeOf, columns: rows.judged })
  const at = new Int32Array(assistantIntents.fields.length * 2)
  const messageOf = (body: Uint8Array) => {
    assert.equal(walker.walk(body, 0, body.length, at), body.length)
    return recordOf({ offset: 7, timestampMs: 0, key: null, value: body })
  }
  /** As the gatherer asks: what the description says first. */
  const invalidField = (message: LogRecord) => {
    const outside = rows.check(message, at)
    return outside >= 0 ? outside : judge.invalidField(message, at)
  }
  return {
    invalidField(body: Uint8Array): string | undefined {
      const index = invalidField(messageOf(body))
      return index < 0 ? undefined : assistantIntents.fields[index]!.path
    },
    /** The row of an event. */
    append(body: Uint8Array): NativeRow {
      const message = messageOf(body)
      assert.equal(invalidField(message), -1)
      rows.clear()
      rows.append(message, at, judge, 0)
      return nativeRows(rows.parts())[0]!
    },
  }
}

const bodyOf = (over: Partial<AssistantIntentEvent>) => encoders[2].encode(makeEvent(1, over)).subarray(5)

const judge = open()
const withPurchase = (over: Partial<typeof purchase>) => ({ purchase: { ...purchase, ...over } })
const ofLength = (length: number) => 'x'.repeat(length)

// Every bound of every text field: one below, at, one above, and a character outside its alphabet.
const texts: [
  string,
  { min: number; max: number; alphabet: string },
  (text: string) => Partial<AssistantIntentEvent>,
][] = [
  ['product', textBounds.product, (product) => ({ product })],
  ['deviceModel', textBounds.deviceModel, (deviceModel) => ({ deviceModel })],
  ['country', textBounds.country, (country) => ({ country })],
  ['locale', textBounds.locale, (locale) => ({ locale })],
  ['intent', textBounds.intent, (intent) => ({ intent })],
  ['appVersion', textBounds.appVersion, (appVersion) => ({ appVersion })],
  ['skillId', textBounds.skillId, (skillId) => ({ skillId })],
  ['purchase.orderId', textBounds.orderId, (orderId) => withPurchase({ orderId })],
  ['purchase.currency', textBounds.currency, (currency) => withPurchase({ currency })],
  ['plans', textBounds.plan, (plan) => ({ plans: [plan] })],
]
for (const [path, { min, max, alphabet }, over] of texts) {
  test(`takes ${path} of ${min} to ${max} bytes of its alphabet, and nothing else`, () => {
    const fill = (length: number) => (alphabet === 'upper' ? ofLength(length).toUpperCase() : ofLength(length))
    assert.equal(judge.invalidField(bodyOf(over(fill(min)))), undefined)
    assert.equal(judge.invalidField(bodyOf(over(fill(max)))), undefined)
    assert.equal(judge.invalidField(bodyOf(over(fill(min - 1)))), path)
    assert.equal(judge.invalidField(bodyOf(over(fill(max + 1)))), path)
    for (const outside of [
      ' ',
      '\n',
      '\u0000',
      'ü',
      '\u007f',
      ...(alphabet === 'upper' ? ['a'] : []),
      ...(alphabet === 'identifier' ? ['A', '-', ','] : []),
      ...(alphabet === 'tag' ? ['_'] : []),
    ]) {
      const text = fill(max).slice(0, max - Buffer.byteLength(outside)) + outside
      assert.equal(judge.invalidField(bodyOf(over(text))), path, JSON.stringify(outside))
    }
  })
}

const numbers: [string, { min: number; max: number }, (value: number) => Partial<AssistantIntentEvent>][] = [
  ['occurredAt', numberBounds.occurredAt, (occurredAt) => ({ occurredAt })],
  ['activatedOn', numberBounds.activatedOn, (activatedOn) => ({ activatedOn })],
  ['latencyMs', numberBounds.latencyMs, (latencyMs) => ({ latencyMs })],
  ['purchase.amountMicros', numberBounds.amountMicros, (amountMicros) => withPurchase({ amountMicros })],
]
for (const [path, { min, max }, over] of numbers) {
  test(`takes ${path} from ${min} to ${max}`, () => {
    assert.equal(judge.invalidField(bodyOf(over(min))), undefined)
    assert.equal(judge.invalidField(bodyOf(over(max))), undefined)
    assert.equal(judge.invalidField(bodyOf(over(min - 1))), path)
    assert.equal(judge.invalidField(bodyOf(over(max + 1))), path)
  })
}

const manyPlans = (count: number) =>
  Array.from({ length: count }, (_, index) => `plan_${String(index).padStart(2, '0')}`)
for (const [name, plans, valid] of [
  ['none', [], true],
  ['several, sorted', ['audiobook', 'music', 'prime'], true],
  ['as many as may be held', manyPlans(plansMax), true],
  ['one more', manyPlans(plansMax + 1), false],
  ['unsorted ones', ['prime', 'music'], false],
  ['one twice', ['prime', 'prime'], false],
] as const) {
  test(`${valid ? 'takes' : 'refuses'} plans: ${name}`, () => {
    assert.equal(judge.invalidField(bodyOf({ plans })), valid ? undefined : 'plans')
  })
}

test('takes plans that a writer wrote in blocks with their sizes, as the same plans', () => {
  const plain = bodyOf({ plans: ['music', 'prime'] })
  const from = plain.indexOf('\x04\x0amusic\x0aprime\x00', 0, 'latin1')
  const blocks = Buffer.from('\x01\x0c\x0amusic\x02\x0aprime\x00', 'latin1')
  const blocked = Buffer.concat([plain.subarray(0, from), blocks, plain.subarray(from + 14)])
  assert.equal(judge.invalidField(blocked), undefined)
  assert.deepEqual(judge.append(blocked), judge.append(plain))
})

test('maps outcomes by the writer, whatever the order of its symbols, and refuses one it does not know', () => {
  const schema = writerSchema(2)
  const field = schema.fields.find(({ name }) => name === 'outcome')!
  field.type = {
    type: 'enum',
    name: 'Outcome',
    symbols: ['interrupted', 'abandoned', 'failed', 'fulfilled', 'not_understood'],
  }
  const reordered = open(schema)
  const type = avro.parse(schema)
  const body = (outcome: string) => type.toBuffer({ ...makeEvent(1), purchase: null, skillId: null, outcome })
  for (const outcome of outcomes) {
    assert.equal(reordered.invalidField(body(outcome)), undefined)
    assert.equal(reordered.append(body(outcome))['outcome'], outcomes.indexOf(outcome))
  }
  assert.equal(reordered.invalidField(body('interrupted')), 'outcome')
})

test('has the numbers of the ClickHouse enums, which must never change', () => {
  assert.deepEqual([...outcomes], ['fulfilled', 'failed', 'not_understood', 'abandoned'])
  assert.deepEqual(valueClasses, { direct: 1, assisted: 2, entitlement: 3, free: 4, not_a_request: 5, unclassified: 6 })
})

const none = { order_id: '', amount_micros: 0, currency: '', skill_id: '' }
const bought = { order_id: purchase.orderId, amount_micros: purchase.amountMicros, currency: purchase.currency }
for (const [name, over, row] of [
  ['free', {}, { value_class: 4, rule_id: 'rest', plans: 'music,prime', outcome: 0, ...none }],
  [
    'unclassified',
    { intent: 'unheard_of' },
    { value_class: 6, rule_id: '', plans: 'music,prime', outcome: 0, ...none },
  ],
  [
    'not_a_request',
    { outcome: 'not_understood' },
    { value_class: 5, rule_id: 'misheard', plans: 'music,prime', outcome: 2, ...none },
  ],
  [
    'entitlement',
    { intent: 'play_music' },
    { value_class: 3, rule_id: 'music', plans: 'music,prime', outcome: 0, ...none },
  ],
  [
    'free without the plan',
    { intent: 'play_music', plans: [] },
    { value_class: 4, rule_id: 'rest', plans: '', outcome: 0, ...none },
  ],
  [
    'free without a purchase',
    { intent: 'shopping_buy', skillId: 'trivia' },
    { value_class: 4, rule_id: 'rest', plans: 'music,prime', outcome: 0, ...none, skill_id: 'trivia' },
  ],
  [
    'direct',
    { intent: 'shopping_buy', purchase, skillId: 'shop' },
    { value_class: 1, rule_id: 'bought', plans: 'music,prime', outcome: 0, ...bought, skill_id: 'shop' },
  ],
] as const) {
  test(`appends class, rule and the optional fields: ${name}`, () => {
    const body = bodyOf(over)
    assert.equal(judge.invalidField(body), undefined)
    const made = () => Object.fromEntries(Object.entries(judge.append(body)).filter(([column]) => column in row))
    assert.deepEqual(made(), row)
    assert.deepEqual(made(), row, 'from the kept answer')
  })
}

test('gives no event the answer kept for another, however many differ', () => {
  const many = open()
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 6_000; number++) {
      const intent = number % 3 === 0 ? 'play_music' : `unheard_${number}`
      const plans = [`plan_${number % 1_500}`, ...(number % 2 === 0 ? ['zzz'] : [])]
      const body = bodyOf({ intent, plans })
      assert.equal(many.invalidField(body), undefined)
      const row = many.append(body)
      assert.equal(row['plans'], plans.join(','))
      assert.equal(row['intent'], intent)
      assert.equal(row['value_class'], number % 3 === 0 ? valueClasses.free : valueClasses.unclassified)
    }
  }
})

test('describes columns of its own fields, each once, and leaves four to the judge', () => {
  const paths = new Set(assistantIntents.fields.map(({ path }) => path))
  const judged = assistantIntents.columns.filter(({ from }) => from === undefined)
  assert.deepEqual(
    judged.map(({ column }) => column),
    ['plans', 'outcome', 'value_class', 'rule_id'],
  )
  for (const { column, from } of assistantIntents.columns) {
    assert.ok(from === undefined || paths.has(from), `${column} reads ${from}`)
  }
  const columns = assistantIntents.columns.map(({ column }) => column)
  assert.equal(new Set(columns).size, columns.length)
})
