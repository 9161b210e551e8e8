import type { StreamColumn } from './stream.ts'

/**
 * Columns of a stream's table as its description lists them: the column, the Avro field that it is made of, and how.
 * String, not LowCardinality, in the structure: ClickHouse reads it twice as fast and casts whole columns.
 */
export const text = (column: string, from = column): StreamColumn => ({ column, from, type: 'String' })
export const micros = (column: string, from: string): StreamColumn => ({ column, from, type: 'Int64' })
/** Days since 1970-01-01 UTC. */
export const day = (column: string, from: string): StreamColumn => ({
  column,
  from,
  type: 'Int32',
  sql: `toDate(${from})`,
})
/** Eight bytes as a number. */
export const pseudonym = (column: 'device' | 'household'): StreamColumn => ({
  column,
  from: column,
  type: 'FixedString(8)',
  sql: `reinterpretAsUInt64(${column})`,
})
/** What every stream has: which event it is, and when it happened. */
export const eventColumns: readonly StreamColumn[] = [
  { column: 'event_id', from: 'eventId', type: 'FixedString(16)' },
  { column: 'occurred_at', from: 'occurredAt', type: 'Int64', sql: "fromUnixTimestamp64Milli(occurredAt, 'UTC')" },
]
