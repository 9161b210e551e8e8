/**
 * Replays, from Kafka and from an archive, beside the live drain of the same log: by `npx intent-ledger`'s own processes, on the
 * same servers, in turns.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { nodeFlags } from '../../services/shared/io/heap.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { cliFile } from '../support/cli.ts'
import { consumerEnvironment, print, say, withServers, type BenchServers } from './bench-servers.ts'
import { runContender } from './contender.ts'
import { fillTopics } from './fill.ts'
import { readCounts } from './options.ts'
import { dedupWindowBlocks } from './run.ts'
import { turn } from './turn.ts'

const help = `npm run bench -- replay [--events <n>] [--rounds <n>]

Fills a topic (default 2000000 events) and drains it in turns (default 3 rounds) as a classifier does and as \`replay run\` does
from Kafka and from an archive, one process each. Counted is from the first batch in the ledger to the last, so not the start of the process, nor the
making of tables, nor the digest; each replay's digest must be that of the classifier's tables.
`
const topic = 'bench-replay'

export async function measureReplay(args: string[]): Promise<void> {
  const options = readCounts(args, { events: [10_000, 100_000_000, 2_000_000], rounds: [1, 100, 3] })
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  await withServers((servers) => compare(options, servers))
}

async function compare({ events, rounds }: { events: number; rounds: number }, servers: BenchServers): Promise<void> {
  const { stack, admin, signal } = servers
  const { sent } = await fillTopics({ topic, jsonTopic: undefined, events, malformed: 0.005 }, servers)
  const topicId = await admin.topicId(topic)
  const rates: Record<'classify' | 'replay' | 'archived', number[]> = { classify: [], replay: [], archived: [] }
  const dir = join(stack.dataDir, 'archive')
  const env = consumerEnvironment(stack, { topic, topicId, group: 'bench', database: 'intent_ledger' })
  await ended(startVerb(['archive', 'run', dir, '--format', 'json'], env, signal))
  for (let round = 1; round <= rounds; round++) {
    await compareOnce(round, { servers, topicId, sent, dir, rates })
  }
  const text = (of: readonly number[]) => {
    const sorted = [...of].sort((a, b) => a - b)
    return `median ${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]} to ${sorted.at(-1)})`
  }
  print(
    `${sent} messages, messages/s: classify ${text(rates.classify)}; replay run ${text(rates.replay)}; ` +
      `replay run --source archive ${text(rates.archived)}`,
  )
}

interface Round {
  readonly servers: BenchServers
  readonly topicId: string
  readonly sent: number
  readonly dir: string
  readonly rates: Record<'classify' | 'replay' | 'archived', number[]>
}

async function compareOnce(round: number, { servers, topicId, sent, dir, rates }: Round): Promise<void> {
  const { stack, pipeline, signal } = servers
  const database = `intent_ledger_bench_live_${round}`
  const env = consumerEnvironment(stack, { topic, topicId, group: `bench-live-${round}`, database })
  await migrate(pipeline, { database, dedupWindowBlocks })
  const live = async () => {
    await runContender('our-consumer.ts', { env, messages: sent, profileFolder: undefined, signal })
    rates.classify.push(await messagesPerSecond(pipeline, database))
  }
  const replayFrom = (source: 'replay' | 'archived', words: readonly string[]) => async () => {
    const name = `bench_${source}_${round}`
    await ended(startVerb(['replay', 'run', name, '--format', 'json', ...words], env, signal))
    rates[source].push(await messagesPerSecond(pipeline, `intent_ledger_replay_${name}`))
  }
  const drains = [live, replayFrom('replay', []), replayFrom('archived', ['--source', 'archive', dir])]
  // In turns: who comes second works beside the merges of the first.
  for (const drain of turn(drains, round)) {
    await drain()
  }
  for (const source of ['replay', 'archived']) {
    await ended(startVerb(['replay', 'verify', 'live', '--like', `bench_${source}_${round}`], env, signal))
  }
  say(
    `round ${round}: ${rates.classify.at(-1)} messages/s live, ${rates.replay.at(-1)} replayed, ` +
      `${rates.archived.at(-1)} from the archive, one digest`,
  )
}

/** `npx intent-ledger` with these words. */
export function startVerb(words: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): ChildProcess {
  return spawn(process.execPath, [...nodeFlags, cliFile, ...words], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    ...{ signal, killSignal: 'SIGKILL' },
  })
}

async function ended(child: ChildProcess): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) {
    throw new Error(`${child.spawnargs.slice(2).join(' ')} ended with ${code}`)
  }
}

async function messagesPerSecond(pipeline: ClickHouse, database: string): Promise<number> {
  const [row] = await pipeline.rows<{ rate: number }>(
    `SELECT sumIf(messages, inserted_at > first) / (max(inserted_at) - any(first)) AS rate
     FROM (SELECT toFloat64(inserted_at) AS inserted_at, accepted + duplicate + rejected AS messages,
       min(inserted_at) OVER () AS first FROM ${database}.ingest_batches)`,
    {},
    { prefer_column_name_to_alias: 0 },
  )
  return Math.round(row!.rate)
}
