import { batchToken } from '../domain/plan.ts'
import type { StreamDefinition } from '../domain/stream.ts'
import type { ClickHouseSettings, QueryParams } from '../io/clickhouse.ts'
import { duplicateColumns, rejectedColumns } from './fate-rows.ts'
import type { Gatherer } from './gather.ts'
import { placeColumns, type RowBlock } from './rows.ts'

/** A gathered range that may be planned: what `settle` stores. */
export interface SealedBatch {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly first: number
  readonly last: number
  readonly taxonomyVersion: number
  /** Planned by an earlier owner: what of it is stored already is unknown. */
  readonly recovered: boolean
  readonly gathered: Gatherer
}

/** One INSERT of a batch: what goes into one table under one token. */
export interface TableInsert {
  readonly table: string
  readonly token: string
  readonly rows: number
  /** `columns` and `select` make the statement, see `insertSql`. */
  readonly columns: readonly string[]
  readonly select: readonly string[]
  /** Columns with their types, as it stands between quotes. */
  readonly structure: string
  readonly format: 'Native' | 'JSONEachRow'
  readonly params: QueryParams
  readonly body: readonly Uint8Array[]
}

/** More than any batch holds, so that one insert is one block on every try (exactly-once rule 9). */
export const blockRowsMax = 1_000_000

/**
 * Settings under which an insert repeated with its token stores nothing twice, in the table and in every roll-up that its
 * views feed. `deduplicate_insert_select` is forced because without it an unsorted INSERT ... SELECT silently loses its token.
 */
export function insertSettings(token: string): ClickHouseSettings {
  return {
    insert_deduplicate: 1,
    insert_deduplication_token: token,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    deduplicate_insert_select: 'force_enable',
    async_insert: 0,
    wait_end_of_query: 1,
    max_insert_threads: '1',
    // One block is read, aggregated and written: more threads only hand it to each other.
    max_threads: 1,
    max_insert_block_size: String(blockRowsMax),
    min_insert_block_size_rows: String(blockRowsMax),
    min_insert_block_size_bytes: '0',
    input_format_parallel_parsing: 0,
    // A producer's clock is not ours: a batch may span any number of months and must still go in.
    max_partitions_per_insert_block: '0',
  }
}

/**
 * The statement of an insert. The lease stands in it, checked by the server's clock when the statement arrives: a process
 * that slept past the deduplication window is refused instead of storing its range a second time (exactly-once hole 2).
 */
export function insertSql(insert: TableInsert, options: { database: string; table?: string; where?: string }): string {
  return [
    `INSERT INTO ${options.database}.${options.table ?? insert.table} (${insert.columns.join(', ')})`,
    `SELECT ${insert.select.join(', ')} FROM input('${insert.structure}')`,
    `WHERE throwIf(toUnixTimestamp64Milli(now64(3)) > {lease_ends_ms:Int64}, 'the lease of this batch has ended') = 0`,
    ...(options.where === undefined ? [] : [`AND ${options.where}`]),
    `FORMAT ${insert.format}`,
  ].join(' ')
}

/** The inserts of a batch in their order: accepted, duplicates, rejected, the ledger last. */
export function batchInserts(stream: StreamDefinition, batch: SealedBatch): TableInsert[] {
  const token = batchToken(batch)
  const place = { topic_id: batch.topicId, partition: batch.partition }
  const { accepted, duplicates, rejected } = batch.gathered
  const classed = stream.isClassed ? { taxonomy_version: batch.taxonomyVersion } : {}
  return [
    ...blockInsert(accepted, token, {
      table: stream.table,
      columns: [...stream.columns, ...placeColumns],
      params: { ...place, ...classed },
    }),
    ...blockInsert(duplicates, token, { table: 'duplicate_events', columns: duplicateColumns, params: place }),
    ...blockInsert(rejected, token, {
      table: 'rejected_events',
      columns: rejectedColumns,
      params: { ...place, topic: batch.topic },
    }),
    ledgerInsert(ledgerRow(stream, batch)),
  ]
}

/** Types of the columns that are the same in all rows of a batch, so that they travel as parameters. */
const paramTypes: Readonly<Record<string, string>> = {
  topic: 'String',
  topic_id: 'UUID',
  partition: 'UInt32',
  taxonomy_version: 'UInt16',
}

