import { setTimeout as sleep } from 'node:timers/promises'

import { PipelineError } from '../domain/faults.ts'
import { toOffset } from './kafka-consumer.ts'
import { kafkaAddress, kafkaFault, type Kafka } from './kafka.ts'
import { fetchTopicId } from './kafka-topic-id.ts'

export interface Watermarks {
  readonly partition: number
  /** The first offset that retention has left. */
  readonly low: number
  /** One past the last offset. */
  readonly high: number
}

export interface Committed {
  /** -1 when the group holds none. */
  readonly offset: number
  readonly metadata: string | null
}

/** What we ask Kafka besides reading and writing. Every fault is a PipelineError. */
export interface KafkaAdmin {
  /** Creates the topic when it is absent, and raises its partitions when it has fewer. Returns what was done. */
  ensureTopic(options: {
    topic: string
    partitions: number
    replicas: number
    configs: Record<string, string>
  }): Promise<'created' | 'grown' | 'present'>
  /** The id Kafka gave the topic when it was created: a re-created topic has another. */
  topicId(topic: string): Promise<string>
  watermarks(topic: string): Promise<Watermarks[]>
  /** By partition: the first offset whose message was sent at that time or later, or one past the last where there is none. */
  offsetsAt(topic: string, timeMs: number): Promise<Map<number, number>>
  committed(group: string, topic: string): Promise<Map<number, Committed>>
  /** Members of a consumer group that are connected now. */
  groupMembers(group: string): Promise<number>
  /** Forgets a group without members and all its offsets; one that is not there is none already. */
  deleteGroup(group: string): Promise<void>
  close(): Promise<void>
}

/**
 * A broker that has just started, hands its groups over or has not heard of a new topic yet says so for a few seconds; kafkajs
 * does not wait for it everywhere.
 */
const settlingTries = 40
const settlingCodes = new Set([
  3, // UNKNOWN_TOPIC_OR_PARTITION: asked only of topics that the cluster lists
  5, // LEADER_NOT_AVAILABLE
  6, // NOT_LEADER_OR_FOLLOWER
  14, // COORDINATOR_LOAD_IN_PROGRESS
  15, // COORDINATOR_NOT_AVAILABLE
  16, // NOT_COORDINATOR
])
function isSettling(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && settlingCodes.has(thrown.code as number)
}

const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 6 }

export async function connectKafkaAdmin(kafka: Kafka): Promise<KafkaAdmin> {
  const admin = kafka.admin({ retry })
  const asked = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    for (let triesLeft = settlingTries; ; triesLeft--) {
      try {
        return await work()
      } catch (thrown) {
        if (triesLeft <= 0 || !isSettling(thrown)) {
          throw kafkaFault(doing, thrown)
        }
        await sleep(250)
      }
    }
  }
  await asked(`connecting to Kafka at ${kafkaAddress(kafka)}`, () => admin.connect())

  const existing = (topic: string) =>
    asked(`looking up topic ${topic} at ${kafkaAddress(kafka)}`, async () => {
      const topics = await admin.listTopics()
      return topics.includes(topic) ? (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0] : undefined
    })

  /**
   * With a client of its own: one that was ever asked about a topic asks for it at every look at the cluster, and each of them
   * fails once that topic was deleted (kafkajs 2.2.4), also the one before it is made anew.
   */
  const create = async (topic: string, partitions: number, replicas: number, configs: Record<string, string>) => {
    const fresh = kafka.admin({ retry })
    try {
      await asked(`connecting to Kafka at ${kafkaAddress(kafka)}`, () => fresh.connect())
      const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
      const made = await asked(`creating topic ${topic}`, () =>
        fresh.createTopics({
          // kafkajs' own waiting gives up when a broker has not heard of the topic yet.
          waitForLeaders: false,
          topics: [{ topic, numPartitions: partitions, replicationFactor: replicas, configEntries }],
        }),
      )
      // Only the leaders answer this, and only once each knows that it is one.
      await asked(`waiting for the leaders of topic ${topic}`, () => fresh.fetchTopicOffsets(topic))
      return made
    } finally {
      await fresh.disconnect()
    }
  }

  return {
    ensureTopic: async ({ topic, partitions, replicas, configs }) => {
      const found = await existing(topic)
      if (found === undefined) {
        return (await create(topic, partitions, replicas, configs)) ? 'created' : 'present'
      }
      if (found.partitions.length < partitions) {
        await asked(`adding partitions to ${topic}`, () =>
          admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] }),
        )
        return 'grown'
      }
      return 'present'
    },
    topicId: (topic) => asked(`asking for the id of topic ${topic}`, () => fetchTopicId(kafka, topic)),
    watermarks: async (topic) => {
      if ((await existing(topic)) === undefined) {
        throw new PipelineError(`Kafka has no topic ${topic}; run \`npx intent-ledger migrate\` to create it`, {
          code: 'kafka_refused',
        })
      }
      const offsets = await asked(`asking for the offsets of ${topic}`, () => admin.fetchTopicOffsets(topic))
      return offsets
        .map(({ partition, low, high }) => ({ partition, low: toOffset(low), high: toOffset(high) }))
        .sort((a, b) => a.partition - b.partition)
    },
    offsetsAt: (topic, timeMs) =>
      asked(`asking for the offsets of ${topic} by time`, async () => {
        const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, timeMs)
        return new Map(offsets.map(({ partition, offset }) => [partition, toOffset(offset)]))
      }),
    committed: (group, topic) =>
      asked(`asking for the offsets of group ${group}`, async () => {
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
        return new Map(
          (found?.partitions ?? []).map(({ partition, offset, metadata }) => [
            partition,
            { offset: toOffset(offset), metadata },
          ]),
        )
      }),
    groupMembers: (group) =>
      asked(`asking for the members of group ${group}`, async () => {
        const { groups } = await admin.describeGroups([group])
        return groups[0]?.members.length ?? 0
      }),
    deleteGroup: (group) =>
      asked(`deleting group ${group}`, async () => {
        const { groups } = await admin.describeGroups([group])
        if (groups[0] !== undefined && groups[0].state !== 'Dead') {
          await admin.deleteGroups([group])
        }
      }),
    close: () => admin.disconnect(),
  }
}
