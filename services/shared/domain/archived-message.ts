import type { RecordNode } from './avro-schema.ts'
import { createPortableCheck } from './avro-portable.ts'
import type { ByteSink } from './byte-sink.ts'
import { newRecord, viewOf, type LogRecord, type RecordCursor } from './log-record.ts'
import { compileWalker, readVarint } from './walker.ts'
import { headerBytes } from './wire.ts'

/**
 * How a message of the log stands in the archive: as a row of an Avro container that any Avro tool reads, and from which
 * offset, timestamp, key and value come back byte for byte.
 *
 * An Avro record is the concatenation of its fields. So the row of a well-formed event is our fields, then the message's value
 * as it was in Kafka: the five bytes of the Confluent header as a fixed, and the body as a record of its writer's own schema.
 * A message that is not well-formed under a known schema is a row of another container, with its value as bytes.
 *
 * Headers of Kafka records are not kept: nothing here reads them.
 */
export const otherReasons = ['no_value', 'not_framed', 'schema_unknown', 'malformed', 'not_portable'] as const
export type OtherReason = (typeof otherReasons)[number]

/** `schema` is the writer's, as registered. */
export function eventRowSchema(schema: unknown): unknown {
  const writer = unwrapped(schema)
  const taken = JSON.stringify(writer)
  let name = 'ArchivedEvent'
  while (taken.includes(name)) {
    name += '_'
  }
  return {
    type: 'record',
    name,
    doc: 'An event as it was in Kafka. Its value was `header` and the bytes of `event`, one after the other.',
    fields: [
      ...placeFields,
      { name: 'header', type: { type: 'fixed', name: `${name}Header`, size: headerBytes }, doc: 'Byte 0, schema id' },
      { name: 'event', type: writer },
    ],
  }
}

const placeFields = [
  { name: 'offset', type: 'long' },
  { name: 'timestampMs', type: 'long', doc: 'Of the Kafka record: milliseconds since 1970-01-01 UTC' },
  { name: 'key', type: ['null', 'bytes'] },
]

export const otherRowSchema = {
  type: 'record',
  name: 'ArchivedMessage',
  doc: 'A message that is no event under a schema that was known, as it was in Kafka, and why.',
  fields: [...placeFields, { name: 'reason', type: 'string' }, { name: 'value', type: ['null', 'bytes'] }],
}

/** Says of a framed message whether its body may stand as a record of its writer's schema. */
export function createBodyCheck(node: RecordNode): (record: LogRecord) => OtherReason | undefined {
  const walker = compileWalker(node, [])
  const isPortable = createPortableCheck(node)
  const at = new Int32Array(0)
  return ({ bytes, valueStart, valueEnd }) => {
    const start = valueStart + headerBytes
    if (walker.walk(bytes, start, valueEnd, at) !== valueEnd) {
      return 'malformed'
    }
    return isPortable(bytes, start) ? undefined : 'not_portable'
  }
}

/** The row of a message whose value is framed and whose body `createBodyCheck` let through. */
export function writeEventRow(sink: ByteSink, record: LogRecord): void {
  writePlace(sink, record)
  sink.block(record.view, record.valueStart, record.valueEnd)
}

export function writeOtherRow(sink: ByteSink, record: LogRecord, reason: OtherReason): void {
  writePlace(sink, record)
  const text = new TextEncoder().encode(reason)
  sink.sized(text, 0, text.length)
  if (record.valueStart < 0) {
    sink.long(0)
    return
  }
  sink.long(1)
  sink.long(record.valueEnd - record.valueStart)
  sink.block(record.view, record.valueStart, record.valueEnd)
}

function writePlace(sink: ByteSink, record: LogRecord): void {
  sink.long(record.offset)
  writeTime(sink, record.timestampMs)
  if (record.keyStart < 0) {
    sink.long(0)
    return
  }
  sink.long(1)
  sink.sized(record.keyBytes, record.keyStart, record.keyEnd)
}

/** `ByteSink.long` and `readVarint` are exact up to here; a producer's clock may say anything. */
const exactBelow = 2 ** 51

function writeTime(sink: ByteSink, timeMs: number): void {
  if (Math.abs(timeMs) < exactBelow) {
    sink.long(timeMs)
    return
  }
  const value = BigInt(timeMs)
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest >= 0x80n; rest >>= 7n) {
    sink.raw(Uint8Array.of(Number(rest & 0x7fn) | 0x80), 0, 1)
  }
  sink.raw(Uint8Array.of(Number(rest)), 0, 1)
}

/** The rows of one block, which `next` goes over in place. */
export interface ArchivedBlock {
  readonly rows: number
  /** Of its rows, in rising order. */
  readonly offsets: Float64Array
  /** Fills `into` with the row of this index. */
  row(index: number, into: LogRecord): void
}

