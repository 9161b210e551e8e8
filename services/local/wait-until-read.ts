import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { createProgress } from '../shared/io/progress.ts'

/** Waits until the ledger reaches the end that every partition of the topics has now. */
export async function waitUntilRead(
  topics: readonly string[],
  deps: {
    admin: KafkaAdmin
    clickHouse: ClickHouse
    database: string
    stderr: NodeJS.WritableStream
    signal: AbortSignal
  },
): Promise<void> {
  const { admin, clickHouse, database, stderr, signal } = deps
  const ids = await Promise.all(topics.map((topic) => admin.topicId(topic)))
  const marks = await Promise.all(topics.map((topic) => admin.watermarks(topic)))
  const end = marks.flat().reduce((sum, { high }) => sum + high, 0)
  const progress = createProgress({
    stderr,
    label: 'classified',
    total: end,
    format: (offsets) => `${offsets} offsets`,
  })
  try {
    while (!signal.aborted) {
      const rows = await clickHouse.rows<{ read: number }>(
        `SELECT max(last_offset) + 1 AS read FROM ${database}.ingest_batches
         WHERE topic_id IN {topic_ids:Array(UUID)} GROUP BY topic_id, partition`,
        { topic_ids: ids },
      )
      const read = rows.reduce((sum, row) => sum + row.read, 0)
      progress.update(read, `${read} offsets`)
      if (read >= end) {
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  } finally {
    progress.stop()
  }
}
