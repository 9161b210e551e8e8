/** What a second process of the same group adds: a topic of 8 partitions, drained by one process and by two, in turn. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { consumerEnvironment, print, say, withServers, type BenchServers } from './bench-servers.ts'
import { fillTopics } from './fill.ts'
import { readCounts } from './options.ts'
import { assertClean, dedupWindowBlocks } from './run.ts'
import { cpuBetween, cpuSecondsOf, readServerCpu, waitUntilQuiet } from './servers.ts'
import { spreadOf } from './summary.ts'

const help = `npm run bench -- scale [--events <n>] [--rounds <n>]

Drains so many events (default 4000000) of 8 partitions by one classifier and by two of one group, in turn, so many rounds each
(default 5). The clock runs from when all have joined and stored until nine tenths are stored. Each run ends with \`audit\`.
`
const topic = 'bench-scale'
const partitions = 8
const malformedShare = 0.005
const lookPauseMs = 50
/** The last tenth is left out: at the end one process has partitions left and the other none. */
const countedShare = 0.9

interface Pace {
  readonly processes: number
  readonly eventsPerSecond: number
  readonly processCpuPerMillion: number
  readonly clickHouseCpuPerMillion: number
  /** Cores that all of this machine's processes of the bench kept busy. */
  readonly coresBusy: number
}

export async function measureScale(args: string[]): Promise<void> {
  const options = readCounts(args, { events: [100_000, 1_000_000_000, 4_000_000], rounds: [1, 100, 5] })
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  const paces = await withServers((servers) => measure(options, servers))
  const [one, two] = [1, 2].map((processes) => paces.filter((pace) => pace.processes === processes)) as [Pace[], Pace[]]
  for (const [name, own] of [
    ['one process', one],
    ['two processes', two],
  ] as const) {
    print(
      `${name}: ${show(own, 'eventsPerSecond', 0)} messages/s, ${show(own, 'processCpuPerMillion', 2)} CPU s per million and ClickHouse ${show(own, 'clickHouseCpuPerMillion', 2)}, ${show(own, 'coresBusy', 2)} cores busy`,
    )
  }
  const ratios = spreadOf(two.map(({ eventsPerSecond }, round) => eventsPerSecond / one[round]!.eventsPerSecond))
  print(
    `two against one: ${ratios.median.toFixed(2)} times (${ratios.low.toFixed(2)} to ${ratios.high.toFixed(2)}, ${options.rounds} rounds)`,
  )
}

function show(paces: readonly Pace[], figure: keyof Pace, digits: number): string {
  const { median, low, high } = spreadOf(paces.map((pace) => pace[figure]))
  const text = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text(median)} (${text(low)} to ${text(high)})`
}

async function measure({ events, rounds }: { events: number; rounds: number }, servers: BenchServers): Promise<Pace[]> {
  const { sent } = await fillTopics(
    { topic, jsonTopic: undefined, events, malformed: malformedShare, partitions },
    servers,
  )
  say(`${sent} messages in ${topic}`)
  const paces: Pace[] = []
  for (let round = 0; round < rounds; round++) {
    for (const processes of round % 2 === 0 ? [1, 2] : [2, 1]) {
      const pace = await drain({ processes, round, sent }, servers)
      paces.push(pace)
      say(
        `round ${round + 1}, ${processes}: ${Math.round(pace.eventsPerSecond)} messages/s, ${pace.coresBusy.toFixed(2)} cores busy`,
      )
    }
  }
  return paces
}

async function drain(
  { processes, round, sent }: { processes: number; round: number; sent: number },
  servers: BenchServers,
): Promise<Pace> {
  const { stack, pipeline, admin } = servers
  const database = `intent_ledger_bench_scale_${processes}_${round}`
  const group = `bench-scale-${processes}-${round}`
  await migrate(pipeline, { database, dedupWindowBlocks })
  await waitUntilQuiet(pipeline)
  const env = consumerEnvironment(stack, { topic, topicId: await admin.topicId(topic), group, database })
  const children = Array.from({ length: processes }, () => start(env))
  try {
    const failed = Promise.race(
      children.map(async (child) => {
        const [code] = (await once(child, 'exit')) as [number | null]
        throw new Error(`a classifier ended with ${code} before the topic was drained`)
      }),
    )
    const pids = children.map(({ pid }) => pid!)
    const look = async () => ({
      settled: await readSettled(pipeline, database),
      seconds: performance.now() / 1_000,
      server: readServerCpu(stack),
      own: pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0),
    })
    const until = async (done: () => Promise<boolean>) => {
      while (!(await Promise.race([done(), failed]))) {
        await sleep(lookPauseMs)
      }
    }
    await until(
      async () => (await admin.groupMembers(group)) === processes && (await readSettled(pipeline, database)) > 0,
    )
    const from = await look()
    await until(async () => (await readSettled(pipeline, database)) >= sent * countedShare)
    const to = await look()
    await until(async () => (await readSettled(pipeline, database)) >= sent)
    await stop(children)
    await assertClean(pipeline, { database, topic, group, admin })
    const millions = (to.settled - from.settled) / 1e6
    const seconds = to.seconds - from.seconds
    const cpu = cpuBetween(from.server, to.server)
    const own = to.own - from.own
    return {
      processes,
      eventsPerSecond: (millions * 1e6) / seconds,
      processCpuPerMillion: own / millions,
      clickHouseCpuPerMillion: cpu.clickHouseSeconds / millions,
      coresBusy: (own + cpu.clickHouseSeconds + cpu.kafkaSeconds) / seconds,
    }
  } finally {
    await stop(children)
  }
}

function start(env: NodeJS.ProcessEnv): ChildProcess {
  const cli = join(import.meta.dirname, '../../services/cli.ts')
  return spawn(process.execPath, [cli, 'classify'], {
    env: { ...env, HTTP_PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function stop(children: readonly ChildProcess[]): Promise<void> {
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  const ended = running.map((child) => once(child, 'exit'))
  running.forEach((child) => child.kill('SIGTERM'))
  await Promise.all(ended)
}

async function readSettled(clickHouse: ClickHouse, database: string): Promise<number> {
  const [row] = await clickHouse.rows<{ messages: number }>(
    `SELECT sum(accepted + duplicate + rejected) AS messages FROM ${database}.ingest_batches`,
  )
  return row!.messages
}
