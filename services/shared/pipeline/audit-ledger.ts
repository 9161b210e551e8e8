import type { Watermarks } from '../io/kafka-admin.ts'
import type { AuditDeps, AuditedLog, AuditedPartition, Difference } from './audit.ts'

/** Differences of one kind that are listed at most; more only say how many. */
export const listedMax = 50

/** Sums the ledger per partition, and checks that its ranges follow each other from their first offset without gap or overlap. */
export async function findLedgerFaults(
  deps: AuditDeps,
  log: AuditedLog,
): Promise<{ partitions: AuditedPartition[]; differences: Difference[] }> {
  const partitions = await sumLedger(deps, log)
  for (const mark of log.watermarks) {
    const known = partitions.some(({ topicId, partition }) => topicId === log.topicId && partition === mark.partition)
    if (!known) {
      partitions.push(unreadPartition(deps.topic, log.topicId, mark))
    }
  }
  return { partitions, differences: [...(await findBreaks(deps, log)), ...partitions.flatMap(againstLog)] }
}

interface LedgerSums {
  topic: string
  topic_id: string
  partition: number
  batches: number
  first: number
  end: number
  accepted: number
  duplicate: number
  rejected: number
  erased: number
  no_message: number
  expired: number
  accepted_sum: string
  duplicate_sum: string
  rejected_sum: string
}

async function sumLedger(deps: AuditDeps, log: AuditedLog): Promise<AuditedPartition[]> {
  const rows = await deps.clickHouse.rows<LedgerSums>(
    `SELECT topic, topic_id, partition, count() AS batches, min(first_offset) AS first, max(last_offset) + 1 AS end,
       sum(b.accepted) AS accepted, sum(b.duplicate) AS duplicate, sum(b.rejected) AS rejected, sum(b.erased) AS erased,
       sum(b.no_message) AS no_message, sum(b.expired) AS expired, toString(sum(accepted_offset_sum)) AS accepted_sum,
       toString(sum(duplicate_offset_sum)) AS duplicate_sum, toString(sum(rejected_offset_sum)) AS rejected_sum
     FROM ${deps.database}.ingest_batches AS b
     WHERE topic = {topic:String} GROUP BY topic, topic_id, partition ORDER BY topic_id, partition`,
    { topic: deps.topic },
  )
  return rows.map((row) => {
    const mark =
      row.topic_id === log.topicId ? log.watermarks.find(({ partition }) => partition === row.partition) : undefined
    return {
      topic: row.topic,
      topicId: row.topic_id,
      partition: row.partition,
      batches: row.batches,
      first: row.first,
      end: row.end,
      low: mark?.low,
      high: mark?.high,
      unread: mark === undefined ? 0 : Math.max(0, mark.high - Math.max(row.end, mark.low)),
      accepted: row.accepted,
      duplicate: row.duplicate,
      rejected: row.rejected,
      erased: row.erased,
      noMessage: row.no_message,
      expired: row.expired,
      offsetSums: [row.accepted_sum, row.duplicate_sum, row.rejected_sum],
    }
  })
}

function unreadPartition(topic: string, topicId: string, { partition, low, high }: Watermarks): AuditedPartition {
  const none = {
    batches: 0,
    first: 0,
    end: 0,
    accepted: 0,
    duplicate: 0,
    rejected: 0,
    erased: 0,
    noMessage: 0,
    expired: 0,
  }
  return { topic, topicId, partition, ...none, low, high, unread: high - low, offsetSums: ['0', '0', '0'] }
}

async function findBreaks(deps: AuditDeps, { firsts = new Map() }: AuditedLog): Promise<Difference[]> {
  const breaks = await deps.clickHouse.rows<{
    topic_id: string
    partition: number
    expected: number
    first: number
    last: number
  }>(
    `SELECT topic_id, partition, toUInt64(expected_first) AS expected, first_offset AS first, last_offset AS last FROM (
       SELECT topic_id, partition, first_offset, last_offset,
         greatest(transform(partition, {partitions:Array(UInt32)}, {firsts:Array(UInt64)}, toUInt64(0)),
           max(last_offset + 1) OVER (PARTITION BY topic_id, partition ORDER BY first_offset, last_offset
             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS expected_first
       FROM ${deps.database}.ingest_batches WHERE topic = {topic:String})
     WHERE first_offset != expected_first ORDER BY topic_id, partition, first_offset LIMIT {limit:UInt32}`,
    { topic: deps.topic, limit: listedMax, partitions: [...firsts.keys()], firsts: [...firsts.values()] },
  )
  return breaks.map((found) => {
    const gap = found.first > found.expected
    const range = { topicId: found.topic_id, partition: found.partition }
    return {
      kind: gap ? 'ledger_gap' : 'ledger_overlap',
      where: `${deps.topic}/${found.partition} ${gap ? `${found.expected}-${found.first - 1}` : `${found.first}-${Math.min(found.last, found.expected - 1)}`}`,
      expected: `a range that starts at ${found.expected}`,
      found: `${found.first}-${found.last}`,
      range: gap
        ? { ...range, first: found.expected, last: found.first - 1 }
        : { ...range, first: found.first, last: found.last },
    }
  })
}

function againstLog(partition: AuditedPartition): Difference[] {
  const { topic, end, low, high } = partition
  const where = `${topic}/${partition.partition}`
  if (high !== undefined && end > high) {
    return [
      {
        kind: 'ledger_beyond_log',
        where,
        expected: `at most ${high}, the end of the log`,
        found: `the ledger ends at ${end}`,
      },
    ]
  }
  if (low !== undefined && low > end) {
    return [
      {
        kind: 'expired_unrecorded',
        where: `${where} ${end}-${low - 1}`,
        expected: 'recorded as expired by the next classifier that runs',
        found: `${low - end} offsets deleted by retention before they were read`,
      },
    ]
  }
  return []
}
