import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { assistantIntents } from '../../../../services/shared/domain/assistant-intents.ts'
import { parseSchema } from '../../../../services/shared/domain/avro-schema.ts'
import { createDuplicateMemory } from '../../../../services/shared/domain/duplicate-memory.ts'
import { defaultFateSettings, type FateSettings } from '../../../../services/shared/domain/fate.ts'
import { recordOf, type WholeRecord } from '../../../../services/shared/domain/log-record.ts'
import { schemasPerBatchMax } from '../../../../services/shared/domain/plan.ts'
import { frame } from '../../../../services/shared/domain/wire.ts'
import { canonicalHash } from '../../../../services/shared/io/canonical-hash.ts'
import { loadTaxonomy } from '../../../../services/shared/io/taxonomy-file.ts'
import { batchFull, createGatherer } from '../../../../services/shared/pipeline/gather.ts'
import { createReader } from '../../../../services/shared/pipeline/reader.ts'
import type { RowBlock } from '../../../../services/shared/pipeline/rows.ts'
import { encoders, eventId, makeEvent, purchase, sentAtMs, writerSchema } from '../../../support/events.ts'
import { nativeRows } from '../../../support/native-rows.ts'

const { taxonomy } = loadTaxonomy(1)
const fates: FateSettings = { ...defaultFateSettings, eventBytesMax: 400, duplicateWindowOffsets: 10 }

const readerOf = (id: number, json: unknown) =>
  createReader(assistantIntents, { id, json, node: parseSchema(json), fingerprint: canonicalHash(json) }, taxonomy)

function open(schemas: Record<number, unknown> = { 1: writerSchema(1), 2: writerSchema(2) }) {
  const gatherer = createGatherer({
    stream: assistantIntents,
    fates,
    memory: createDuplicateMemory(fates.duplicateWindowOffsets),
  })
  /** Adds as the partition does: resolves what is asked for, and adds again. */
  function add(value: Uint8Array | null, over: Partial<WholeRecord> = {}): number {
    const whole = { offset: gatherer.tally.messages, timestampMs: sentAtMs, key: Buffer.from('key'), value, ...over }
    const message = recordOf(whole)
    let answer = gatherer.add(message)
    if (answer >= 0) {
      const schema = schemas[answer]
      gatherer.resolve(
        answer,
        schema === undefined ? { fault: `id ${answer} is not registered` } : readerOf(answer, schema),
      )
      answer = gatherer.add(message)
    }
    return answer
  }
  return { gatherer, add }
}

const rowsOf = (block: RowBlock) => nativeRows(block.parts())

/** Fate of one message alone: accepted, or reason and detail. */
function fateOf(value: Uint8Array | null, over: Partial<WholeRecord> = {}): string {
  const { gatherer, add } = open()
  assert.equal(add(value, over), -1)
  const { tally } = gatherer
  assert.equal(tally.messages, 1)
  assert.equal(tally.accepted + tally.duplicate + tally.rejected, 1)
  if (tally.accepted === 1) {
    return 'accepted'
  }
  const [row] = rowsOf(gatherer.rejected)
  assert.deepEqual(tally.reasons, { [String(row!['reason'])]: 1 })
  return `${String(row!['reason'])}: ${String(row!['detail'])}`
}

const good = encoders[2].encode(makeEvent(1))
const happened = (occurredAt: number) => encoders[2].encode(makeEvent(1, { occurredAt }))

for (const [name, value, over, fate] of [
  ['a good event', good, {}, 'accepted'],
  ['no value', null, {}, 'not_framed: no value'],
  ['an empty value', Buffer.alloc(0), {}, 'not_framed: 0 bytes'],
  ['4 bytes', Buffer.alloc(4), {}, 'not_framed: 4 bytes'],
  ['another magic byte', Buffer.concat([Buffer.of(1), good.subarray(1)]), {}, `not_framed: ${good.length} bytes`],
  ['a schema id nobody registered', frame(3, good.subarray(5)), {}, 'unknown_schema: id 3 is not registered'],
  ['schema id 2^32 - 1', frame(4_294_967_295, good.subarray(5)), {}, 'unknown_schema: id 4294967295 is not registered'],
  ['a frame without a body', good.subarray(0, 5), {}, 'malformed: schema 2'],
  ['a body one byte short', good.subarray(0, -1), {}, 'malformed: schema 2'],
  ['a body one byte long', Buffer.concat([good, Buffer.of(0)]), {}, 'trailing_bytes: 1 bytes'],
  [
    'version 1 bytes under version 2',
    frame(2, encoders[1].encode(makeEvent(1)).subarray(5)),
    {},
    'malformed: schema 2',
  ],
  ['version 2 bytes under version 1', frame(1, good.subarray(5)), {}, 'trailing_bytes: 1 bytes'],
  ['a field out of its bounds', encoders[2].encode(makeEvent(1, { country: 'us' })), {}, 'field_invalid: country'],
  [
    'a field of the purchase',
    encoders[2].encode(makeEvent(1, { purchase: { ...purchase, amountMicros: -1 } })),
    {},
    'field_invalid: purchase.amountMicros',
  ],
  ['an event at the edge of the future', happened(sentAtMs + fates.futureToleranceMs), {}, 'accepted'],
  ['an event 1 ms inside the future', happened(sentAtMs + fates.futureToleranceMs - 1), {}, 'accepted'],
  [
    'an event 1 ms too far in the future',
    happened(sentAtMs + fates.futureToleranceMs + 1),
    {},
    'in_future: occurredAt',
  ],
  ['an event as old as may be', happened(sentAtMs - fates.ageMaxMs), {}, 'accepted'],
  ['an event 1 ms younger than that', happened(sentAtMs - fates.ageMaxMs + 1), {}, 'accepted'],
  ['an event 1 ms older than that', happened(sentAtMs - fates.ageMaxMs - 1), {}, 'too_old: occurredAt'],
  ['a record without a timestamp', good, { timestampMs: -1 }, 'in_future: occurredAt'],
  ['a record stamped in the year 5138', good, { timestampMs: 1e14 }, 'too_old: occurredAt'],
  ['no key', good, { key: null }, 'accepted'],
] as const) {
  test(`gives ${name} its fate: ${fate}`, () => {
    assert.equal(fateOf(value, over), fate)
  })
}

