/**
 * Compares what ClickHouse holds with the manifest. Shares nothing with `audit`: it knows neither the ledger nor the fates'
 * code, only what the producer was acknowledged.
 */
import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import type { Watermarks } from '../../services/shared/io/kafka-admin.ts'
import { fates, noTallies, type Manifest, type PartitionTallies, type TalliedFate } from './manifest.ts'

const tableOf: Record<TalliedFate, string> = {
  accepted: 'intent_events',
  duplicate: 'duplicate_events',
  rejected: 'rejected_events',
}
const hashed: Record<TalliedFate, string> = {
  accepted: 'event_id',
  duplicate: 'event_id',
  rejected: "if(isNull(value), 'n', concat('v', assumeNotNull(value)))",
}
const differencesShown = 10

/** One sentence for each difference: what, where, how much. None when all is exact. */
export async function judge(options: {
  clickHouse: ClickHouse
  database: string
  manifest: Manifest
}): Promise<string[]> {
  return [
    ...(await judgeRows(options)),
    ...(await judgeIdentities(options)),
    ...(await judgeOffsets(options)),
    ...(await judgeRollups(options)),
  ]
}

/** What the log holds must be what was acknowledged, or the load itself is wrong and nothing is proved of the pipeline. */
export function judgeLoad(manifest: Manifest, watermarks: readonly Watermarks[]): string[] {
  return watermarks
    .filter(({ partition, low, high }) => low !== 0 || BigInt(high) !== manifest.messages(partition))
    .map(
      ({ partition, low, high }) =>
        `the log of partition ${partition} holds offsets ${low} to ${high - 1}, the producer was acknowledged ${manifest.messages(partition)} messages`,
    )
}

async function judgeRows({ clickHouse, database, manifest }: Parameters<typeof judge>[0]): Promise<string[]> {
  const found = new Map<number, PartitionTallies>()
  for (const fate of fates) {
    const rows = await clickHouse.rows<{ partition: number; rows: string; hash: string }>(
      `SELECT partition, toString(count()) AS rows,
         toString(sum(reinterpretAsUInt64(reverse(substring(SHA256(${hashed[fate]}), 1, 8))))) AS hash
       FROM ${database}.${tableOf[fate]} GROUP BY partition`,
    )
    for (const { partition, rows: count, hash } of rows) {
      const tallies = found.get(partition) ?? noTallies()
      found.set(partition, { ...tallies, [fate]: { count: BigInt(count), hash: BigInt(hash) } })
    }
  }
  const partitions = new Set([...manifest.partitions.keys(), ...found.keys()])
  return [...partitions].flatMap((partition) =>
    fates.flatMap((fate) => {
      const due = (manifest.partitions[partition] ?? noTallies())[fate]
      const has = (found.get(partition) ?? noTallies())[fate]
      const where = `${tableOf[fate]} of partition ${partition}`
      if (has.count !== due.count) {
        return [`${where} holds ${has.count} rows, ${due.count} were due (${has.count - due.count})`]
      }
      return has.hash === due.hash ? [] : [`${where} holds ${has.count} rows as due, but not the same ones`]
    }),
  )
}

/** Each event is accepted once, and a copy is a copy of an accepted one. */
async function judgeIdentities({ clickHouse, database }: Parameters<typeof judge>[0]): Promise<string[]> {
  const twice = await clickHouse.rows<{ id: string; rows: number; places: string }>(
    `SELECT hex(event_id) AS id, count() AS rows,
       arrayStringConcat(arraySort(groupArray(10)(concat(toString(partition), '/', toString(kafka_offset)))), ', ') AS places
     FROM ${database}.intent_events GROUP BY event_id HAVING rows > 1 LIMIT ${differencesShown}`,
  )
  const orphans = await clickHouse.rows<{ place: string }>(
    `SELECT concat(toString(partition), '/', toString(kafka_offset)) AS place FROM ${database}.duplicate_events
     WHERE event_id NOT IN (SELECT event_id FROM ${database}.intent_events) LIMIT ${differencesShown}`,
  )
  return [
    ...twice.map(({ id, rows, places }) => `event ${id} is accepted ${rows} times, at ${places}`),
    ...orphans.map(({ place }) => `the duplicate at ${place} is a copy of no accepted event`),
  ]
}

/** The offsets of the three tables together are 0, 1, 2, … of each partition: a load without transactions leaves no gap. */
async function judgeOffsets({ clickHouse, database }: Parameters<typeof judge>[0]): Promise<string[]> {
  const all = fates
    .map((fate) => `SELECT partition, kafka_offset FROM ${database}.${tableOf[fate]}`)
    .join(' UNION ALL ')
  const steps = await clickHouse.rows<{ partition: number; before: number; at: number }>(
    `SELECT partition, before, at FROM (
       SELECT partition, toInt64(kafka_offset) AS at,
         lagInFrame(at, 1, toInt64(-1)) OVER (PARTITION BY partition ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
       FROM (${all})
     ) WHERE at != before + 1 ORDER BY partition, at LIMIT ${differencesShown}`,
  )
  return steps.map(({ partition, before, at }) =>
    at === before
      ? `offset ${at} of partition ${partition} has two rows`
      : `offsets ${before + 1} to ${at - 1} of partition ${partition} have no row`,
  )
}

async function judgeRollups({ clickHouse, database, manifest }: Parameters<typeof judge>[0]): Promise<string[]> {
  const accepted = manifest.count('accepted')
  // The producer knows no classes: which events are requests is read from the rows, which have been compared by then.
  const [row] = await clickHouse.rows<{ requests: string }>(
    `SELECT toString(countIf(value_class != 'not_a_request')) AS requests FROM ${database}.intent_events`,
  )
  const requests = BigInt(row!.requests)
  const due: readonly (readonly [table: string, column: string, due: bigint])[] = [
    ['usage_by_cohort_daily', 'requests', accepted],
    ['usage_by_cohort_daily', 'purchases', manifest.purchases],
    ['usage_by_product_daily', 'requests', accepted],
    ['households_by_cohort_daily', 'requests', requests],
    ['usage_by_intent_daily', 'requests', accepted],
    ['purchases_daily', 'purchases', manifest.purchases],
    ['purchases_daily', 'amount_micros', manifest.amountMicros],
  ]
  const differences: string[] = []
  for (const [table, column, expected] of due) {
    const [row] = await clickHouse.rows<{ total: string }>(
      `SELECT toString(sum(${column})) AS total FROM ${database}.${table}`,
    )
    if (BigInt(row!.total) !== expected) {
      differences.push(`${table} sums up ${row!.total} ${column}, ${expected} were due`)
    }
  }
  return differences
}
