import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { startLogConsumer } from '../shared/io/kafka-consumer.ts'
import { createKafkaPeek } from '../shared/io/kafka-peek.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import { fetchBytes } from '../shared/pipeline/memberships.ts'
import type { ReplayLog, ReplaySource } from './source.ts'

export interface KafkaSourceOptions {
  readonly kafka: Kafka
  readonly admin: KafkaAdmin
  readonly topic: string
  readonly group: string
  readonly sessionTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly fetchWaitMs: number
  readonly decoder: 'lean' | 'kafkajs'
  /** Offsets a second at most; Infinity for as fast as it goes. */
  readonly ratePerSecond: number
  readonly log: Logger
}

/** An event takes about so many bytes in the log, so that a slow replay fetches little at a time. */
const eventBytes = 250
const fetchBytesLeast = 16_384

/** The log in Kafka. */
export function openKafkaLog({
  kafka,
  admin,
  topic,
}: Pick<KafkaSourceOptions, 'kafka' | 'admin' | 'topic'>): ReplayLog {
  const peek = createKafkaPeek(kafka, topic)
  return {
    ...{ kind: 'kafka', topic },
    topicId: (of) => admin.topicId(of),
    watermarks: (of) => admin.watermarks(of),
    offsetsAt: (of, timeMs) => admin.offsetsAt(of, timeMs),
    peek: (partition, offset) => peek.at(partition, offset),
    // Its watermarks say all that is known.
    assertHolds: () => undefined,
    close: () => peek.close(),
  }
}

/** The same, read as a consumer group of the replay's own. */
export function openKafkaSource(options: KafkaSourceOptions): ReplaySource {
  const { admin } = options
  const fetchBytesMax = Math.max(fetchBytesLeast, Math.min(fetchBytes, options.ratePerSecond * eventBytes))
  return {
    topicId: (topic) => admin.topicId(topic),
    watermarks: (topic) => admin.watermarks(topic),
    committed: (group, topic) => admin.committed(group, topic),
    startConsumer: (events) =>
      startLogConsumer({
        ...options,
        ...events,
        rebalanceTimeoutMs: Math.max(options.sessionTimeoutMs, 30_000),
        fetchBytesMin: Math.floor(fetchBytesMax),
        fetchBytesMax: Math.floor(fetchBytesMax),
        partitionsInFlight: 2,
      }),
  }
}
