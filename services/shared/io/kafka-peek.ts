import { PipelineError } from '../domain/faults.ts'
import { clusterOf, type FetchedPartition, type InnerCluster } from './kafka-cluster.ts'
import { openRecords, toOffset } from './kafka-consumer.ts'
import { decodingLeanly, type RecordBatch } from './kafka-record-decoder.ts'
import { kafkaFault, type Kafka, type KafkaMessage } from './kafka.ts'

/** What stands at an offset of a partition. */
export interface Peeked {
  /** One past the last offset of the partition. */
  readonly high: number
  /** When the first message at or after the offset was sent, in milliseconds since 1970; undefined when none was found. */
  readonly firstTimeMs: number | undefined
  /** Without a message found: the offset up to which there is none for certain, only markers and aborted records. */
  readonly emptyTo: number
}

/** Looks at single places of a log, outside every consumer group, and leaves no trace of it. */
export interface KafkaPeek {
  at(partition: number, offset: number): Promise<Peeked>
  /** For good: what is under way fails. */
  close(): Promise<void>
}

/** A batch that is larger is given whole by the broker: its first message can always be read. */
const peekBytesMax = 65_536
const readCommitted = 1
/** With `minBytes: 0` the broker answers at once; kafkajs makes its patience with the request of this. */
const answerWaitMs = 5_000

export function createKafkaPeek(kafka: Kafka, topic: string): KafkaPeek {
  let opened: Promise<InnerCluster> | undefined
  let isClosed = false

  async function open(): Promise<InnerCluster> {
    const cluster = clusterOf(kafka)
    await cluster.connect()
    await cluster.addTargetTopic(topic)
    return cluster
  }

  async function disconnect(): Promise<void> {
    const closing = opened
    opened = undefined
    await closing?.then((cluster) => cluster.disconnect()).catch(() => undefined)
  }

  async function fetchAt(partition: number, offset: number): Promise<FetchedPartition> {
    if (isClosed) {
      throw new PipelineError('closed', { code: 'kafka_unreachable', retryable: true })
    }
    const cluster = await (opened ??= open())
    await cluster.refreshMetadataIfNecessary()
    const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
    if (nodeId === undefined) {
      throw new PipelineError(`partition ${partition} has no leader`, { code: 'kafka_unreachable', retryable: true })
    }
    const broker = await cluster.findBroker({ nodeId })
    const partitions = [{ partition, fetchOffset: String(offset), maxBytes: peekBytesMax }]
    const limits = { maxWaitTime: answerWaitMs, minBytes: 0, maxBytes: peekBytesMax }
    // What can't be read stops the classifier itself; here it is only not known.
    const ask = () => broker.fetch({ isolationLevel: readCommitted, ...limits, topics: [{ topic, partitions }] })
    const { responses } = await decodingLeanly(ask, () => undefined)
    return responses[0]!.partitions[0]!
  }

  return {
    async at(partition, offset) {
      try {
        const { highWatermark, messages } = await fetchAt(partition, offset)
        const records = openRecords(messages as readonly (KafkaMessage | RecordBatch)[], offset)
        const found = records.next()
        const last = messages.at(-1)?.offset
        return {
          high: toOffset(highWatermark),
          firstTimeMs: found ? records.record.timestampMs : undefined,
          emptyTo: found || last === undefined ? offset : Math.max(offset, toOffset(last) + 1),
        }
      } catch (thrown) {
        // The next look begins with fresh connections and fresh leaders.
        await disconnect()
        throw kafkaFault(`looking at offset ${offset} of ${topic}/${partition}`, thrown)
      }
    },
    close() {
      isClosed = true
      return disconnect()
    },
  }
}
