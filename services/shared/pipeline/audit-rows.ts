import type { AuditDeps, AuditedLog, AuditedPartition, Difference } from './audit.ts'
import { listedMax } from './audit-ledger.ts'

interface TableOfRows {
  readonly table: string
  /** The ledger's column of counts, and which of the partition's offset sums belongs to it. */
  readonly fate: 'accepted' | 'duplicate' | 'rejected'
  readonly sum: 0 | 1 | 2
}

export function rowTables(deps: Pick<AuditDeps, 'stream'>): TableOfRows[] {
  return [
    { table: deps.stream.table, fate: 'accepted', sum: 0 },
    { table: 'duplicate_events', fate: 'duplicate', sum: 1 },
    { table: 'rejected_events', fate: 'rejected', sum: 2 },
  ]
}

interface Found {
  partition: number
  rows: number
  offset_sum: string
  beyond: number
  beyond_last: number
}

/**
 * Counts the rows of every partition up to the ledger's end, and sums their offsets: a loss and a doubling can't cancel in
 * both. On a difference it goes down to the ranges. Rows after the ledger's end that no plan explains have lost their ledger row.
 */
export async function findRowFaults(
  deps: AuditDeps,
  partitions: readonly AuditedPartition[],
  { log, ledgerFaults }: { log: AuditedLog; ledgerFaults: readonly Difference[] },
): Promise<Difference[]> {
  const differences: Difference[] = []
  const topicIds = [...new Set(partitions.map(({ topicId }) => topicId))]
  for (const topicId of topicIds) {
    const ours = partitions.filter((partition) => partition.topicId === topicId)
    const params = {
      topic_id: topicId,
      partitions: ours.map(({ partition }) => partition),
      ends: ours.map(({ end }) => end),
    }
    const beyond = new Map<number, { rows: number; last: number; tables: string[] }>()
    for (const { table, fate, sum } of rowTables(deps)) {
      const found = await deps.clickHouse.rows<Found>(
        `SELECT partition, countIf(in_ledger) AS rows, toString(sumIf(kafka_offset, in_ledger)) AS offset_sum,
           countIf(NOT in_ledger) AS beyond, maxIf(kafka_offset, NOT in_ledger) AS beyond_last
         FROM (SELECT partition, kafka_offset,
             kafka_offset < transform(partition, {partitions:Array(UInt32)}, {ends:Array(UInt64)}, toUInt64(0)) AS in_ledger
           FROM ${deps.database}.${table} WHERE topic_id = {topic_id:UUID})
         GROUP BY partition`,
        params,
      )
      for (const partition of ours) {
        const held = found.find((row) => row.partition === partition.partition) ?? noRows
        // A ledger with a gap or an overlap can add up to the rows as a whole and still be wrong in its ranges.
        const broken = isBroken(partition, ledgerFaults)
        if (broken || held.rows !== partition[fate] || held.offset_sum !== partition.offsetSums[sum]) {
          differences.push(...(await findRanges(deps, partition, { table, fate, broken })))
        }
        if (held.beyond > 0) {
          const known = beyond.get(partition.partition) ?? { rows: 0, last: 0, tables: [] }
          beyond.set(partition.partition, {
            rows: known.rows + held.beyond,
            last: Math.max(known.last, held.beyond_last),
            tables: [...known.tables, table],
          })
        }
      }
    }
    for (const partition of ours) {
      const surplus = beyond.get(partition.partition)
      const planned = topicId === log.topicId ? log.plannedLast.get(partition.partition) : undefined
      if (surplus !== undefined && surplus.last > (planned ?? -1)) {
        differences.push(beyondLedger(deps, partition, surplus))
      }
    }
  }
  differences.push(...(await findStrangers(deps, topicIds)))
  return differences
}

const noRows = { rows: 0, offset_sum: '0', beyond: 0, beyond_last: 0 }

function isBroken({ topicId, partition }: AuditedPartition, ledgerFaults: readonly Difference[]): boolean {
  return ledgerFaults.some(({ range }) => range?.topicId === topicId && range.partition === partition)
}

