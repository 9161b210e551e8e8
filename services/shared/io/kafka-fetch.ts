import { PipelineError } from '../domain/faults.ts'
import type { RecordCursor } from '../domain/log-record.ts'
import { clusterOf, type FetchedPartition, type InnerCluster } from './kafka-cluster.ts'
import { openRecords, toOffset } from './kafka-consumer.ts'
import { decodingLeanly, type RecordBatch } from './kafka-record-decoder.ts'
import { kafkaFault, type Kafka, type KafkaMessage } from './kafka.ts'

/** What one partition answered. */
export interface FetchedLog {
  readonly partition: number
  /** The offset that was asked for. */
  readonly offset: number
  /** The messages from there on. Goes over them once. */
  readonly records: RecordCursor
  /** Whether aborted records are left out: a broker older than Kafka 2.3 answers in a way that only kafkajs decodes, and it does not. */
  readonly isCommitted: boolean
  /** From where to ask on: one past what the answer covers, messages or not; `offset` when it holds nothing yet. */
  readonly next: number
  /** One past the last offset of the partition. */
  readonly high: number
  /** One past what is decided: messages from here on may still belong to an open transaction. */
  readonly stable: number
}

export interface FetchLimits {
  /** Milliseconds the broker waits for a first byte. */
  readonly waitMs: number
  readonly bytesMin: number
  /** A larger batch is given whole all the same. */
  readonly partitionBytesMax: number
}

/** Reads a topic from any offsets, outside every consumer group, and leaves no trace of it. */
export interface LogFetcher {
  /** Asks for several partitions at once, one request a broker. Answers come in the order of `positions`. */
  fetch(positions: readonly { partition: number; offset: number }[], limits: FetchLimits): Promise<FetchedLog[]>
  /** For good: what is under way fails. */
  close(): Promise<void>
}

const readCommitted = 1
/** Of one broker's answer, however many partitions are asked for. */
const answerBytesMax = 32 * 1_048_576

export function createLogFetcher(kafka: Kafka, topic: string): LogFetcher {
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

  async function ask(positions: ReadonlyMap<number, number>, limits: FetchLimits): Promise<FetchedPartition[]> {
    if (isClosed) {
      throw new PipelineError('closed', { code: 'kafka_unreachable', retryable: true })
    }
    const cluster = await (opened ??= open())
    await cluster.refreshMetadataIfNecessary()
    const leaders = Object.entries(cluster.findLeaderForPartitions(topic, [...positions.keys()]))
    const led = new Set(leaders.flatMap(([, partitions]) => partitions))
    const leaderless = [...positions.keys()].find((partition) => !led.has(partition))
    if (leaderless !== undefined) {
      throw new PipelineError(`partition ${leaderless} has no leader`, { code: 'kafka_unreachable', retryable: true })
    }
    const answers = await Promise.all(
      leaders.map(async ([nodeId, partitions]) => {
        const broker = await cluster.findBroker({ nodeId })
        const wanted = partitions.map((partition) => ({
          ...{ partition, fetchOffset: String(positions.get(partition)!), maxBytes: limits.partitionBytesMax },
        }))
        const request = {
          ...{ isolationLevel: readCommitted, maxWaitTime: limits.waitMs, minBytes: limits.bytesMin },
          ...{ maxBytes: answerBytesMax, topics: [{ topic, partitions: wanted }] },
        }
        const { responses } = await decodingLeanly(
          () => broker.fetch(request),
          () => undefined,
        )
        return responses[0]!.partitions
      }),
    )
    return answers.flat()
  }

  return {
    async fetch(positions, limits) {
      try {
        const answers = await ask(new Map(positions.map(({ partition, offset }) => [partition, offset])), limits)
        return positions.map(({ partition, offset }) =>
          toFetched(
            answers.find((answer) => answer.partition === partition)!,
            offset,
          ),
        )
      } catch (thrown) {
        // The next one begins with fresh connections and fresh leaders.
        await disconnect()
        const places = positions.map(({ partition, offset }) => `${partition} from ${offset}`).join(', ')
        throw isOutOfRange(thrown)
          ? new PipelineError(`reading ${topic}: partition ${places}: an offset that the log does not have`, {
              ...{ code: 'log_expired', cause: thrown },
            })
          : kafkaFault(`reading ${topic}, partition ${places}`, thrown)
      }
    },
    close() {
      isClosed = true
      return disconnect()
    },
  }
}

function toFetched(answer: FetchedPartition, offset: number): FetchedLog {
  const messages = answer.messages as readonly (KafkaMessage | RecordBatch)[]
  const last = messages.at(-1)?.offset
  return {
    partition: answer.partition,
    offset,
    records: openRecords(messages, offset),
    isCommitted: messages.every((message) => 'recordBatch' in message),
    next: last === undefined ? offset : Math.max(offset, toOffset(last) + 1),
    high: toOffset(answer.highWatermark),
    stable: toOffset(answer.lastStableOffset),
  }
}

function isOutOfRange(thrown: unknown): boolean {
  return thrown instanceof Error && 'type' in thrown && thrown.type === 'OFFSET_OUT_OF_RANGE'
}
