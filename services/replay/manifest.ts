import { z } from 'zod'

import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { definitionSchema, type Definition } from './definition.ts'
import { digestOfAll, digestTables, withinRanges, type DigestSource } from './digest.ts'
import { offsetsIn } from './ranges.ts'

const count = z.int().min(0)

const countsSchema = z.strictObject({
  offsets: count,
  accepted: count,
  duplicate: count,
  /** By reason. */
  rejected: z.record(z.string(), count),
  noMessage: count,
})

/** What a range of the log became in one database: comparable with the same range in any other. */
export const findingsSchema = z.strictObject({
  counts: countsSchema,
  digest: z.string(),
  tables: z.array(z.strictObject({ table: z.string(), rows: count, digest: z.string() })),
})

/** What somebody else needs to check a replay. */
export const manifestSchema = z.strictObject({
  ...definitionSchema.shape,
  /** Writer schemas that its events were read with: id -> fingerprint. */
  schemas: z.record(z.string(), z.string()),
  finishedAt: z.string(),
  ...findingsSchema.shape,
})

export type Findings = z.infer<typeof findingsSchema>
export type Manifest = z.infer<typeof manifestSchema>

/** Reads what a database holds of a range. */
export async function findIn(source: DigestSource, range: Pick<Definition, 'topicId' | 'ranges'>): Promise<Findings> {
  const tables = await digestTables(source, range)
  const rowsOf = (table: string) => tables.find((found) => found.table === table)?.rows ?? 0
  const rejected = await rejectedByReason(source.clickHouse, source.database, range)
  const accepted = rowsOf(source.stream.table)
  const duplicate = rowsOf('duplicate_events')
  const offsets = offsetsIn(range.ranges)
  const noMessage = offsets - accepted - duplicate - rowsOf('rejected_events')
  return { counts: { offsets, accepted, duplicate, rejected, noMessage }, digest: digestOfAll(tables), tables }
}

async function rejectedByReason(
  clickHouse: ClickHouse,
  database: string,
  range: Pick<Definition, 'topicId' | 'ranges'>,
): Promise<Record<string, number>> {
  const within = withinRanges(range)
  const rows = await clickHouse.rows<{ reason: string; rows: number }>(
    `SELECT toString(reason) AS reason, count() AS rows FROM ${database}.rejected_events WHERE ${within.sql} GROUP BY reason ORDER BY reason`,
    within.params,
  )
  return Object.fromEntries(rows.map((row) => [row.reason, row.rows]))
}

/** Tables in which two findings differ, with both numbers of rows. */
export function differingTables(
  expected: Findings,
  found: Findings,
): { table: string; expectedRows: number; foundRows: number }[] {
  return expected.tables.flatMap(({ table, rows, digest }) => {
    const other = found.tables.find((one) => one.table === table)
    return other?.rows === rows && other.digest === digest
      ? []
      : [{ table, expectedRows: rows, foundRows: other?.rows ?? 0 }]
  })
}
