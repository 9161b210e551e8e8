import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { KafkaAdmin, Watermarks } from '../shared/io/kafka-admin.ts'

/**
 * Up to when everything that was recorded in the log is stored: the least over the partitions of
 * - now, where the ledger has reached the end that the log had a moment ago;
 * - the latest record time that the ledger holds, where it has not: a partition's records come in the order of time.
 *
 * Asked of Kafka before the ledger, so that a message that comes in between is not taken for stored. Milliseconds since 1970;
 * 0 where a partition that has messages holds nothing yet.
 */
export function createWatermark(deps: {
  admin: Pick<KafkaAdmin, 'watermarks' | 'topicId'>
  clickHouse: ClickHouse
  database: string
  topic: string
}): (nowMs: number) => Promise<number> {
  const { admin, clickHouse, database, topic } = deps
  return async (nowMs) => {
    const [topicId, ends] = await Promise.all([admin.topicId(topic), admin.watermarks(topic)])
    const rows = await clickHouse.rows<StoredPartition>(
      `SELECT partition, max(last_offset) + 1 AS next, toUnixTimestamp64Milli(max(record_time_high)) AS recorded
       FROM ${database}.ingest_batches WHERE topic_id = {topicId:UUID} GROUP BY partition`,
      { topicId },
    )
    return watermarkOf(ends, rows, nowMs)
  }
}

/** What the ledger holds of a partition: one past its last offset, and the latest time of its records. */
export interface StoredPartition {
  readonly partition: number
  readonly next: number
  readonly recorded: number | null
}

/** The decision alone: `ends` as the log was a moment before the ledger was asked. */
export function watermarkOf(ends: readonly Watermarks[], stored: readonly StoredPartition[], nowMs: number): number {
  const known = new Map(stored.map((row) => [row.partition, row]))
  return Math.min(
    nowMs,
    ...ends.map(({ partition, low, high }) => {
      const own = known.get(partition)
      return (own?.next ?? low) >= high ? nowMs : (own?.recorded ?? 0)
    }),
  )
}