test('takes a value of exactly the largest size, and says the size of a larger one before looking into it', () => {
  const fill = (size: number) => Buffer.concat([good, Buffer.alloc(size - good.length)])
  for (const size of [fates.eventBytesMax - 1, fates.eventBytesMax]) {
    assert.equal(fateOf(fill(size)), `trailing_bytes: ${size - good.length} bytes`)
  }
  assert.equal(fateOf(fill(fates.eventBytesMax + 1)), 'too_large: 401 bytes')
  assert.equal(fateOf(Buffer.alloc(401, 7)), 'too_large: 401 bytes')
})

test('keeps the rejected as it stood in the log: bytes, key, place and time', () => {
  const { gatherer, add } = open()
  add(Buffer.from('not framed'), { offset: 40 })
  add(null, { offset: 41, key: null, timestampMs: sentAtMs + 1 })
  add(Buffer.alloc(0), { offset: 42, key: Buffer.alloc(0), timestampMs: Number.NaN })
  const rows = rowsOf(gatherer.rejected)
  assert.deepEqual(
    rows.map((row) => [row['kafka_offset'], row['recorded_at'], row['key'], row['value']]),
    [
      [40n, sentAtMs, 'key', 'not framed'],
      [41n, sentAtMs + 1, null, null],
      [42n, 0, '', ''],
    ],
  )
})

for (const [timestampMs, stored] of [
  [0, 0],
  [-1, 0],
  [10_000_000_000_000, 10_000_000_000_000],
  [10_000_000_000_001, 0],
  [Number.NaN, 0],
  [Infinity, 0],
] as const) {
  test(`stores the record time ${timestampMs} as ${stored}, which ClickHouse can hold`, () => {
    const { gatherer, add } = open()
    add(null, { timestampMs })
    assert.equal(rowsOf(gatherer.rejected)[0]!['recorded_at'], stored)
    assert.deepEqual([gatherer.tally.recordTimeLow, gatherer.tally.recordTimeHigh], [stored, stored])
  })
}

test('takes both writer schemas in one batch, in the order of the log', () => {
  const { gatherer, add } = open()
  add(encoders[1].encode(makeEvent(1, { purchase, intent: 'shopping_buy' })), { offset: 5 })
  add(encoders[2].encode(makeEvent(2, { skillId: 'trivia' })), { offset: 6 })
  add(encoders[1].encode(makeEvent(3)), { offset: 9 })
  const [one, two, three] = rowsOf(gatherer.accepted)
  assert.deepEqual([one!['kafka_offset'], two!['kafka_offset'], three!['kafka_offset']], [5n, 6n, 9n])
  assert.deepEqual([one!['rule_id'], one!['order_id'], one!['skill_id']], ['direct_purchase', 'order-1', ''])
  assert.deepEqual([two!['recorded_at'], two!['skill_id'], two!['order_id']], [sentAtMs, 'trivia', ''])
  assert.deepEqual(two!['event_id'], eventId(2))
  assert.deepEqual(gatherer.schemas, { 1: canonicalHash(writerSchema(1)), 2: canonicalHash(writerSchema(2)) })
  const { tally } = gatherer
  assert.deepEqual([tally.base, tally.messages, tally.accepted, tally.acceptedOffsets], [5, 3, 3, 0 + 1 + 4])
  assert.deepEqual([tally.eventTimeLow, tally.eventTimeHigh], [sentAtMs - 60_000, sentAtMs - 60_000])
})

test('takes a writer with an optional field that nobody here knows, also one called like ours', () => {
  const schema = writerSchema(2)
  schema.fields.splice(4, 0, { name: 'room', type: ['null', 'string'], default: null })
  schema.fields.push({ name: 'currency', type: ['null', 'string'], default: null })
  const { gatherer, add } = open({ 9: schema })
  const event = {
    ...makeEvent(1),
    purchase: null,
    skillId: null,
    room: { string: 'kitchen' },
    currency: { string: 'USD' },
  }
  add(frame(9, avro.parse(schema).toBuffer(event)))
  assert.equal(gatherer.tally.accepted, 1)
  const [row] = rowsOf(gatherer.accepted)
  assert.equal(row!['intent'], 'weather_query')
  assert.equal(row!['currency'], '', 'the currency of the purchase, which there is none')
})

