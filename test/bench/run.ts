/** One run of one contender: a fresh database and consumer group, the drain, the quiet after it, and what was stored. */
import type { LocalStack } from '../../services/local/stack.ts'
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import type { KafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { audit, readAuditedLog } from '../../services/shared/pipeline/audit.ts'
import { runContender, type ContenderName, type Measurement } from './contender.ts'
import { cpuBetween, readServerCpu, waitUntilQuiet, type ServerCpu } from './servers.ts'
import { readStoredRows, type StoredRows } from './stored-rows.ts'

export interface Run {
  readonly contender: ContenderName
  readonly round: number
  readonly process: Measurement
  /** CPU of the servers until the contender ended. */
  readonly drained: ServerCpu
  /** The same until ClickHouse had nothing left to merge. */
  readonly quiet: ServerCpu
  readonly stored: StoredRows
}

export interface RunDeps {
  readonly stack: LocalStack
  readonly pipeline: ClickHouse
  readonly admin: KafkaAdmin
  readonly topic: string
  readonly messages: number
  readonly profileFolder: string | undefined
}

/**
 * Throws when the contender fails or, for ours, when the audit is not clean. The database stays: for minutes after many files
 * are deleted, ext4 takes much longer to create one, and the next run would pay for it.
 */
export async function runOnce(contender: ContenderName, round: number, deps: RunDeps): Promise<Run> {
  const { stack, pipeline, admin, topic, messages } = deps
  const database = `intent_ledger_bench_${contender}_${round}`
  const group = `bench-${contender}-${round}`
  await migrate(pipeline, { database, dedupWindowBlocks: 10_000 })
  await waitUntilQuiet(pipeline)
  const before = readServerCpu(stack)
  const measured = await runContender(contender, {
    env: {
      ...ownEnvironment(),
      KAFKA_BROKERS: stack.kafkaBrokers.join(','),
      KAFKA_TOPIC: topic,
      KAFKA_GROUP: group,
      CLICKHOUSE_URL: stack.clickhouseUrl,
      CLICKHOUSE_PASSWORD: stack.secrets.pipelinePassword,
      CLICKHOUSE_DATABASE: database,
      BENCH_TOPIC_ID: await admin.topicId(topic),
    },
    messages,
    profileFolder: deps.profileFolder,
  })
  const drained = cpuBetween(before, readServerCpu(stack))
  await waitUntilQuiet(pipeline)
  const quiet = cpuBetween(before, readServerCpu(stack))
  const stored = await readStoredRows(pipeline, database)
  if (contender === 'ours') {
    await assertClean(pipeline, { database, topic, group, admin })
  }
  return { contender, round, process: measured, drained, quiet, stored }
}

async function assertClean(
  clickHouse: ClickHouse,
  options: { database: string; topic: string; group: string; admin: KafkaAdmin },
): Promise<void> {
  const { database, topic, group, admin } = options
  const report = await audit({
    clickHouse,
    database,
    stream: assistantIntents,
    topic,
    log: () => readAuditedLog(admin, { topic, group }),
  })
  const unread = report.partitions.reduce((sum, partition) => sum + partition.unread, 0)
  if (!report.clean || unread > 0) {
    throw new Error(`the audit is not clean: ${unread} unread, ${JSON.stringify(report.differences.slice(0, 5))}`)
  }
}

/** What a child needs of our environment, without settings that a person may have exported for another stack. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(KAFKA|CLICKHOUSE|SCHEMA_REGISTRY|NODE_OPTIONS)/.test(name)),
  )
}
