import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { ShareDimension } from '../shared/io/flag-kinds.ts'
import type { Definition } from './definition.ts'
import type { CellRows } from './diff.ts'
import { withinRanges } from './digest.ts'

interface Row {
  readonly cell: string[]
  readonly requests: number
  readonly strict: number
  readonly broad: number
}

/**
 * Sums of a range of the log, from the accepted rows themselves: a roll-up knows no offsets. The definition of shares is that of
 * the view `usage_share`.
 */
export async function readCells(
  source: { clickHouse: ClickHouse; database: string },
  range: Pick<Definition, 'topicId' | 'ranges'>,
  by: readonly ShareDimension[],
): Promise<CellRows[]> {
  const within = withinRanges(range)
  const cell = `[${by.map((dimension) => columnOf[dimension]).join(', ')}]::Array(String) AS cell`
  const sums = `count() AS requests, countIf(value_class = 'direct') AS strict,
    countIf(value_class IN ('direct', 'assisted', 'entitlement')) AS broad`
  const rows = `FROM ${source.database}.intent_events WHERE ${within.sql} AND value_class != 'not_a_request'`
  const ask = <T>(sql: string) => source.clickHouse.rows<T>(sql, within.params)
  const households = await ask<{ cell: string[]; households: number }>(
    `SELECT ${cell}, uniqExact(household) AS households ${rows} GROUP BY cell`,
  )
  const buckets = await ask<Row & { bucket: number }>(
    `SELECT ${cell}, toUInt8(cityHash64(household) % 64) AS bucket, ${sums} ${rows} GROUP BY cell, bucket`,
  )
  const intents = await ask<Row & { intent: string }>(
    `SELECT ${cell}, toString(intent) AS intent, ${sums} ${rows} GROUP BY cell, intent`,
  )
  const [bucketsOf, intentsOf] = [
    Map.groupBy(buckets, (row) => JSON.stringify(row.cell)),
    Map.groupBy(intents, (row) => JSON.stringify(row.cell)),
  ]
  return households.map(({ cell: key, households: count }) => {
    const name = JSON.stringify(key)
    return { key, households: count, buckets: bucketsOf.get(name) ?? [], intents: intentsOf.get(name) ?? [] }
  })
}

/** All accepted events of a range, false wakes included. */
export async function countAccepted(
  { clickHouse, database }: { clickHouse: ClickHouse; database: string },
  range: Pick<Definition, 'topicId' | 'ranges'>,
): Promise<number> {
  const within = withinRanges(range)
  const [row] = await clickHouse.rows<{ rows: number }>(
    `SELECT count() AS rows FROM ${database}.intent_events WHERE ${within.sql}`,
    within.params,
  )
  return row!.rows
}

const columnOf: Record<ShareDimension, string> = {
  product: 'toString(product)',
  cohort_month: "formatDateTime(activated_on, '%Y-%m')",
  country: 'toString(country)',
  plans: 'toString(plans)',
  day: 'toString(toDate(occurred_at))',
}
