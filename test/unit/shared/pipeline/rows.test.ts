import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { parseSchema, type RecordNode } from '../../../../services/shared/domain/avro-schema.ts'
import { recordOf } from '../../../../services/shared/domain/log-record.ts'
import { fixed, number, text } from '../../../../services/shared/domain/stream-fields.ts'
import { noJudge, type StreamColumn, type StreamField } from '../../../../services/shared/domain/stream.ts'
import { streams } from '../../../../services/shared/domain/streams.ts'
import { compileWalker } from '../../../../services/shared/domain/walker.ts'
import { createStreamRows } from '../../../../services/shared/pipeline/rows.ts'
import { nativeRows } from '../../../support/native-rows.ts'

const bounds = { min: 1, max: 20, alphabet: 'identifier' } as const
const fields: StreamField[] = [
  fixed('id', 16),
  fixed('house', 8),
  number('at', { min: 0, max: 5e12 }),
  number('money', { min: -1e15, max: 1e15 }, false),
  number('count', { min: 0, max: 4e9 }),
  number('day', { min: 0, max: 65_535 }),
  text('name', bounds),
  text('note', bounds, false),
  text('key', bounds, false),
  { path: 'back', kinds: ['boolean'], required: true },
]
const columns: StreamColumn[] = [
  { column: 'id', from: 'id', type: 'FixedString(16)' },
  { column: 'house', from: 'house', type: 'UInt64' },
  { column: 'at', from: 'at', type: "DateTime64(3, 'UTC')" },
  { column: 'money', from: 'money', type: 'Int64' },
  { column: 'count', from: 'count', type: 'UInt32' },
  { column: 'day', from: 'day', type: 'Date' },
  { column: 'name', from: 'name', type: 'LowCardinality(String)' },
  { column: 'note', from: 'note', type: 'LowCardinality(String)' },
  { column: 'key', from: 'key', type: 'String' },
  { column: 'back', from: 'back', type: 'Bool' },
]
const optional = (type: string) => ['null', type]
const schema = {
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'id', type: { type: 'fixed', name: 'Id', size: 16 } },
    { name: 'house', type: { type: 'fixed', name: 'House', size: 8 } },
    { name: 'at', type: 'long' },
    { name: 'money', type: optional('long') },
    { name: 'count', type: 'long' },
    { name: 'day', type: 'int' },
    { name: 'name', type: 'string' },
    { name: 'note', type: optional('string') },
    { name: 'key', type: optional('string') },
    { name: 'back', type: 'boolean' },
  ],
}
const type = avro.parse(schema)
const walker = compileWalker(
  parseSchema(schema) as RecordNode,
  fields.map(({ path }) => path),
)

interface Event {
  money?: number
  note?: string
  key?: string
  name?: string
  at?: number
  count?: number
}

const id = Buffer.from('0123456789abcdef')
const house = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0x80])

function open() {
  const rows = createStreamRows({ fields, columns })
  const at = new Int32Array(fields.length * 2)
  /** The field that is out of bounds, or undefined when the row was written. */
  function add({ money, note, key, ...over }: Event, offset = 0): string | undefined {
    const body = type.toBuffer({
      ...{ id, house, at: 4_000_000_000_001, count: 4e9, day: 65_535, name: 'echo', back: true },
      ...over,
      money: money === undefined ? null : { long: money },
      note: note === undefined ? null : { string: note },
      key: key === undefined ? null : { string: key },
    })
    assert.equal(walker.walk(body, 0, body.length, at), body.length)
    const message = recordOf({ offset, timestampMs: 0, key: null, value: body })
    const invalid = rows.check(message, at)
    if (invalid >= 0) {
      return fields[invalid]!.path
    }
    rows.append(message, at, noJudge, 77)
    return undefined
  }
  return { rows, add }
}

