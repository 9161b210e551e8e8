import { tmpdir } from 'node:os'
import { join } from 'node:path'

import kafkajs from 'kafkajs'
import type { Kafka } from 'kafkajs'

import type { ClassifierParts } from '../../services/classifier/classifier.ts'
import { parseSimulationFlags, type SimulationFlags } from '../../services/producer/simulation-options.ts'
import { simulate } from '../../services/producer/simulate.ts'
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import type { StreamDefinition } from '../../services/shared/domain/stream.ts'
import { createClickHouse, type ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { connectKafkaAdmin, type KafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { createLogProducer } from '../../services/shared/io/kafka-producer.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import { createKafka } from '../../services/shared/io/kafka.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { viewsDatabase } from '../../services/shared/io/settings.ts'
import { assertExact, waitUntilDrained } from './assert-exact.ts'
import {
  startClassifierHere,
  startClassifierProcess,
  type ClassifierProcess,
  type RunningClassifier,
  type Stoppable,
} from './classifier-process.ts'
import type { Judged, TruthOptions } from './log-truth.ts'
import { sharedStack, uniqueName, type StackEndpoints } from './stack.ts'
import { readTopicLog, type TopicLog } from './topic-log.ts'

/** A topic, a consumer group and a migrated database of one test's own, and what works on them. All gone after the test. */
export interface PipelineCase {
  readonly topic: string
  readonly group: string
  readonly stream: StreamDefinition
  readonly database: string
  readonly stack: StackEndpoints
  /** The plain client. */
  readonly kafka: Kafka
  readonly admin: KafkaAdmin
  readonly clickHouse: ClickHouse
  readonly steward: ClickHouse
  /** Sends simulated traffic: both writer schemas, 3 % second copies, 3 % malformed, unless said otherwise. */
  simulate(flags: SimulationFlags): Promise<void>
  /** Sends framed values, or anything else, to one partition. */
  send(
    messages: readonly { value: Buffer | null; key?: Buffer | null; timestampMs?: number }[],
    partition?: number,
  ): Promise<void>
  readLog(): Promise<TopicLog>
  /** Starts a child process that may stop itself at a step, see `stopping-classifier.ts`. */
  startProcess(env?: Record<string, string>, nodeOptions?: readonly string[]): ClassifierProcess
  /** Runs a classifier in this process. */
  startInProcess(
    env?: Record<string, string>,
    decorate?: (parts: ClassifierParts) => ClassifierParts,
  ): RunningClassifier
  /** Waits until the classifiers have reached the log's end and stops them; then all tables must be exact. */
  assertDrained(classifiers: readonly Stoppable[], options?: DrainOptions): Promise<Judged[]>
}

export interface DrainOptions extends TruthOptions {
  readonly logs?: readonly TopicLog[]
  readonly expired?: Readonly<Record<number, readonly [number, number]>>
  readonly timeoutMs?: number
}

/** Small sessions and batches: many batches from few events, and a dead member is noticed soon. */
const quickly = {
  SESSION_TIMEOUT_MS: '2000',
  BATCH_ROWS_MAX: '500',
  FETCH_WAIT_MS: '50',
  METADATA_MAX_AGE_MS: '1000',
  LOG_LEVEL: 'info',
}

/** Always the same, as the seeds are: which partition a household falls in must not change from run to run. */
const householdKey = Buffer.alloc(32, 7)

export async function pipelineCase(
  t: { after(clean: () => Promise<void>): void },
  options: {
    partitions?: number
    /** Requests when left out. */
    stream?: StreamDefinition
    topic?: string
    /** The topic is made with them: a broker takes a change up some time after it has answered. */
    topicConfigs?: Record<string, string>
    stack?: StackEndpoints
    env?: Record<string, string>
  } = {},
): Promise<PipelineCase> {
  const stack = options.stack ?? (await sharedStack())
  const stream = options.stream ?? assistantIntents
  const topic = options.topic ?? uniqueName('intents')
  const group = uniqueName('classifier')
  const database = uniqueName('intent_ledger_t')
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  const kafka = new kafkajs.Kafka({ brokers: stack.kafkaBrokers, clientId: 'test', logLevel: kafkajs.logLevel.NOTHING })
  const ours = createKafka({ brokers: stack.kafkaBrokers, clientId: 'test', ssl: false }, log)
  const admin = await connectKafkaAdmin(ours)
  const login = { url: stack.clickhouseUrl, requestTimeoutMs: 30_000 }
  const clickHouse = createClickHouse({ ...login, user: 'pipeline', password: stack.secrets.pipelinePassword })
  const steward = createClickHouse({ ...login, user: 'steward', password: stack.secrets.stewardPassword })
  const started: Stoppable[] = []
  let waves = 0
  t.after(async () => {
    await Promise.all(started.map((classifier) => classifier.stop().catch(() => undefined)))
    for (const made of [viewsDatabase(database), database]) {
      await steward.command(`DROP DATABASE IF EXISTS ${made}`).catch(() => undefined)
    }
    await Promise.all([admin.close(), clickHouse.close(), steward.close()])
  })
  await migrate(clickHouse, { database, dedupWindowBlocks: 1_000 })
  await admin.ensureTopic({
    topic,
    partitions: options.partitions ?? 1,
    replicas: 1,
    configs: options.topicConfigs ?? {},
  })

  const env = {
    PATH: process.env['PATH'],
    // Child processes start in half the time when they need not compile everything anew.
    NODE_COMPILE_CACHE: join(tmpdir(), 'intent-ledger-compile-cache'),
    ...quickly,
    KAFKA_BROKERS: stack.kafkaBrokers.join(','),
    STREAM: stream.name,
    KAFKA_TOPIC: topic,
    KAFKA_GROUP: group,
    CLICKHOUSE_URL: stack.clickhouseUrl,
    CLICKHOUSE_PASSWORD: stack.secrets.pipelinePassword,
    CLICKHOUSE_DATABASE: database,
    ...options.env,
  }
  const readLog = async () => readTopicLog(kafka, topic, await admin.topicId(topic))

  return {
    ...{ topic, group, stream, database, stack, kafka, admin, clickHouse, steward, readLog },
    async simulate(flags) {
      const producer = await createLogProducer({ kafka: ours, topic })
      try {
        await simulate(
          parseSimulationFlags(
            {
              ...{ days: 4, until: secondOfMonth(), duplicates: 0.03, malformed: 0.03, schemaVersion: 'mixed' },
              seed: ++waves,
              ...flags,
            },
            Date.now(),
          ),
          {
            producer,
            householdKey,
            signal: new AbortController().signal,
          },
        )
      } finally {
        await producer.disconnect()
      }
    },
    async send(messages, partition = 0) {
      const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
      await producer.connect()
      try {
        await producer.send({
          topic,
          messages: messages.map(({ value, key = null, timestampMs = Date.now() }) => ({
            ...{ value, key, partition, timestamp: String(timestampMs) },
          })),
        })
      } finally {
        await producer.disconnect()
      }
    },
    startProcess(more = {}, nodeOptions = []) {
      const process = startClassifierProcess({ ...env, ...more }, nodeOptions)
      started.push(process)
      return process
    },
    startInProcess(more = {}, decorate) {
      const classifier = startClassifierHere({ ...env, LOG_LEVEL: 'silent', ...more }, decorate)
      started.push(classifier)
      return classifier
    },
    async assertDrained(classifiers, { logs, timeoutMs, ...truth } = {}) {
      const drained = logs ?? [await readLog()]
      await waitUntilDrained(drained, {
        ...{ clickHouse, database },
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        check: () => classifiers.forEach((classifier) => classifier.assertAlive()),
      })
      await Promise.all(classifiers.map((classifier) => classifier.stop()))
      return assertExact(drained, { ...truth, clickHouse, database })
    },
  }
}

/** The 2nd of this month, or of the last one while that is not over: four days up to it lie in two months, so in two parts of each table. */
function secondOfMonth(): string {
  const recently = new Date(Date.now() - 3 * 86_400_000)
  return new Date(Date.UTC(recently.getUTCFullYear(), recently.getUTCMonth(), 2)).toISOString().slice(0, 10)
}