function beyondLedger(
  deps: AuditDeps,
  { topicId, partition, end }: AuditedPartition,
  { rows, last, tables }: { rows: number; last: number; tables: readonly string[] },
): Difference {
  return {
    kind: 'rows_beyond_ledger',
    where: `${deps.topic}/${partition} ${end}-${last}`,
    expected: `no rows after the ledger's end ${end} that no plan explains`,
    found: `${rows} rows in ${tables.join(', ')}`,
    range: { topicId, partition, first: end, last },
  }
}

/** The ledger's ranges whose rows do not add up, and rows that stand twice. */
async function findRanges(
  deps: AuditDeps,
  partition: AuditedPartition,
  { table, fate, broken }: { table: string; fate: string; broken: boolean },
): Promise<Difference[]> {
  const { topicId, partition: number } = partition
  const rows = await deps.clickHouse.rows<{
    first: number
    last: number
    expected: number
    rows: number
    expected_sum: string
    offset_sum: string
  }>(
    `SELECT first_offset AS first, any(last_offset) AS last, any(${fate}) AS expected, toString(any(${fate}_offset_sum)) AS expected_sum,
       countIf(has_row) AS rows, toString(sumIf(kafka_offset, has_row)) AS offset_sum
     FROM (
       SELECT b.first_offset AS first_offset, b.last_offset AS last_offset, b.${fate} AS ${fate},
         b.${fate}_offset_sum AS ${fate}_offset_sum, r.kafka_offset AS kafka_offset, true AS has_row
       FROM (SELECT partition, kafka_offset FROM ${deps.database}.${table} WHERE topic_id = {topic_id:UUID} AND partition = {partition:UInt32}) AS r
       ASOF INNER JOIN (SELECT first_offset, last_offset, ${fate}, ${fate}_offset_sum, partition FROM ${deps.database}.ingest_batches
           WHERE topic_id = {topic_id:UUID} AND partition = {partition:UInt32}) AS b
         ON r.partition = b.partition AND r.kafka_offset >= b.first_offset
       WHERE r.kafka_offset <= b.last_offset
       UNION ALL
       SELECT first_offset, last_offset, ${fate}, ${fate}_offset_sum, toUInt64(0), false
       FROM ${deps.database}.ingest_batches WHERE topic_id = {topic_id:UUID} AND partition = {partition:UInt32}
     )
     GROUP BY first_offset HAVING rows != expected OR offset_sum != expected_sum ORDER BY first LIMIT {limit:UInt32}`,
    { topic_id: topicId, partition: number, limit: listedMax },
  )
  const faults = rows.map((row): Difference => ({
    kind: 'rows_differ',
    where: `${table} ${deps.topic}/${number} ${row.first}-${row.last}`,
    expected: `${row.expected} ${fate} rows, offset sum ${row.expected_sum}`,
    found: `${row.rows} rows, offset sum ${row.offset_sum}`,
    range: { topicId, partition: number, first: row.first, last: row.last },
  }))
  // Ranges that agree while the sums don't, in a ledger that is not broken: nothing we know of, and it must still be said.
  return faults.length > 0 || broken
    ? faults
    : [
        {
          kind: 'rows_differ',
          where: `${table} ${deps.topic}/${number}`,
          expected: `only rows inside the ledger's ranges`,
          found: 'rows in a gap or an overlap of the ledger',
        },
      ]
}

/** Rows of a topic that the ledger has never heard of. */
async function findStrangers(deps: AuditDeps, topicIds: readonly string[]): Promise<Difference[]> {
  const differences: Difference[] = []
  for (const { table } of rowTables(deps)) {
    const strangers = await deps.clickHouse.rows<{ topic_id: string; rows: number }>(
      `SELECT topic_id, count() AS rows FROM ${deps.database}.${table}
       WHERE NOT has({topic_ids:Array(UUID)}, topic_id)
         AND topic_id NOT IN (SELECT topic_id FROM ${deps.database}.ingest_batches) GROUP BY topic_id`,
      { topic_ids: [...topicIds] },
    )
    for (const { topic_id, rows } of strangers) {
      differences.push({
        kind: 'rows_outside_ledger',
        where: `${table} topic id ${topic_id}`,
        expected: 'no rows, the ledger does not know this topic',
        found: `${rows} rows`,
      })
    }
  }
  return differences
}
