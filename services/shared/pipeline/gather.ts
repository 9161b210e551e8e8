import { createContainerWriter, type ContainerWriter } from '../domain/avro-container.ts'
import type { ByteSink } from '../domain/byte-sink.ts'
import type { DuplicateMemory } from '../domain/duplicate-memory.ts'
import type { FateSettings, RejectionReason } from '../domain/fate.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { schemasPerBatchMax } from '../domain/plan.ts'
import type { StreamDefinition } from '../domain/stream.ts'
import { readVarint } from '../domain/walker.ts'
import { headerBytes, schemaIdOf } from '../domain/wire.ts'
import type { Reader } from './reader.ts'

/**
 * Gathers messages of one partition into a batch: decides each one's fate and writes its row.
 *
 * The hot path. An event costs one walk over its bytes (0.1 us), the checks of its fields, one look-up of its id and one
 * copy of its bytes; it never becomes an object. What is gathered here is a function of the log and the settings alone.
 */
export interface Gatherer {
  readonly tally: Tally
  readonly accepted: ReadonlyMap<number, ContainerWriter>
  readonly duplicates: ContainerWriter
  readonly rejected: ContainerWriter
  /** Writer schemas used so far: id -> fingerprint. */
  readonly schemas: Readonly<Record<string, string>>
  /** Bytes of all rows so far. */
  bytes(): number
  /**
   * Adds one message. Returns -1, or a schema id that must be resolved first (`resolve`), after which the same message is
   * added again. Returns `batchFull` when the message must wait for the next batch.
   */
  add(message: LogRecord): number
  /** Says what a schema id is for this whole batch: a reader, or why its events are rejected. */
  resolve(schemaId: number, reader: Reader | { fault: string }): void
  clear(): void
}

export const batchFull = -2

/** Counts of a batch, and sums of offsets relative to `base`, so that they stay exact in a double. */
export interface Tally {
  base: number
  messages: number
  accepted: number
  duplicate: number
  rejected: number
  acceptedOffsets: number
  duplicateOffsets: number
  rejectedOffsets: number
  eventTimeLow: number
  eventTimeHigh: number
  recordTimeLow: number
  recordTimeHigh: number
  reasons: Partial<Record<RejectionReason, number>>
}

export const duplicateRowSchema = {
  type: 'record',
  name: 'DuplicateRow',
  fields: [
    { name: 'eventId', type: { type: 'fixed', name: 'EventId', size: 16 } },
    { name: 'kafkaOffset', type: 'long' },
    { name: 'recordedAt', type: 'long' },
  ],
}

export const rejectedRowSchema = {
  type: 'record',
  name: 'RejectedRow',
  fields: [
    { name: 'kafkaOffset', type: 'long' },
    { name: 'recordedAt', type: 'long' },
    { name: 'reason', type: 'string' },
    { name: 'detail', type: 'string' },
    { name: 'key', type: ['null', 'bytes'] },
    { name: 'value', type: ['null', 'bytes'] },
  ],
}

/** What 100,000 events take: growing to it by doubling would copy them twice. Room that is not used costs no memory, the system gives pages when they are written. */
const containerBytes = 16 * 1_048_576

/** ClickHouse's DateTime64(3) ends in 2299; a record's timestamp is the producer's word and may be anything. */
const recordTimeMax = 10_000_000_000_000

