import type { StreamColumn } from './stream.ts'

/** Columns of a stream's table as its description lists them: the column, and the field that it holds. */
export const text = (column: string, from = column): StreamColumn => ({ column, from, type: 'LowCardinality(String)' })
export const micros = (column: string, from: string): StreamColumn => ({ column, from, type: 'Int64' })
/** Days since 1970-01-01 UTC. */
export const day = (column: string, from: string): StreamColumn => ({ column, from, type: 'Date' })
/** Eight bytes as a number. */
export const pseudonym = (column: 'device' | 'household'): StreamColumn => ({ column, from: column, type: 'UInt64' })
/** A text that hardly ever comes again. */
export const id = (column: string, from: string): StreamColumn => ({ column, from, type: 'String' })
/** What every stream has: which event it is, and when it happened. */
export const eventColumns: readonly StreamColumn[] = [
  { column: 'event_id', from: 'eventId', type: 'FixedString(16)' },
  { column: 'occurred_at', from: 'occurredAt', type: "DateTime64(3, 'UTC')" },
]
