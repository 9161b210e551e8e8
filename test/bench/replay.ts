/** A replay beside the live drain of the same log: both by `npx intent-ledger`'s own processes, on the same servers, in turns. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { cliFile } from '../support/cli.ts'
import { consumerEnvironment, print, say, withServers, type BenchServers } from './bench-servers.ts'
import { runContender } from './contender.ts'
import { fillTopics } from './fill.ts'
import { readCounts } from './options.ts'
import { dedupWindowBlocks } from './run.ts'

const help = `npm run bench -- replay [--events <n>] [--rounds <n>]

Fills a topic (default 2000000 events) and drains it in turns (default 3 rounds) as a classifier does and as \`replay run\` does,
one process each. Counted is from the first batch in the ledger to the last, so not the start of the process, nor the
making of tables, nor the digest; the replay's digest must be that of the classifier's tables.
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
  const { stack, pipeline, admin } = servers
  const { sent } = await fillTopics({ topic, jsonTopic: undefined, events, malformed: 0.005 }, servers)
  const topicId = await admin.topicId(topic)
  const rates: { classify: number[]; replay: number[] } = { classify: [], replay: [] }
  for (let round = 1; round <= rounds; round++) {
    const database = `intent_ledger_bench_live_${round}`
    const env = consumerEnvironment(stack, { topic, topicId, group: `bench-live-${round}`, database })
    const name = `bench_${round}`
    await migrate(pipeline, { database, dedupWindowBlocks })
    const live = async () => {
      await runContender('our-consumer.ts', { env, messages: sent, profileFolder: undefined })
      rates.classify.push(await messagesPerSecond(pipeline, database))
    }
    const replay = async () => {
      await ended(startReplay(['run', name, '--format', 'json'], env))
      rates.replay.push(await messagesPerSecond(pipeline, `intent_ledger_replay_${name}`))
    }
    // In turns: who comes second works beside the merges of the first.
    for (const drain of round % 2 === 1 ? [live, replay] : [replay, live]) {
      await drain()
    }
    await ended(startReplay(['verify', 'live', '--like', name, '--format', 'json'], env))
    say(`round ${round}: ${rates.classify.at(-1)} messages/s live, ${rates.replay.at(-1)} replayed, one digest`)
  }
  const text = (of: readonly number[]) => {
    const sorted = [...of].sort((a, b) => a - b)
    return `median ${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]} to ${sorted.at(-1)})`
  }
  print(`${sent} messages, messages/s: classify ${text(rates.classify)}; replay run ${text(rates.replay)}`)
}

/** `npx intent-ledger replay` with these words. */
export function startReplay(words: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [cliFile, 'replay', ...words], { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

async function ended(child: ChildProcess): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) {
    throw new Error(`the replay ended with ${code}`)
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
