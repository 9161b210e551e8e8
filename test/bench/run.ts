/** One run of one contender: a fresh database and consumer group, the drain, the quiet after it, and what was stored. */
import type { LocalStack } from '../../services/local/stack.ts'
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import type { KafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { audit, readAuditedLog } from '../../services/shared/pipeline/audit.ts'
import { consumerEnvironment } from './bench-servers.ts'
import { contenders, runContender, type ContenderName, type Measurement } from './contender.ts'
import { drainByEngine, stopEngine } from './engine-drain.ts'
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
  readonly rival: ClickHouse
  readonly admin: KafkaAdmin
  readonly topic: string
  /** The same messages as JSON; there only when a contender reads it. */
  readonly jsonTopic: string
  readonly registryUrl: string
  readonly messages: number
  /** Of a contender that knows no duplicates. */
  readonly rowsDue: number
  readonly profileFolder: string | undefined
  readonly signal: AbortSignal
}

/** Blocks that a table remembers. Only ours needs it: for the others ClickHouse is spared the hashing of every block. */
export const dedupWindowBlocks = 10_000

/**
 * Throws when the contender fails or, for ours, when the audit is not clean. The database stays: for minutes after many files
 * are deleted, ext4 takes much longer to create one, and the next run would pay for it.
 */
export async function runOnce(contender: ContenderName, round: number, deps: RunDeps): Promise<Run> {
  const { stack, pipeline, admin, topic } = deps
  const name = contender.replace('-', '_')
  const database = `intent_ledger_bench_${name}_${round}`
  const group = `bench-${contender}-${round}`
  await migrate(pipeline, { database, dedupWindowBlocks: contender === 'ours' ? dedupWindowBlocks : 0 })
  await waitUntilQuiet(pipeline)
  const topicId = await admin.topicId(topic)
  const before = readServerCpu(stack)
  const measured = await drain(contender, { database, group, topicId }, deps)
  const drained = cpuBetween(before, readServerCpu(stack))
  await waitUntilQuiet(pipeline)
  const quiet = cpuBetween(before, readServerCpu(stack))
  if ('engine' in contenders[contender]) {
    await stopEngine(deps.rival, database)
  }
  const stored = await readStoredRows(pipeline, database)
  if (contender === 'ours') {
    await assertClean(pipeline, { database, topic, group, admin })
  }
  return { contender, round, process: measured, drained, quiet, stored }
}

function drain(
  contender: ContenderName,
  { database, group, topicId }: { database: string; group: string; topicId: string },
  deps: RunDeps,
): Promise<Measurement> {
  const { stack, topic, messages, rowsDue, profileFolder, signal } = deps
  const how = contenders[contender]
  const brokers = stack.kafkaBrokers.join(',')
  if ('engine' in how) {
    const read = how.engine === 'json' ? deps.jsonTopic : topic
    const source = { database, group, brokers, topic: read, topicId, format: how.engine, registryUrl: deps.registryUrl }
    return drainByEngine(deps.rival, { source, rowsDue, messages })
  }
  const env = consumerEnvironment(stack, { topic, topicId, group, database })
  return runContender(how.file, { env, messages, profileFolder, signal })
}

export async function assertClean(
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