/** The insert of a block's rows, under the names and types that its columns have; none of a block without rows. */
function blockInsert(
  block: RowBlock,
  token: string,
  {
    table,
    columns,
    params,
  }: {
    table: string
    columns: readonly { readonly column: string; readonly type: string }[]
    params: QueryParams
  },
): TableInsert[] {
  if (block.rows === 0) {
    return []
  }
  const names = columns.map(({ column }) => column)
  const given = Object.keys(params)
  return [
    {
      table,
      token,
      rows: block.rows,
      columns: [...names, ...given],
      select: [...names, ...given.map((param) => `{${param}:${paramTypes[param]!}}`)],
      structure: columns.map(({ column, type }) => `${column} ${type.replaceAll("'", "\\'")}`).join(', '),
      format: 'Native',
      params,
      body: block.parts(),
    },
  ]
}

/** A row of `ingest_batches`; 64-bit sums as text, times in milliseconds or null. */
export interface LedgerRow {
  readonly stream: string
  readonly topic: string
  readonly topic_id: string
  readonly partition: number
  readonly first_offset: number
  readonly last_offset: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: number
  readonly no_message: number
  readonly expired: number
  readonly accepted_offset_sum: string
  readonly duplicate_offset_sum: string
  readonly rejected_offset_sum: string
  readonly event_low: number | null
  readonly event_high: number | null
  readonly record_low: number | null
  readonly record_high: number | null
  readonly taxonomy_version: number
  readonly token: string
}

function ledgerRow(stream: StreamDefinition, batch: SealedBatch): LedgerRow {
  const { tally } = batch.gathered
  const sum = (count: number, relative: number) =>
    BigInt.asUintN(64, BigInt(count) * BigInt(tally.base) + BigInt(relative)).toString()
  const time = (value: number) => (Number.isFinite(value) ? value : null)
  return {
    stream: stream.name,
    topic: batch.topic,
    topic_id: batch.topicId,
    partition: batch.partition,
    first_offset: batch.first,
    last_offset: batch.last,
    accepted: tally.accepted,
    duplicate: tally.duplicate,
    rejected: tally.rejected,
    no_message: batch.last - batch.first + 1 - tally.messages,
    expired: 0,
    accepted_offset_sum: sum(tally.accepted, tally.acceptedOffsets),
    duplicate_offset_sum: sum(tally.duplicate, tally.duplicateOffsets),
    rejected_offset_sum: sum(tally.rejected, tally.rejectedOffsets),
    event_low: time(tally.eventTimeLow),
    event_high: time(tally.eventTimeHigh),
    record_low: time(tally.recordTimeLow),
    record_high: time(tally.recordTimeHigh),
    taxonomy_version: batch.taxonomyVersion,
    token: batchToken(batch),
  }
}

/** The ledger row of offsets without an event: retention deleted them before anyone read them, or no message stands there. */
export function emptyRow(
  range: { stream: string; topic: string; topicId: string; partition: number; first: number; last: number },
  why: 'expired' | 'no_message',
): LedgerRow {
  const offsets = range.last - range.first + 1
  return {
    stream: range.stream,
    topic: range.topic,
    topic_id: range.topicId,
    partition: range.partition,
    first_offset: range.first,
    last_offset: range.last,
    accepted: 0,
    duplicate: 0,
    rejected: 0,
    no_message: why === 'no_message' ? offsets : 0,
    expired: why === 'expired' ? offsets : 0,
    accepted_offset_sum: '0',
    duplicate_offset_sum: '0',
    rejected_offset_sum: '0',
    event_low: null,
    event_high: null,
    record_low: null,
    record_high: null,
    taxonomy_version: 0,
    token: batchToken(range),
  }
}

export function ledgerInsert(row: LedgerRow): TableInsert {
  const { event_low, event_high, record_low, record_high, ...plain } = row
  const plainColumns = Object.keys(plain)
  const times = {
    event_time_low: event_low,
    event_time_high: event_high,
    record_time_low: record_low,
    record_time_high: record_high,
  }
  return {
    table: 'ingest_batches',
    columns: [...plainColumns, ...Object.keys(times)],
    select: [...plainColumns, ...Object.keys(times).map((column) => `fromUnixTimestamp64Milli(${column}, 'UTC')`)],
    structure: [
      ...plainColumns.map((column) => `${column} ${ledgerTypes[column] ?? 'UInt64'}`),
      ...Object.keys(times).map((column) => `${column} Nullable(Int64)`),
    ].join(', '),
    format: 'JSONEachRow',
    token: row.token,
    rows: 1,
    params: {},
    body: [new TextEncoder().encode(JSON.stringify({ ...plain, ...times }))],
  }
}

const ledgerTypes: Record<string, string> = {
  stream: 'String',
  topic: 'String',
  topic_id: 'UUID',
  partition: 'UInt32',
  taxonomy_version: 'UInt16',
  token: 'String',
}
