import type { Kafka } from 'kafkajs'

import { uniqueName } from './stack.ts'
import { waitFor } from './wait-for.ts'

export interface LoggedMessage {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** What a topic holds, as a plain consumer is given it: committed messages of each partition in the order of their offsets. */
export interface TopicLog {
  readonly topic: string
  readonly topicId: string
  readonly partitions: readonly LoggedMessage[][]
}

/** Reads a topic from its beginning to the end it has now, by kafkajs alone and in a group of its own. */
export async function readTopicLog(kafka: Kafka, topic: string, topicId: string): Promise<TopicLog> {
  const admin = kafka.admin()
  await admin.connect()
  const marks = await admin.fetchTopicOffsets(topic)
  const group = uniqueName('truth')
  const partitions: LoggedMessage[][] = marks.map(() => [])
  const reached = new Map(marks.map(({ partition, low }) => [partition, Number(low)]))
  const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 50, readUncommitted: false })
  // Also said of fetches that hold only transaction markers and aborted records, which `eachBatch` never sees.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    reached.set(payload.partition, Number(payload.lastOffset) + 1)
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        for (const { offset, timestamp, key, value } of batch.messages) {
          partitions[batch.partition]!.push({ offset: Number(offset), timestampMs: Number(timestamp), key, value })
        }
        return Promise.resolve()
      },
    })
    await waitFor(`the end of ${topic}`, () =>
      marks.every(({ partition, high }) => reached.get(partition)! >= Number(high)),
    )
  } finally {
    await consumer.disconnect()
    await admin.deleteGroups([group]).catch(() => undefined)
    await admin.disconnect()
  }
  return { topic, topicId, partitions }
}
