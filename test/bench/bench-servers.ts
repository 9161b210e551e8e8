/**
 * The servers of a bench: a Kafka and a ClickHouse of its own in a temporary folder, with clients, removed at the end and on
 * Ctrl-C.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startStack, type LocalStack } from '../../services/local/stack.ts'
import { createClickHouse, type ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { connectKafkaAdmin, type KafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { createKafka, type Kafka } from '../../services/shared/io/kafka.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import { stopOnSignals } from '../../services/shared/io/stop-signals.ts'
import { rivalUser, tuneKafkaEngine } from './engine-server.ts'

export interface BenchServers {
  readonly stack: LocalStack
  readonly pipeline: ClickHouse
  /** Logged in as the user of the contenders that are not ours. */
  readonly rival: ClickHouse
  readonly kafka: Kafka
  readonly admin: KafkaAdmin
  /** Aborted by Ctrl-C or TERM: processes that a bench starts end with it. */
  readonly signal: AbortSignal
}

export class Interrupted extends Error {}

export const say = (line: string) => process.stderr.write(`${line}\n`)
export const print = (line: string) => process.stdout.write(`${line}\n`)

/**
 * Throws Interrupted after Ctrl-C or TERM, with servers and folder gone; the work may still go on then, against servers that are
 * not there, so the process must be ended.
 */
export async function withServers<T>(work: (servers: BenchServers) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-bench-'))
  const { signal, release } = stopOnSignals()
  try {
    await tuneKafkaEngine(folder)
    const stack = await startStack({ dataDir: folder, onLog: say })
    try {
      return await Promise.race([withClients(stack, signal, work), interruption(signal)])
    } finally {
      await stack.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
    release()
  }
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new Interrupted('interrupted'))
    signal.addEventListener('abort', give, { once: true })
    if (signal.aborted) {
      give()
    }
  })
}

async function withClients<T>(
  stack: LocalStack,
  signal: AbortSignal,
  work: (servers: BenchServers) => Promise<T>,
): Promise<T> {
  const { clickhouseUrl: url, secrets } = stack
  const pipeline = createClickHouse({ url, user: 'pipeline', password: secrets.pipelinePassword })
  const rival = createClickHouse({ url, user: rivalUser, password: secrets.pipelinePassword })
  const log = createLogger({ service: 'bench', level: 'warn', pretty: false })
  const kafka = createKafka({ brokers: stack.kafkaBrokers, clientId: 'bench', ssl: false }, log)
  const admin = await connectKafkaAdmin(kafka)
  try {
    return await work({ stack, pipeline, rival, kafka, admin, signal })
  } finally {
    await admin.close()
    await rival.close()
    await pipeline.close()
  }
}

/** What a consumer's process reads: our environment without what a person exported for another stack, and where to drain what. */
export function consumerEnvironment(
  stack: LocalStack,
  drain: { topic: string; topicId: string; group: string; database: string },
): NodeJS.ProcessEnv {
  return {
    ...environmentWithoutServers(),
    KAFKA_BROKERS: stack.kafkaBrokers.join(','),
    KAFKA_TOPIC: drain.topic,
    KAFKA_GROUP: drain.group,
    CLICKHOUSE_URL: stack.clickhouseUrl,
    CLICKHOUSE_PASSWORD: stack.secrets.pipelinePassword,
    CLICKHOUSE_DATABASE: drain.database,
    BENCH_TOPIC_ID: drain.topicId,
  }
}

export function environmentWithoutServers(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(KAFKA|CLICKHOUSE|SCHEMA_REGISTRY|NODE_OPTIONS)/.test(name)),
  )
}
