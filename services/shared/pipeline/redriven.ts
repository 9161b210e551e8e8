import { streams } from '../domain/streams.ts'

/** Tables of fates, and what a copy with a row there is. Redriven are messages of any stream. */
const fateTables = [
  ...streams.map(({ table }) => ({ table, fate: 'accepted' })),
  { table: 'duplicate_events', fate: 'duplicate' },
  { table: 'rejected_events', fate: 'rejected' },
]

/**
 * What `redrive` sent, as SQL with a row a copy: topic, topic_id, partition and kafka_offset of the rejected message, to_topic_id
 * and to_offset of the copy, and its `fates`: none while it waits, and never more than one.
 *
 * A copy may be noted twice, by the run that sent it and by the next. The tables are asked by the places themselves, by which they
 * are sorted: of 100 million events only the granules that hold a copy are read.
 */
export function redrivenCopies(database: string): string {
  const fates = fateTables.map(
    ({ table, fate }) =>
      `SELECT topic_id AS to_topic_id, partition, kafka_offset AS to_offset, '${fate}' AS fate FROM ${database}.${table}
       WHERE (topic_id, partition, kafka_offset) IN (SELECT to_topic_id, partition, to_offset FROM ${database}.redriven_events
         WHERE state = 'sent')`,
  )
  return `SELECT topic, topic_id, partition, kafka_offset, to_topic_id, to_offset, fates FROM (
      SELECT DISTINCT toString(topic) AS topic, topic_id, partition, kafka_offset, to_topic_id, to_offset
      FROM ${database}.redriven_events WHERE state = 'sent') AS copies
    LEFT JOIN (
      SELECT to_topic_id, partition, to_offset, groupArray(fate) AS fates FROM (${fates.join(' UNION ALL ')})
      GROUP BY to_topic_id, partition, to_offset
    ) AS found USING (to_topic_id, partition, to_offset)`
}

/** What can become of a rejected message that was redriven; `unknown` is one that nobody knows of whether it was. */
export const redriveFates = ['accepted', 'duplicate', 'rejected', 'waiting', 'unknown'] as const
export type RedriveFate = (typeof redriveFates)[number]

/** SQL with a row a rejected message: topic_id, partition and kafka_offset, what `became` of it, and `to_offset`. */
export function becameOfRejected(database: string): string {
  return `SELECT topic_id, partition, kafka_offset, argMin(became, rank) AS became, argMin(to_offset, rank) AS to_offset FROM (
      SELECT topic_id, partition, kafka_offset, if(empty(fates), 'waiting', fates[1]) AS became, to_offset, 0 AS rank
      FROM (${redrivenCopies(database)})
      UNION ALL
      SELECT topic_id, partition, kafka_offset, 'unknown', 0, 1 FROM ${database}.redriven_events WHERE state = 'unknown')
    GROUP BY topic_id, partition, kafka_offset`
}
