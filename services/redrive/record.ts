import { randomUUID } from 'node:crypto'

import type { Origin } from '../shared/domain/origin.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { insertSettings } from '../shared/pipeline/insert.ts'

export type RedriveState = 'planned' | 'sent' | 'not_sent' | 'unknown'

/** What becomes of one message in one attempt. */
export interface RedriveRow {
  readonly state: RedriveState
  readonly attempt: string
  readonly origin: Origin
  readonly toTopicId: string
  /** Where the copy stands, when it is sent; else an offset that it can't stand below. */
  readonly toOffset: number
}

/** What runs did, as the next one finds it. */
export interface RedriveRecord {
  /** Messages that were planned and of which nothing was noted after. */
  unsettled(topic: string): Promise<RedriveRow[]>
  /** All of the rows or none of them. One try: what its outcome was, the next run finds. */
  add(topic: string, rows: readonly RedriveRow[]): Promise<void>
}

export function createRedriveRecord(deps: { clickHouse: ClickHouse; database: string }): RedriveRecord {
  return {
    async unsettled(topic) {
      const rows = await deps.clickHouse.rows<Omit<RedriveRow, 'state' | 'origin'> & Origin>(
        `SELECT toString(attempt) AS attempt, toString(topic_id) AS topicId, partition, kafka_offset AS offset,
           toString(to_topic_id) AS toTopicId, to_offset AS toOffset
         FROM ${deps.database}.redriven_events
         WHERE topic = {topic:String} AND state = 'planned'
           AND (attempt, topic_id, partition, kafka_offset) NOT IN (
             SELECT attempt, topic_id, partition, kafka_offset FROM ${deps.database}.redriven_events WHERE state != 'planned')
           AND (topic_id, partition, kafka_offset) NOT IN (
             SELECT topic_id, partition, kafka_offset FROM ${deps.database}.redriven_events WHERE state IN ('sent', 'unknown'))`,
        { topic },
      )
      return rows.map(({ topicId, partition, offset, ...rest }) => ({
        ...{ ...rest, state: 'planned', origin: { topicId, partition, offset } },
      }))
    },
    async add(topic, rows) {
      if (rows.length === 0) {
        return
      }
      const lines = rows.map(({ state, attempt, origin, toTopicId, toOffset }) =>
        JSON.stringify({ state, attempt, topic, ...origin, toTopicId, toOffset }),
      )
      await deps.clickHouse.insert(
        `INSERT INTO ${deps.database}.redriven_events
           (state, attempt, topic, topic_id, partition, kafka_offset, to_topic_id, to_offset)
         SELECT state, attempt, topic, topicId, partition, offset, toTopicId, toOffset
         FROM input('state String, attempt UUID, topic String, topicId UUID, partition UInt32, offset UInt64,
           toTopicId UUID, toOffset UInt64')
         FORMAT JSONEachRow`,
        [Buffer.from(lines.join('\n'))],
        // A token of its own: one that ClickHouse has seen would drop rows behind a success answer.
        { params: {}, settings: insertSettings(`redrive ${randomUUID()}`) },
      )
    },
  }
}
