import { createHash } from 'node:crypto'

import type { StreamDefinition } from '../shared/domain/stream.ts'
import type { ClickHouse, QueryParams } from '../shared/io/clickhouse.ts'
import { rollupsOf, type Rollup } from '../shared/pipeline/rollups.ts'
import type { PartitionRange } from './ranges.ts'

/** What a set of rows is, whatever their order: how many, and sum and exclusive or of a 128-bit hash of each. */
export interface TableDigest {
  /** A table of rows, or a roll-up made anew from the accepted rows. */
  readonly table: string
  readonly rows: number
  /** 64 hex digits: the sum modulo 2^128, then the exclusive or. */
  readonly digest: string
}

export interface DigestSource {
  readonly clickHouse: ClickHouse
  readonly database: string
  readonly stream: StreamDefinition
}

/**
 * The digest of everything that a range of the log made, table by table. Hashed are the columns that are a function of the
 * log: no time of insertion, nothing that the cut of batches decides; the ledger is not hashed for that reason. Roll-ups are made
 * anew from the accepted rows of the range, because those of the live database know no offsets; households count as their final
 * number, for a state's bytes depend on how it was merged.
 */
export async function digestTables(
  source: DigestSource,
  range: { topicId: string; ranges: readonly PartitionRange[] },
): Promise<TableDigest[]> {
  const within = withinRanges(range)
  const digests: TableDigest[] = []
  for (const { table, columns } of hashedTables(source.stream)) {
    digests.push(
      await digestOf(
        source,
        { table, columns, from: `${source.database}.${table} WHERE ${within.sql}` },
        within.params,
      ),
    )
  }
  for (const rollup of rollupsOf(source.stream)) {
    const from = `(${rollupFromRows(source, rollup, within.sql)})`
    digests.push(await digestOf(source, { table: rollup.table, columns: rollupColumns(rollup), from }, within.params))
  }
  return digests
}

/** The digests of a replay's own roll-up tables, which hold nothing but its range. */
export async function digestRollups(source: DigestSource): Promise<TableDigest[]> {
  const digests: TableDigest[] = []
  for (const rollup of rollupsOf(source.stream)) {
    const measures = Object.keys(rollup.measures).map((name) => `sum(r.${name}) AS ${name}`)
    const keys = rollup.keys.join(', ')
    const from = `(SELECT ${[keys, ...measures, ...householdsOf(rollup, 'uniqCombined64Merge(r.households)')].join(', ')}
      FROM ${source.database}.${rollup.table} AS r GROUP BY ${keys})`
    digests.push(await digestOf(source, { table: rollup.table, columns: rollupColumns(rollup), from }, {}))
  }
  return digests
}

/** One text for all tables: SHA-256 over their digests, in hex. */
export function digestOfAll(tables: readonly TableDigest[]): string {
  const lines = tables.map(({ table, rows, digest }) => `${table} ${rows} ${digest}\n`)
  return createHash('sha256').update(lines.join('')).digest('hex')
}

/** The rows of the ranges, as a condition that the key of every table of rows serves. */
export function withinRanges({ topicId, ranges }: { topicId: string; ranges: readonly PartitionRange[] }): {
  sql: string
  params: QueryParams
} {
  const used = ranges.filter(({ first, end }) => first < end)
  const parts = used.map(
    (_, at) =>
      `partition = {partition_${at}:UInt32} AND kafka_offset >= {first_${at}:UInt64} AND kafka_offset < {end_${at}:UInt64}`,
  )
  const params = used.flatMap(({ partition, first, end }, at) => [
    [`partition_${at}`, partition],
    [`first_${at}`, first],
    [`end_${at}`, end],
  ])
  return {
    sql: `topic_id = {topic_id:UUID} AND (${parts.map((part) => `(${part})`).join(' OR ')})`,
    params: { topic_id: topicId, ...(Object.fromEntries(params) as QueryParams) },
  }
}

function hashedTables(stream: StreamDefinition): { table: string; columns: string[] }[] {
  const place = ['topic_id', 'partition', 'kafka_offset', 'recorded_at']
  // A function of several values is NULL when one of them is.
  const nullable = (column: string) => [`isNull(${column})`, `ifNull(${column}, '')`]
  return [
    {
      table: stream.table,
      columns: [
        ...stream.columns.map(({ column }) => column),
        ...(stream.isClassed ? ['taxonomy_version'] : []),
        ...place,
      ],
    },
    { table: 'duplicate_events', columns: ['event_id', ...place] },
    {
      table: 'rejected_events',
      columns: ['topic', 'reason', 'detail', ...nullable('key'), ...nullable('value'), ...place],
    },
  ]
}

const householdsOf = ({ hasHouseholds }: Rollup, sql: string) => (hasHouseholds ? [`${sql} AS households`] : [])

/** As texts: a sum in a table and a count of rows are of different widths, and hash differently. */
function rollupColumns(rollup: Rollup): string[] {
  const columns = [...rollup.keys, ...Object.keys(rollup.measures), ...(rollup.hasHouseholds ? ['households'] : [])]
  return columns.map((column) => `toString(${column})`)
}

function rollupFromRows({ database, stream }: DigestSource, rollup: Rollup, within: string): string {
  const keys = rollup.keys.map((key) => `${rollup.keySql[key] ?? key} AS ${key}`)
  const measures = Object.entries(rollup.measures).map(([name, added]) => `sum(${added}) AS ${name}`)
  const where = rollup.where === undefined ? within : `${within} AND ${rollup.where}`
  return `SELECT ${[...keys, ...measures, ...householdsOf(rollup, 'uniqCombined64(household)')].join(', ')}
    FROM ${database}.${stream.table} WHERE ${where} GROUP BY ${rollup.keys.join(', ')}`
}

/** A key of a roll-up may be called like a column of raw; it must not shadow it in the condition. */
const settings = { prefer_column_name_to_alias: 1, max_bytes_before_external_group_by: '1000000000' } as const

async function digestOf(
  { clickHouse }: DigestSource,
  { table, columns, from }: { table: string; columns: readonly string[]; from: string },
  params: QueryParams,
): Promise<TableDigest> {
  const [row] = await clickHouse.rows<{ rows: number; digest: string }>(
    `SELECT count() AS rows, concat(leftPad(lower(hex(sum(hash))), 32, '0'), leftPad(lower(hex(groupBitXor(hash))), 32, '0')) AS digest
     FROM (SELECT reinterpretAsUInt128(sipHash128(${columns.join(', ')})) AS hash FROM ${from})`,
    params,
    settings,
  )
  return { table, rows: row!.rows, digest: row!.digest }
}
