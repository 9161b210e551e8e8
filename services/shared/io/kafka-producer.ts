import { messageOf } from '../domain/faults.ts'
import { connectKafkaAdmin } from './kafka-admin.ts'
import { oneBatch } from './kafka-record-encoder.ts'
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
  const { topic } = options
  const partitionOf = createPartitionOf(topic, await countPartitions(options))
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

  /**
   * One partition a call. kafkajs 2.2.4 keeps the answers of a call by broker: when a partition moves while the call is
   * repeated, its messages are dropped behind a success answer if the new leader has answered before, and sent a second
   * time under a new sequence if the old one had.
   */
  async function sendTo(partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    const answers = await producer.send({
      topic,
      acks: -1,
      messages: oneBatch(
        partition,
        messages.map(({ key, value, timestampMs }) => ({ partition, key, value, timestamp: String(timestampMs) })),
      ),
    })
    if (answers.length === 0) {
      throw new Error(`the client knows no partition ${partition}, so nothing was sent`)
    }
  }

  async function send(messages: readonly OutgoingMessage[], triesLeft = 2): Promise<void> {
    const parts = [...Map.groupBy(messages, partitionOf)]
    // All are waited for: the producer is made anew only when nothing of it is under way.
    const outcomes = await Promise.allSettled(parts.map(([partition, own]) => sendTo(partition, own)))
    const faults = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    if (faults.length === 0) {
      return
    }
    const left = parts.flatMap(([, own], index) => (outcomes[index]!.status === 'rejected' ? own : []))
    const isBroken = (fault: unknown) => brokenSequence.some((name) => errorTypes(fault).includes(name))
    if (triesLeft > 0 && faults.every(isBroken)) {
      await producer.disconnect()
      producer = await open()
      return send(left, triesLeft - 1)
    }
    throw kafkaFault(
      `sending ${left.length} messages to ${topic}`,
      faults.find((fault) => !isBroken(fault)) ?? faults[0],
    )
  }

  return { send: (messages) => send(messages), disconnect: () => producer.disconnect() }
}

/**
 * As kafkajs would choose it, which takes 0.7 us; a key that is sent again is looked up. The number of partitions is that
 * of the start: a household does not move while we run.
 */
function createPartitionOf(topic: string, partitions: number): (message: OutgoingMessage) => number {
  const choose = defaultPartitioner()
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    ...{ partitionId, leader: 0, replicas: [], isr: [], partitionErrorCode: 0 },
  }))
  const chosen = new WeakMap<Buffer, number>()
  return ({ key, value }) => {
    const known = key === null ? undefined : chosen.get(key)
    if (known !== undefined) {
      return known
    }
    const partition = choose({ topic, partitionMetadata, message: { key, value } })
    if (key !== null) {
      chosen.set(key, partition)
    }
    return partition
  }
}

/** A topic that is not there is said at once: kafkajs would ask for it again for half a minute. */
async function countPartitions({ kafka, topic }: { kafka: Kafka; topic: string }): Promise<number> {
  const admin = await connectKafkaAdmin(kafka)
  try {
    return (await admin.watermarks(topic)).length
  } finally {
    await admin.close()
  }
}

function errorTypes(thrown: unknown): string {
  const type = thrown instanceof Error && 'type' in thrown ? String(thrown.type) : ''
  const cause = thrown instanceof Error && thrown.cause !== undefined ? errorTypes(thrown.cause) : ''
  return `${type} ${cause} ${messageOf(thrown)}`
}
