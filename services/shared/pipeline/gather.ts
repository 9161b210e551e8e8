import type { DuplicateMemory } from '../domain/duplicate-memory.ts'
import type { FateSettings, RejectionReason } from '../domain/fate.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { schemasPerBatchMax } from '../domain/plan.ts'
import type { Judge, StreamDefinition } from '../domain/stream.ts'
import { headerBytes, schemaIdOf } from '../domain/wire.ts'
import { createDuplicateRows, createRejectedRows } from './fate-rows.ts'
import type { Reader } from './reader.ts'
import { createStreamRows, type RowBlock } from './rows.ts'

/**
 * Gathers messages of one partition into a batch: decides each one's fate and writes its row.
 *
 * The hot path. An event costs one walk over its bytes (0.1 us), one look-up of each of its texts, one of its id, and a few
 * bytes a column; it never becomes an object. What is gathered here is a function of the log and the settings alone.
 */
export interface Gatherer {
  readonly tally: Tally
  readonly accepted: RowBlock
  readonly duplicates: RowBlock
  readonly rejected: RowBlock
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
  const timeField = stream.fields.findIndex((field) => field.path === stream.timeField)
  const at = new Int32Array(stream.fields.length * 2)
  const accepted = createStreamRows(stream)
  const duplicates = createDuplicateRows()
  const rejected = createRejectedRows()
  const readers = new Map<number, OpenReader | { fault: string }>()
  /** A judge keeps what it found out about texts for the batches to come. */
  const judges = new WeakMap<Reader, Judge>()
  let schemas: Record<string, string> = {}
  let schemaCount = 0
  const tally = newTally()
  let lastId = -1
  let lastReader: OpenReader | { fault: string } | undefined

  function reject(message: LogRecord, reason: RejectionReason, detail: string): void {
    rejected.append(message, { reason, detail }, recordTime(message.timestampMs))
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

  function accept(message: LogRecord, judge: Judge, occurredAt: number): void {
    accepted.append(message, at, judge, recordTime(message.timestampMs))
    tally.accepted += 1
    tally.acceptedOffsets += message.offset - tally.base
    if (occurredAt < tally.eventTimeLow) {
      tally.eventTimeLow = occurredAt
    }
    if (occurredAt > tally.eventTimeHigh) {
      tally.eventTimeHigh = occurredAt
    }
  }

  function judgeOf(reader: Reader): Judge {
    let judge = judges.get(reader)
    if (judge === undefined) {
      judge = reader.openJudge(accepted.judged)
      judges.set(reader, judge)
    }
    return judge
  }

  /** Walks and checks a framed value of reasonable size. */
  function decide(message: LogRecord, { reader, judge }: OpenReader): void {
    const { bytes, valueStart, valueEnd } = message
    const bodyEnd = reader.walker.walk(bytes, valueStart + headerBytes, valueEnd, at)
    if (bodyEnd < 0) {
      return reject(message, 'malformed', `schema ${reader.schema.id}`)
    }
    if (bodyEnd < valueEnd) {
      return reject(message, 'trailing_bytes', `${valueEnd - bodyEnd} bytes`)
    }
    let invalid = accepted.check(message, at)
    if (invalid < 0) {
      invalid = judge.invalidField(message, at)
    }
    if (invalid >= 0) {
      return reject(message, 'field_invalid', stream.fields[invalid]!.path)
    }
    const occurredAt = accepted.number(timeField)
    if (occurredAt > message.timestampMs + fates.futureToleranceMs) {
      return reject(message, 'in_future', stream.timeField)
    }
    if (occurredAt < message.timestampMs - fates.ageMaxMs) {
      return reject(message, 'too_old', stream.timeField)
    }
    const idStart = at[idSlot]!
    if (memory.seenBefore(bytes, idStart, message.offset)) {
      duplicates.append(message, idStart, recordTime(message.timestampMs))
      tally.duplicate += 1
      tally.duplicateOffsets += message.offset - tally.base
      return
    }
    accept(message, judge, occurredAt)
  }

  return {
    tally,
    accepted,
    duplicates,
    rejected,
    get schemas() {
      return schemas
    },
    bytes: () => accepted.bytes + duplicates.bytes + rejected.bytes,
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
          schemas[schemaId] = reader.reader.schema.fingerprint
          schemaCount += 1
        }
        lastId = schemaId
        lastReader = reader
      }
      count(message)
      if ('fault' in lastReader!) {
        reject(message, 'unknown_schema', lastReader.fault)
      } else {
        decide(message, lastReader!)
      }
      return -1
    },
    resolve(schemaId, reader) {
      readers.set(schemaId, 'fault' in reader ? reader : { reader, judge: judgeOf(reader) })
    },
    clear() {
      // The answers about schema ids hold for one batch: an id unknown now may be registered by the next.
      readers.clear()
      schemas = {}
      schemaCount = 0
      lastId = -1
      lastReader = undefined
      for (const rows of [accepted, duplicates, rejected]) {
        rows.clear()
      }
      Object.assign(tally, newTally())
    },
  }
}

interface OpenReader {
  readonly reader: Reader
  readonly judge: Judge
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
