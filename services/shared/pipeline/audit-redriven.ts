import type { AuditDeps, Difference } from './audit.ts'
import { listedMax } from './audit-ledger.ts'
import { redrivenCopies, type RedriveFate } from './redriven.ts'

/** Rejected messages that were sent again, and what became of their copies: `rejected` again, or `waiting` for a classifier. */
export type AuditedRedrives = Readonly<Record<'sent' | RedriveFate, number>>

interface Odd {
  partition: number
  offset: number
  to_offset: number
  copies: number
  is_rejected: number
  is_covered: number
  fates: string[]
}

/**
 * Counts what `redrive` sent. Each copy must be of a message that stands among the rejected ones, be the only one of it, and have
 * one fate once the ledger has reached it.
 */
export async function findRedriveFaults(
  deps: AuditDeps,
): Promise<{ redriven: AuditedRedrives; differences: Difference[] }> {
  const { clickHouse, database, topic } = deps
  const source = redrivenCopies(database)
  const [counts] = await clickHouse.rows<Record<'sent' | Exclude<RedriveFate, 'unknown'>, number>>(
    `SELECT count() AS sent, countIf(has(fates, 'accepted')) AS accepted, countIf(has(fates, 'duplicate')) AS duplicate,
       countIf(has(fates, 'rejected')) AS rejected, countIf(empty(fates)) AS waiting
     FROM (${source}) WHERE topic = {topic:String}`,
    { topic },
  )
  const [lost] = await clickHouse.rows<{ unknown: number }>(
    `SELECT uniqExact(topic_id, partition, kafka_offset) AS unknown FROM ${database}.redriven_events
     WHERE topic = {topic:String} AND state = 'unknown' AND (topic_id, partition, kafka_offset) NOT IN (
       SELECT topic_id, partition, kafka_offset FROM ${database}.redriven_events WHERE state = 'sent')`,
    { topic },
  )
  const redriven = { ...counts!, unknown: lost!.unknown }
  return { redriven, differences: redriven.sent === 0 ? [] : await findOdd(deps, source) }
}

async function findOdd({ clickHouse, database, topic }: AuditDeps, source: string): Promise<Difference[]> {
  const odd = await clickHouse.rows<Odd>(
    `SELECT partition, kafka_offset AS offset, to_offset, copies, is_rejected, is_covered, fates FROM (
       SELECT topic, partition, kafka_offset, to_offset, fates,
         count() OVER (PARTITION BY topic_id, partition, kafka_offset) AS copies,
         (topic_id, partition, kafka_offset) IN (
           SELECT topic_id, partition, kafka_offset FROM ${database}.rejected_events WHERE (topic_id, partition, kafka_offset) IN (
             SELECT topic_id, partition, kafka_offset FROM ${database}.redriven_events WHERE state = 'sent')) AS is_rejected,
         to_offset < end AS is_covered
       FROM (${source}) AS copies
       LEFT JOIN (SELECT topic_id AS to_topic_id, partition, max(last_offset) + 1 AS end FROM ${database}.ingest_batches
         GROUP BY topic_id, partition) AS ledger USING (to_topic_id, partition))
     WHERE topic = {topic:String}
       AND (copies > 1 OR NOT is_rejected OR length(fates) > 1 OR (empty(fates) AND is_covered))
     ORDER BY partition, offset, to_offset LIMIT {limit:UInt32}`,
    { topic, limit: listedMax },
  )
  return odd.flatMap((one) => differencesOf(topic, one))
}

function differencesOf(topic: string, odd: Odd): Difference[] {
  const { partition, offset, to_offset, copies, is_rejected, is_covered, fates } = odd
  const origin = `${topic}/${partition}:${offset}`
  const copy = `${topic}/${partition}:${to_offset}`
  const found: Difference[] = []
  if (copies > 1) {
    found.push({
      ...{ kind: 'redriven_twice', where: `${origin} at ${copy}` },
      ...{ expected: 'one copy of a rejected message', found: `${copies}` },
    })
  }
  if (is_rejected === 0) {
    found.push({
      ...{ kind: 'redriven_not_rejected', where: `${origin} at ${copy}` },
      ...{ expected: 'a rejected message that the copy is of', found: 'none' },
    })
  }
  if (fates.length > 1 || (fates.length === 0 && is_covered === 1)) {
    found.push({
      ...{ kind: 'redriven_fate', where: copy },
      ...{ expected: 'one fate', found: fates.length === 0 ? 'none' : fates.join(' and ') },
    })
  }
  return found
}
