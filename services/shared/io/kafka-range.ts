import { randomUUID } from 'node:crypto'

import { messageOf, PipelineError } from '../domain/faults.ts'
import { toOffset } from './kafka-consumer.ts'
import { kafkaFault, type Kafka, type KafkaMessage } from './kafka.ts'

/** How long the reading of a range may stand still before it is given up. */
const silenceMaxMs = 30_000

/**
 * Reads one range of one partition again, outside every consumer group that counts: a group of its own is made for the
 * reading, commits nothing and is deleted after it. Calls `onMessages` with what the range holds, in order.
 */
export async function readLogRange(
  kafka: Kafka,
  range: { topic: string; partition: number; first: number; last: number },
  onMessages: (messages: readonly KafkaMessage[]) => void,
): Promise<void> {
  const groupId = `intent-ledger-reread-${randomUUID()}`
  const where = `${range.topic}/${range.partition} ${range.first}-${range.last}`
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, allowAutoTopicCreation: false })
  const done = Promise.withResolvers<void>()
  let timer = setTimeout(() => undefined, 0)
  const stillAlive = () => {
    clearTimeout(timer)
    timer = setTimeout(
      () =>
        done.reject(
          new PipelineError(`reading ${where} again: Kafka sent nothing for ${silenceMaxMs} ms`, {
            code: 'kafka_unreachable',
            retryable: true,
          }),
        ),
      silenceMaxMs,
    )
  }
  let next = range.first
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error))
  consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
    if (
      payload.partition === range.partition &&
      payload.batchSize === 0 &&
      (payload.lastOffset as string | null) !== null &&
      toOffset(payload.lastOffset) >= range.last
    ) {
      done.resolve()
    }
  })
  try {
    stillAlive()
    await consumer.connect()
    await consumer.subscribe({ topics: [range.topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        if (batch.partition !== range.partition) {
          consumer.pause([{ topic: range.topic, partitions: [batch.partition] }])
          return Promise.resolve()
        }
        stillAlive()
        const wanted = batch.messages.filter(({ offset }) => Number(offset) >= next && Number(offset) <= range.last)
        onMessages(wanted)
        next = Math.max(next, toOffset(batch.lastOffset()) + 1)
        if (next > range.last) {
          done.resolve()
        }
        return Promise.resolve()
      },
    })
    consumer.seek({ topic: range.topic, partition: range.partition, offset: String(range.first) })
    await done.promise
  } catch (thrown) {
    throw thrown instanceof PipelineError ? thrown : kafkaFault(`reading ${where} again: ${messageOf(thrown)}`, thrown)
  } finally {
    clearTimeout(timer)
    await consumer.disconnect()
    const admin = kafka.admin()
    await admin.connect()
    await admin.deleteGroups([groupId]).catch(() => undefined)
    await admin.disconnect()
  }
}