test('rejects the events of a writer that lacks a required field, and names the field', () => {
  const schema = writerSchema(1)
  schema.fields = schema.fields.filter(({ name }) => name !== 'locale')
  const { gatherer, add } = open({ 9: schema })
  add(frame(9, avro.parse(schema).toBuffer({ ...makeEvent(1), purchase: null })))
  const [row] = rowsOf(gatherer.rejected)
  assert.equal(row!['reason'], 'unknown_schema')
  assert.equal(row!['detail'], 'the schema lacks the required field locale')
  assert.deepEqual(gatherer.schemas, {}, 'a schema that served nothing is no part of the plan')
})

test('makes the event of a 17th writer schema wait for the next batch, untouched', () => {
  const ids = Array.from({ length: schemasPerBatchMax + 1 }, (_, index) => 100 + index)
  const { gatherer, add } = open(Object.fromEntries(ids.map((id) => [id, writerSchema(2)])))
  const value = (id: number) => frame(id, encoders[2].encode(makeEvent(id)).subarray(5))
  ids.slice(0, -1).forEach((id) => assert.equal(add(value(id)), -1))
  assert.equal(add(value(116)), batchFull)
  assert.equal(add(frame(7, Buffer.from('x'))), -1, 'an unknown schema takes no room')
  assert.equal(add(value(100)), -1, 'one that is in the batch already goes on')
  assert.equal(add(value(116)), batchFull)
  assert.deepEqual([gatherer.tally.messages, gatherer.tally.accepted], [18, 17])
  gatherer.clear()
  assert.equal(add(value(116), { offset: 18 }), -1)
  assert.equal(gatherer.tally.accepted, 1, 'it was not remembered as seen before')
})

test('asks again for a schema in every batch, so that one unknown now may be registered by the next', () => {
  const { gatherer } = open()
  const message = recordOf({ offset: 0, timestampMs: sentAtMs, key: null, value: good })
  assert.equal(gatherer.add(message), 2)
  gatherer.resolve(2, { fault: 'id 2 is not registered' })
  assert.equal(gatherer.add(message), -1)
  assert.equal(gatherer.tally.rejected, 1)
  gatherer.clear()
  assert.equal(gatherer.add(message), 2)
  assert.equal(gatherer.tally.messages, 0, 'a message that waits is not counted')
})

test('takes for a duplicate a copy within the window: exactly so far back, and none further', () => {
  const { gatherer, add } = open()
  add(good, { offset: 0 })
  add(good, { offset: 10 })
  add(good, { offset: 21 })
  assert.deepEqual([gatherer.tally.accepted, gatherer.tally.duplicate], [2, 1])
  const [row] = rowsOf(gatherer.duplicates)
  assert.deepEqual(row, { event_id: eventId(1), kafka_offset: 10n, recorded_at: sentAtMs })
})

test('does not remember a rejected event, so that its good copy is accepted', () => {
  const { gatherer, add } = open()
  add(encoders[2].encode(makeEvent(1, { country: 'us' })))
  add(happened(sentAtMs + fates.futureToleranceMs + 1))
  add(good)
  assert.deepEqual([gatherer.tally.accepted, gatherer.tally.duplicate, gatherer.tally.rejected], [1, 0, 2])
})

test('keeps the sums of offsets exact just below 2^52', () => {
  const base = 2 ** 52 - 1_000
  const { gatherer, add } = open()
  for (let index = 0; index < 300; index++) {
    const event =
      index % 3 === 0
        ? encoders[2].encode(makeEvent(index))
        : index % 3 === 1
          ? encoders[2].encode(makeEvent(index - 1))
          : null
    add(event, { offset: base + index })
  }
  const { tally } = gatherer
  assert.equal(tally.base, base)
  const sum = (rest: number) => Array.from({ length: 100 }, (_, index) => index * 3 + rest).reduce((a, b) => a + b)
  assert.deepEqual([tally.acceptedOffsets, tally.duplicateOffsets, tally.rejectedOffsets], [sum(0), sum(1), sum(2)])
  assert.equal(rowsOf(gatherer.rejected)[0]!['kafka_offset'], BigInt(base + 2))
})

test('counts the bytes of all rows, and starts at nothing after clear', () => {
  const { gatherer, add } = open()
  assert.equal(gatherer.bytes(), 0)
  add(good)
  add(good)
  add(null)
  const parts = [gatherer.accepted, gatherer.duplicates, gatherer.rejected]
  assert.equal(
    gatherer.bytes(),
    parts.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  gatherer.clear()
  assert.equal(gatherer.bytes(), 0)
  assert.deepEqual(gatherer.tally, open().gatherer.tally)
  assert.deepEqual([gatherer.accepted.rows, gatherer.schemas], [0, {}])
})
