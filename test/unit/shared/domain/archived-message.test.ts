import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'
import fc from 'fast-check'

import {
  createBlockReader,
  createBodyCheck,
  eventRowSchema,
  mergeBlocks,
  otherRowSchema,
  writeEventRow,
  writeOtherRow,
} from '../../../../services/shared/domain/archived-message.ts'
import { parseSchema, type RecordNode } from '../../../../services/shared/domain/avro-schema.ts'
import { createByteSink } from '../../../../services/shared/domain/byte-sink.ts'
import { newRecord, recordOf, type LogRecord } from '../../../../services/shared/domain/log-record.ts'
import { frame } from '../../../../services/shared/domain/wire.ts'
import { encoders, makeEvent, writerSchema } from '../../../support/events.ts'

const node = parseSchema(writerSchema(2)) as RecordNode
const value = (number: number) => encoders[2].encode(makeEvent(number))

interface Message {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

function read(record: LogRecord): Message {
  const span = (bytes: Uint8Array, from: number, to: number) =>
    from < 0 ? null : Buffer.from(bytes.subarray(from, to))
  return {
    ...{ offset: record.offset, timestampMs: record.timestampMs },
    key: span(record.keyBytes, record.keyStart, record.keyEnd),
    value: span(record.bytes, record.valueStart, record.valueEnd),
  }
}

function blockOf(messages: readonly Message[], kind: 'event' | 'other') {
  const sink = createByteSink(16)
  for (const message of messages) {
    const record = recordOf(message)
    if (kind === 'event') {
      writeEventRow(sink, record)
    } else {
      writeOtherRow(sink, record, 'malformed')
    }
  }
  return {
    bytes: sink.view(),
    block: createBlockReader(kind === 'event' ? node : undefined)(sink.view(), messages.length),
  }
}

function rowsOf(block: ReturnType<typeof blockOf>['block']): Message[] {
  return Array.from({ length: block.rows }, (_, index) => {
    const record = newRecord()
    block.row(index, record)
    return read(record)
  })
}

const places: Omit<Message, 'value'>[] = [
  { offset: 0, timestampMs: 0, key: null },
  { offset: 1, timestampMs: -1, key: Buffer.alloc(0) },
  { offset: 63, timestampMs: 1_800_000_000_000, key: Buffer.alloc(8, 7) },
  { offset: 64, timestampMs: 2 ** 51 - 1, key: Buffer.alloc(300, 1) },
  { offset: 2 ** 40, timestampMs: 2 ** 51, key: null },
  { offset: 2 ** 51, timestampMs: 2 ** 62, key: Buffer.from('k') },
  { offset: 2 ** 51 + 1, timestampMs: -(2 ** 63), key: null },
]

test('gives events back as they were: place, key and framed value', () => {
  const messages = places.map((place, index) => ({ ...place, value: value(index) }))
  assert.deepEqual(rowsOf(blockOf(messages, 'event').block), messages)
})

test('gives other messages back as they were, also without a value', () => {
  const values = [null, Buffer.alloc(0), Buffer.from([0]), Buffer.alloc(70_000, 3), null, value(1), Buffer.from('x')]
  const messages = places.map((place, index) => ({ ...place, value: values[index]! }))
  assert.deepEqual(rowsOf(blockOf(messages, 'other').block), messages)
})

test('any bytes and places come back', () => {
  const message = fc.record({
    gap: fc.integer({ min: 1, max: 2 ** 40 }),
    timestampMs: fc.oneof(fc.integer(), fc.maxSafeInteger()),
    key: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
    value: fc.option(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))),
  })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), (made) => {
      let offset = -1
      const messages = made.map(({ gap, ...rest }) => ({ ...rest, offset: (offset += gap) }))
      assert.deepEqual(rowsOf(blockOf(messages, 'other').block), messages)
    }),
  )
})

