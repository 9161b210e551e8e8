import { messageOf } from '../domain/faults.ts'
import { connectKafkaAdmin } from './kafka-admin.ts'
import { defaultPartitioner, kafkaFault, type Kafka } from './kafka.ts'

export interface OutgoingMessage {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Milliseconds since 1970-01-01 UTC: the time of sending. */
  readonly timestampMs: number
}

export interface LogProducer {
  /** Resolves when every in-sync replica has acknowledged all messages. */
  send(messages: readonly OutgoingMessage[]): Promise<void>
  disconnect(): Promise<void>
}

/** Errors after which kafkajs' idempotent producer keeps a broken sequence and must be made anew. */
const brokenSequence = [
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_PRODUCER_ID',
]

/**
 * An idempotent producer, acks from all in-sync replicas. The key decides the partition (murmur2, as the Java client), so
 * a household stays in one partition.
 *
 * Delivery: kafkajs retries within its own sequence, so a retried batch is stored once. When the sequence itself breaks
 * the producer is made anew and the batch sent again; it may then be stored twice, which the classifier's duplicate rule catches.
 */
export async function createLogProducer(options: { kafka: Kafka; topic: string }): Promise<LogProducer> {
  await assertTopic(options)
  const open = async () => {
    const producer = options.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: defaultPartitioner,
      retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 2_000 },
    })
    await producer.connect().catch((thrown: unknown) => {
      throw kafkaFault('connecting the producer', thrown)
    })
    return producer
  }
  let producer = await open()

  async function send(messages: readonly OutgoingMessage[], triesLeft = 2): Promise<void> {
    try {
      await producer.send({
        topic: options.topic,
        acks: -1,
        messages: messages.map(({ key, value, timestampMs }) => ({ key, value, timestamp: String(timestampMs) })),
      })
    } catch (thrown) {
      if (triesLeft > 0 && brokenSequence.some((name) => errorTypes(thrown).includes(name))) {
        await producer.disconnect()
        producer = await open()
        return send(messages, triesLeft - 1)
      }
      throw kafkaFault(`sending ${messages.length} messages to ${options.topic}`, thrown)
    }
  }

  return { send: (messages) => send(messages), disconnect: () => producer.disconnect() }
}

/** Said at once: kafkajs would ask for the topic again for half a minute. */
async function assertTopic({ kafka, topic }: { kafka: Kafka; topic: string }): Promise<void> {
  const admin = await connectKafkaAdmin(kafka)
  try {
    await admin.watermarks(topic)
  } finally {
    await admin.close()
  }
}

function errorTypes(thrown: unknown): string {
  const type = thrown instanceof Error && 'type' in thrown ? String(thrown.type) : ''
  const cause = thrown instanceof Error && thrown.cause !== undefined ? errorTypes(thrown.cause) : ''
  return `${type} ${cause} ${messageOf(thrown)}`
}
