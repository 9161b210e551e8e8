/** The Kafka engine as a contender: ClickHouse reads the topic by itself, from its view's creation to the last row. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import type { Measurement } from './contender.ts'
import { feedView, feedViewSql, kafkaTable, kafkaTableSql, type EngineSource } from './engine-sql.ts'

/** Counting the rows of a table costs ClickHouse about 1 ms: 1 % of a core. */
const lookPauseMs = 100
/** Many times the flush interval. */
const stallDeadlineMs = 60_000

/**
 * The clock runs from creating the view, which starts the consumers, until the last row is stored: joining the group is in
 * it, and the wait of up to `kafka_flush_interval_ms` for a block that stays open at the end.
 */
export async function drainByEngine(
  clickHouse: ClickHouse,
  options: { source: EngineSource; rowsDue: number; messages: number },
): Promise<Measurement> {
  const { source, rowsDue, messages } = options
  const { database } = source
  await clickHouse.command(kafkaTableSql(source))
  const startedMs = performance.now()
  await clickHouse.command(feedViewSql(source))
  const wallSeconds = ((await untilStored(clickHouse, { database, rowsDue })) - startedMs) / 1_000
  const none = { wallSeconds, cpuSeconds: 0 }
  return { messages, whole: none, drain: none, memoryPeakMb: 0 }
}

/**
 * Ends the consumers, which would go on polling through the next run. Not part of the measurement: who uses the engine never
 * drops it, and librdkafka may spin for seconds of CPU while it ends.
 */
export async function stopEngine(clickHouse: ClickHouse, database: string): Promise<void> {
  await clickHouse.command(`DROP TABLE ${database}.${feedView} SYNC`)
  await clickHouse.command(`DROP TABLE ${database}.${kafkaTable} SYNC`)
}

/** Resolves with the time at which all rows were there. */
async function untilStored(clickHouse: ClickHouse, due: { database: string; rowsDue: number }): Promise<number> {
  let stored = 0
  let grewAtMs = performance.now()
  while (stored < due.rowsDue) {
    const [row] = await clickHouse.rows<{ stored: number }>(
      `SELECT count() AS stored FROM ${due.database}.intent_events`,
    )
    if (row!.stored > stored) {
      stored = row!.stored
      grewAtMs = performance.now()
    } else if (performance.now() - grewAtMs > stallDeadlineMs) {
      throw new Error(`the Kafka engine stopped at ${stored} of ${due.rowsDue} rows; clickhouse.log may say why`)
    }
    if (stored < due.rowsDue) {
      await sleep(lookPauseMs)
    }
  }
  return grewAtMs
}