export function createGatherer(options: {
  stream: StreamDefinition
  fates: FateSettings
  memory: DuplicateMemory
  onRejected?: (reason: RejectionReason, detail: string) => void
}): Gatherer {
  const { stream, fates, memory, onRejected } = options
  const idSlot = stream.fields.findIndex((field) => field.path === stream.idField) * 2
  const timeSlot = stream.fields.findIndex((field) => field.path === stream.timeField) * 2
  const at = new Int32Array(stream.fields.length * 2)
  const encode = new TextEncoder()
  const duplicates = createContainerWriter(duplicateRowSchema)
  const rejected = createContainerWriter(rejectedRowSchema)
  const containers = new Map<number, ContainerWriter>()
  const readers = new Map<number, Reader | { fault: string }>()
  const accepted = new Map<number, ContainerWriter>()
  let schemas: Record<string, string> = {}
  let schemaCount = 0
  const tally = newTally()
  let lastId = -1
  let lastReader: Reader | { fault: string } | undefined

  function reject(message: LogRecord, reason: RejectionReason, detail: string): void {
    const { sink } = rejected
    sink.long(message.offset)
    sink.long(recordTime(message.timestampMs))
    writeText(sink, encode.encode(reason))
    writeText(sink, encode.encode(detail))
    writeOptional(sink, message.keyBytes, message.keyStart, message.keyEnd)
    writeOptional(sink, message.bytes, message.valueStart, message.valueEnd)
    rejected.endRow()
    tally.rejected += 1
    tally.rejectedOffsets += message.offset - tally.base
    tally.reasons[reason] = (tally.reasons[reason] ?? 0) + 1
    onRejected?.(reason, detail)
  }

  function count(message: LogRecord): void {
    const time = recordTime(message.timestampMs)
    if (tally.messages === 0) {
      tally.base = message.offset
    }
    tally.messages += 1
    tally.recordTimeLow = Math.min(tally.recordTimeLow, time)
    tally.recordTimeHigh = Math.max(tally.recordTimeHigh, time)
  }

  function accept(message: LogRecord, reader: Reader, occurredAt: number): void {
    const container = accepted.get(reader.schema.id) ?? openContainer(reader)
    const { sink } = container
    sink.block(message.view, message.valueStart + headerBytes, message.valueEnd)
    reader.judge.append(message.bytes, at, sink)
    sink.long(message.offset)
    sink.long(recordTime(message.timestampMs))
    container.endRow()
    tally.accepted += 1
    tally.acceptedOffsets += message.offset - tally.base
    if (occurredAt < tally.eventTimeLow) {
      tally.eventTimeLow = occurredAt
    }
    if (occurredAt > tally.eventTimeHigh) {
      tally.eventTimeHigh = occurredAt
    }
  }

  function openContainer(reader: Reader): ContainerWriter {
    let container = containers.get(reader.schema.id)
    if (container === undefined) {
      container = createContainerWriter(reader.containerSchema, containerBytes)
      containers.set(reader.schema.id, container)
    }
    accepted.set(reader.schema.id, container)
    return container
  }

  /** Walks and checks a framed value of reasonable size. */
  function judge(message: LogRecord, reader: Reader): void {
    const { bytes, valueStart, valueEnd } = message
    const bodyEnd = reader.walker.walk(bytes, valueStart + headerBytes, valueEnd, at)
    if (bodyEnd < 0) {
      return reject(message, 'malformed', `schema ${reader.schema.id}`)
    }
    if (bodyEnd < valueEnd) {
      return reject(message, 'trailing_bytes', `${valueEnd - bodyEnd} bytes`)
    }
    const invalid = reader.judge.invalidField(bytes, at)
    if (invalid >= 0) {
      return reject(message, 'field_invalid', stream.fields[invalid]!.path)
    }
    const occurredAt = readVarint(bytes, at[timeSlot]!)
    if (occurredAt > message.timestampMs + fates.futureToleranceMs) {
      return reject(message, 'in_future', stream.timeField)
    }
    if (occurredAt < message.timestampMs - fates.ageMaxMs) {
      return reject(message, 'too_old', stream.timeField)
    }
    const idStart = at[idSlot]!
    if (memory.seenBefore(bytes, idStart, message.offset)) {
      duplicates.sink.raw(bytes, idStart, idStart + 16)
      duplicates.sink.long(message.offset)
      duplicates.sink.long(recordTime(message.timestampMs))
      duplicates.endRow()
      tally.duplicate += 1
      tally.duplicateOffsets += message.offset - tally.base
      return
    }
    accept(message, reader, occurredAt)
  }

  return {
    tally,
    accepted,
    duplicates,
    rejected,
    get schemas() {
      return schemas
    },
    bytes() {
      let total = duplicates.bytes + rejected.bytes
      for (const container of accepted.values()) {
        total += container.bytes
      }
      return total
    },
    add(message) {
      const { bytes, valueStart, valueEnd } = message
      if (valueEnd - valueStart > fates.eventBytesMax) {
        count(message)
        reject(message, 'too_large', `${valueEnd - valueStart} bytes`)
        return -1
      }
      const schemaId = schemaIdOf(bytes, valueStart, valueEnd)
      if (schemaId < 0) {
        count(message)
        reject(message, 'not_framed', valueStart < 0 ? 'no value' : `${valueEnd - valueStart} bytes`)
        return -1
      }
      if (schemaId !== lastId) {
        const reader = readers.get(schemaId)
        if (reader === undefined) {
          return schemaId
        }
        if (!('fault' in reader) && schemas[schemaId] === undefined) {
          if (schemaCount >= schemasPerBatchMax) {
            return batchFull
          }
          schemas[schemaId] = reader.schema.fingerprint
          schemaCount += 1
        }
        lastId = schemaId
        lastReader = reader
      }
      count(message)
      if ('fault' in lastReader!) {
        reject(message, 'unknown_schema', lastReader.fault)
      } else {
        judge(message, lastReader!)
      }
      return -1
    },
    resolve(schemaId, reader) {
      readers.set(schemaId, reader)
    },
    clear() {
      // The answers about schema ids hold for one batch: an id unknown now may be registered by the next.
      readers.clear()
      accepted.clear()
      schemas = {}
      schemaCount = 0
      lastId = -1
      lastReader = undefined
      for (const container of [...containers.values(), duplicates, rejected]) {
        container.clear()
      }
      Object.assign(tally, newTally())
    },
  }
}

function newTally(): Tally {
  return {
    base: 0,
    messages: 0,
    accepted: 0,
    duplicate: 0,
    rejected: 0,
    acceptedOffsets: 0,
    duplicateOffsets: 0,
    rejectedOffsets: 0,
    eventTimeLow: Infinity,
    eventTimeHigh: -Infinity,
    recordTimeLow: Infinity,
    recordTimeHigh: -Infinity,
    reasons: {},
  }
}

function recordTime(timestampMs: number): number {
  return timestampMs >= 0 && timestampMs <= recordTimeMax ? timestampMs : 0
}

function writeText(sink: ByteSink, bytes: Uint8Array): void {
  sink.sized(bytes, 0, bytes.length)
}

function writeOptional(sink: ByteSink, bytes: Uint8Array, start: number, end: number): void {
  if (start < 0) {
    sink.long(0)
    return
  }
  sink.long(1)
  sink.sized(bytes, start, end)
}