test('writes every kind of column, and 0 or nothing for an absent field', () => {
  const { rows, add } = open()
  add({ money: -1, note: 'a_note', key: 'k1' }, 2 ** 40)
  add({ money: 1e15 }, 2 ** 40 + 1)
  add({ name: 'kindle', note: 'a_note' }, 2 ** 40 + 2)
  const same = { id, house: 0x8000000000000001n, at: 4_000_000_000_001, count: 4e9, day: 65_535, back: true }
  assert.deepEqual(nativeRows(rows.parts()), [
    { ...same, name: 'echo', note: 'a_note', key: 'k1', money: -1, kafka_offset: 2n ** 40n, recorded_at: 77 },
    { ...same, name: 'echo', note: '', key: '', money: 1e15, kafka_offset: 2n ** 40n + 1n, recorded_at: 77 },
    { ...same, name: 'kindle', note: 'a_note', key: '', money: 0, kafka_offset: 2n ** 40n + 2n, recorded_at: 77 },
  ])
  assert.equal(rows.number(2), 4_000_000_000_001)
})

test('names the first text that is out of bounds, then the first number, also when it saw the text before', () => {
  const { rows, add } = open()
  for (let round = 0; round < 2; round++) {
    assert.equal(add({ name: 'Echo', key: '' }), 'name')
    assert.equal(add({ note: '', key: '' }), 'note')
    assert.equal(add({ key: 'ä', at: -1 }), 'key')
    assert.equal(add({ at: -1, count: -1 }), 'at')
    assert.equal(add({ money: -1e15 - 1, count: -1 }), 'money')
    assert.equal(add({ count: 4e9 + 1 }), 'count')
    assert.equal(add({ note: 'a'.repeat(21) }), 'note')
  }
  assert.equal(rows.rows, 0)
})

test('keeps nothing of texts that are too long, however many come', () => {
  const { rows, add } = open()
  add({})
  const { texts } = rows.judged.found('name').dictionary
  const before = { count: texts.count, bytes: texts.arena.byteLength }
  for (let number = 0; number < 1_000; number++) {
    assert.equal(add({ name: `a${number}`.padEnd(10_000, 'x') }), 'name')
  }
  assert.deepEqual({ count: texts.count, bytes: texts.arena.byteLength }, before)
})

test('says how many bytes it holds, and starts anew after clear', () => {
  const { rows, add } = open()
  assert.equal(rows.bytes, 0)
  add({ key: 'abc' })
  // Numbers and ids, two keys of 16 bits, the texts of the dictionaries ("echo" and none), the key.
  assert.equal(rows.bytes, 16 + 8 * 5 + 4 + 2 + 1 + 2 * 2 + (5 + 1) + 4)
  const before = Buffer.concat(rows.parts())
  rows.clear()
  assert.deepEqual([rows.rows, rows.bytes], [0, 0])
  add({ key: 'abc' })
  assert.deepEqual(Buffer.concat(rows.parts()), before, 'the same rows are the same bytes')
})

test('grows beyond the room that it starts with', () => {
  const { rows, add } = open()
  const count = 100_001
  for (let offset = 0; offset < count; offset++) {
    add({ name: offset % 2 === 0 ? 'echo' : 'kindle', money: offset }, offset)
  }
  const found = nativeRows(rows.parts())
  assert.equal(found.length, count)
  for (const offset of [0, 1, 99_999, 100_000]) {
    const row = found[offset]!
    assert.deepEqual([row['kafka_offset'], row['money']], [BigInt(offset), offset])
    assert.equal(row['name'], offset % 2 === 0 ? 'echo' : 'kindle')
  }
})

for (const stream of streams) {
  test(`holds all columns of ${stream.name} and what its judge writes`, () => {
    const { judged } = createStreamRows(stream)
    const paths = new Set(stream.fields.map(({ path }) => path))
    for (const { column, from, type: columnType } of stream.columns) {
      assert.ok(from === undefined || paths.has(from), `${column} reads ${from}`)
      if (from !== undefined) {
        continue
      }
      assert.doesNotThrow(() => {
        if (columnType === 'Int8') {
          judged.int8(column)
        } else if (columnType.startsWith('Array')) {
          judged.list(column)
        } else {
          judged.text(column)
        }
      }, column)
    }
    assert.throws(() => judged.int8('nobody'), /there is no column nobody/)
    assert.throws(() => judged.list('event_id'), /event_id is no list/)
    assert.throws(() => judged.text('event_id'), /event_id is no dictionary/)
    assert.throws(() => judged.found('event_id'), /event_id holds no field's text/)
  })
}