test('the rows are Avro: avro-js reads them with the schema of the container', () => {
  const [message] = places.slice(2)
  const event = avro
    .parse(eventRowSchema(writerSchema(2)))
    .fromBuffer(Buffer.from(blockOf([{ ...message!, value: value(5) }], 'event').bytes)) as {
    offset: number
    header: Buffer
    event: { intent: string }
  }
  assert.equal(event.offset, 63)
  assert.deepEqual(event.header, Buffer.from([0, 0, 0, 0, 2]))
  assert.equal(event.event.intent, 'weather_query')
  const other = avro
    .parse(otherRowSchema)
    .fromBuffer(Buffer.from(blockOf([{ ...message!, value: Buffer.from('?') }], 'other').bytes)) as {
    reason: string
    value: { bytes: Buffer }
  }
  assert.equal(other.reason, 'malformed')
  assert.deepEqual(other.value.bytes, Buffer.from('?'))
})

test("the writer's schema stands in the container's as it was registered, whatever it is called", () => {
  for (const name of ['ArchivedEvent', 'ArchivedEventHeader', 'offset']) {
    const writer = { type: 'record', name, fields: [{ name: 'offset', type: 'int', doc: 'theirs', default: 3 }] }
    const row = eventRowSchema({ type: writer }) as { fields: { name: string; type: unknown }[] }
    assert.deepEqual(row.fields.find((field) => field.name === 'event')!.type, writer)
    avro.parse(row)
  }
})

test('tells bodies that are no record of their schema, and those that stop other tools', () => {
  const check = createBodyCheck(node)
  const of = (framed: Buffer) => check(recordOf({ offset: 0, timestampMs: 0, key: null, value: framed }))
  assert.equal(of(value(1)), undefined)
  assert.equal(of(value(1).subarray(0, -1)), 'malformed')
  assert.equal(of(Buffer.concat([value(1), Buffer.from([0])])), 'malformed')
  assert.equal(of(frame(2, Buffer.alloc(0))), 'malformed')
  assert.equal(of(encoders[2].encode(makeEvent(1, { occurredAt: 253_402_300_800_000 }))), 'not_portable')
  const spoiled = value(1)
  spoiled[spoiled.indexOf('weather')] = 0xff
  assert.equal(of(spoiled), 'not_portable')
})

test('refuses blocks that are not as they were written', () => {
  const { bytes } = blockOf(
    [1, 2].map((number) => ({ offset: number, timestampMs: 0, key: null, value: value(number) })),
    'event',
  )
  const reader = createBlockReader(node)
  assert.throws(() => reader(bytes.subarray(0, -1), 2), /row 1 of a block does not fit its schema/)
  assert.throws(() => reader(bytes, 1), /has bytes after its rows/)
  assert.throws(() => reader(bytes, 3), /row 2 of a block does not fit/)
  assert.throws(() => reader(bytes, 1_000_000), /more rows than bytes/)
  const { bytes: swapped } = { bytes: Buffer.concat([bytes, bytes]) }
  assert.throws(() => reader(swapped, 4), /offset 1 stands after offset 2/)
})

test('merges blocks by offset, within bounds', () => {
  const at = (...offsets: number[]) =>
    blockOf(
      offsets.map((offset) => ({ offset, timestampMs: offset * 2, key: null, value: Buffer.from(`${offset}`) })),
      'other',
    ).block
  const merged = (first: number, last: number) => {
    const cursor = mergeBlocks([at(1, 4, 9), at(2, 3, 10), at(20)], first, last)
    const found: number[] = []
    while (cursor.next()) {
      assert.equal(read(cursor.record).value!.toString(), `${cursor.record.offset}`)
      found.push(cursor.record.offset)
    }
    return found
  }
  assert.deepEqual(merged(0, 100), [1, 2, 3, 4, 9, 10, 20])
  assert.deepEqual(merged(3, 9), [3, 4, 9])
  assert.deepEqual(merged(5, 8), [])
  assert.deepEqual(merged(11, 19), [])
})