/** Reads a block's rows; `event` is the node of the writer's schema, undefined for a container of other messages. */
export interface BlockReader {
  /** Throws an Error that says what in the block is not as it was written. */
  (bytes: Uint8Array, rows: number): ArchivedBlock
}

export function createBlockReader(event: RecordNode | undefined): BlockReader {
  const walker = compileWalker(event === undefined ? otherTail : eventTail(event), event === undefined ? ['value'] : [])
  const valueAt = new Int32Array(event === undefined ? 2 : 0)

  return (bytes, rows) => {
    if (rows > bytes.length) {
      throw new Error('a block says it has more rows than bytes')
    }
    const offsets = new Float64Array(rows)
    const times = new Float64Array(rows)
    /** Four a row: where key and value begin and end, -1 where there is none. */
    const spans = new Int32Array(rows * 4)
    let at = 0
    for (let row = 0; row < rows; row++) {
      // Offset, time and key are proved by the same walk as the rest; only then are they read.
      const end = walker.walk(bytes, at, bytes.length, valueAt)
      if (end < 0) {
        throw new Error(`row ${row} of a block does not fit its schema`)
      }
      offsets[row] = readVarint(bytes, at)
      if (row > 0 && offsets[row]! <= offsets[row - 1]!) {
        throw new Error(`offset ${offsets[row]} stands after offset ${offsets[row - 1]}`)
      }
      at = afterVarint(bytes, at)
      times[row] = readTime(bytes, at)
      at = afterVarint(bytes, at)
      const hasKey = bytes[at++] === 2
      const keySize = hasKey ? readVarint(bytes, at) : 0
      at = hasKey ? afterVarint(bytes, at) : at
      spans[row * 4] = hasKey ? at : -1
      spans[row * 4 + 1] = hasKey ? at + keySize : -1
      at += keySize
      spans[row * 4 + 2] = event === undefined ? valueAt[0]! : at
      spans[row * 4 + 3] = event === undefined ? valueAt[1]! : end
      at = end
    }
    if (at !== bytes.length) {
      throw new Error('a block has bytes after its rows')
    }
    const view = viewOf(bytes)
    return {
      rows,
      offsets,
      row(index, record) {
        record.bytes = record.keyBytes = bytes
        record.view = view
        record.offset = offsets[index]!
        record.timestampMs = times[index]!
        record.keyStart = spans[index * 4]!
        record.keyEnd = spans[index * 4 + 1]!
        record.valueStart = spans[index * 4 + 2]!
        record.valueEnd = spans[index * 4 + 3]!
      },
    }
  }
}

const long = { kind: 'long' } as const
const optionalBytes = { kind: 'union', branches: [{ kind: 'null' }, { kind: 'bytes' }] } as const
const placeNodes = [
  { name: 'offset', node: long },
  { name: 'timestampMs', node: long },
  { name: 'key', node: optionalBytes },
]

const otherTail: RecordNode = {
  kind: 'record',
  name: 'ArchivedMessage',
  fields: [...placeNodes, { name: 'reason', node: { kind: 'string' } }, { name: 'value', node: optionalBytes }],
}

function eventTail(event: RecordNode): RecordNode {
  const header = { kind: 'fixed', name: 'Header', size: headerBytes } as const
  return {
    kind: 'record',
    name: 'ArchivedEvent',
    fields: [...placeNodes, { name: 'header', node: header }, { name: 'event', node: event }],
  }
}

function afterVarint(bytes: Uint8Array, at: number): number {
  while (bytes[at]! >= 0x80) {
    at++
  }
  return at + 1
}

function readTime(bytes: Uint8Array, at: number): number {
  const value = readVarint(bytes, at)
  if (Math.abs(value) < exactBelow) {
    return value
  }
  let rest = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++]!
    rest |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) {
      return Number(BigInt.asIntN(64, (rest >> 1n) ^ -(rest & 1n)))
    }
  }
}

/** Avro lets a type stand inside a type: `{"type": {"type": "record", ...}}` is the same record. */
function unwrapped(schema: unknown): unknown {
  const { type } = schema as { type: unknown }
  return typeof type === 'object' ? unwrapped(type) : schema
}

/** Goes over rows of several blocks in rising order of offset, from `first` to `last`. */
export function mergeBlocks(blocks: readonly ArchivedBlock[], first: number, last: number): RecordCursor {
  const places = blocks.map(({ offsets }) => {
    const index = offsets.findIndex((offset) => offset >= first)
    return index < 0 ? offsets.length : index
  })
  const record = newRecord()
  return {
    record,
    next() {
      let from = -1
      let lowest = last + 1
      for (let index = 0; index < blocks.length; index++) {
        const offset = blocks[index]!.offsets[places[index]!]
        if (offset !== undefined && offset < lowest) {
          lowest = offset
          from = index
        }
      }
      if (from < 0) {
        return false
      }
      blocks[from]!.row(places[from]!, record)
      places[from]! += 1
      return true
    },
  }
}
