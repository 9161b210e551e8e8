/** What a second membership and a second process of the same group add: a topic of 8 partitions, drained by each in turn. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { consumerEnvironment, print, say, withServers, type BenchServers } from './bench-servers.ts'
import { fillTopics } from './fill.ts'
import { holdProcess } from './held-process.ts'
import { readCounts } from './options.ts'
import { startVerb } from './replay.ts'
import { assertClean, dedupWindowBlocks } from './run.ts'
import { cpuBetween, cpuSecondsOf, readServerCpu, waitUntilQuiet } from './servers.ts'
import { spreadOf } from './summary.ts'
import { turn } from './turn.ts'

const help = `npm run bench -- scale [--events <n>] [--rounds <n>] [--share <percent>]

Drains so many events (default 4000000) of 8 partitions by one classifier with one membership of the group, by one with two and
by two with two each, in turn, so many rounds each (default 5). The clock runs from when all have joined and stored until nine tenths are stored. Each run ends with \`audit\`.
With --share each process runs only for so many percent of the time (default 100: all of it), so that cores stay free for a second one.
`
const topic = 'bench-scale'
const partitions = 8
const malformedShare = 0.005
const lookPauseMs = 50
/** The last tenth is left out: at the end one process has partitions left and the other none. */
const countedShare = 0.9

interface Setup {
  readonly title: string
  readonly processes: number
  /** Of each process. */
  readonly memberships: number
}

/** The first is the one that the others are compared with. */
const setups: readonly Setup[] = [
  { title: 'one process of one membership', processes: 1, memberships: 1 },
  { title: 'one process of two', processes: 1, memberships: 2 },
  { title: 'two processes of two', processes: 2, memberships: 2 },
]

interface Pace {
  readonly setup: Setup
  readonly eventsPerSecond: number
  readonly processCpuPerMillion: number
  readonly clickHouseCpuPerMillion: number
  /** Cores that all of this machine's processes of the bench kept busy. */
  readonly coresBusy: number
}

export async function measureScale(args: string[]): Promise<void> {
  const options = readCounts(args, {
    events: [100_000, 1_000_000_000, 4_000_000],
    rounds: [1, 100, 5],
    share: [5, 100, 100],
  })
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  const paces = await withServers((servers) => measure(options, servers))
  const [one, ...others] = setups.map((setup) => paces.filter((pace) => pace.setup === setup)) as [Pace[], ...Pace[][]]
  for (const own of [one, ...others]) {
    print(
      `${own[0]!.setup.title}: ${show(own, 'eventsPerSecond', 0)} messages/s, ${show(own, 'processCpuPerMillion', 2)} CPU s per million and ClickHouse ${show(own, 'clickHouseCpuPerMillion', 2)}, ${show(own, 'coresBusy', 2)} cores busy`,
    )
  }
  const [second, third] = others as [Pace[], Pace[]]
  for (const [own, than] of [
    [second, one],
    [third, one],
    [third, second],
  ] as const) {
    const ratios = spreadOf(own.map(({ eventsPerSecond }, round) => eventsPerSecond / than[round]!.eventsPerSecond))
    print(
      `${own[0]!.setup.title} against ${than[0]!.setup.title}: ${ratios.median.toFixed(2)} times (${ratios.low.toFixed(2)} to ${ratios.high.toFixed(2)}, ${options.rounds} rounds)`,
    )
  }
}

function show(paces: readonly Pace[], figure: keyof Omit<Pace, 'setup'>, digits: number): string {
  const { median, low, high } = spreadOf(paces.map((pace) => pace[figure]))
  const text = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text(median)} (${text(low)} to ${text(high)})`
}

async function measure(
  { events, rounds, share }: { events: number; rounds: number; share: number },
  servers: BenchServers,
): Promise<Pace[]> {
  const { sent } = await fillTopics(
    { topic, jsonTopic: undefined, events, malformed: malformedShare, partitions },
    servers,
  )
  say(`${sent} messages in ${topic}`)
  const paces: Pace[] = []
  for (let round = 0; round < rounds; round++) {
    for (const setup of turn(setups, round)) {
      const pace = await drain({ setup, round, sent, share }, servers)
      paces.push(pace)
      say(
        `round ${round + 1}, ${setup.title}: ${Math.round(pace.eventsPerSecond)} messages/s, ${pace.coresBusy.toFixed(2)} cores busy`,
      )
    }
  }
  return paces
}

async function drain(
  { setup, round, sent, share }: { setup: Setup; round: number; sent: number; share: number },
  servers: BenchServers,
): Promise<Pace> {
  const { stack, pipeline, admin, signal } = servers
  const { processes, memberships } = setup
  const name = `${processes}_${memberships}_${round}`
  const database = `intent_ledger_bench_scale_${name}`
  const group = `bench-scale-${name}`
  await migrate(pipeline, { database, dedupWindowBlocks })
  await waitUntilQuiet(pipeline)
  const env = consumerEnvironment(stack, { topic, topicId: await admin.topicId(topic), group, database })
  const children = Array.from({ length: processes }, () =>
    startVerb(
      ['classify'],
      { ...env, KAFKA_MEMBERSHIPS: String(memberships), HTTP_PORT: '0', LOG_LEVEL: 'warn' },
      signal,
    ),
  )
  let releases: (() => void)[] = []
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
      async () =>
        (await admin.groupMembers(group)) === processes * memberships && (await readSettled(pipeline, database)) > 0,
    )
    if (share < 100) {
      releases = children.map((child, nth) => holdProcess(child, { percent: share, phase: (nth + 1) / processes }))
    }
    const from = await look()
    await until(async () => (await readSettled(pipeline, database)) >= sent * countedShare)
    const to = await look()
    releases.forEach((release) => release())
    await until(async () => (await readSettled(pipeline, database)) >= sent)
    await stop(children)
    await assertClean(pipeline, { database, topic, group, admin })
    const millions = (to.settled - from.settled) / 1e6
    const seconds = to.seconds - from.seconds
    const cpu = cpuBetween(from.server, to.server)
    const own = to.own - from.own
    return {
      setup,
      eventsPerSecond: (millions * 1e6) / seconds,
      processCpuPerMillion: own / millions,
      clickHouseCpuPerMillion: cpu.clickHouseSeconds / millions,
      coresBusy: (own + cpu.clickHouseSeconds + cpu.kafkaSeconds) / seconds,
    }
  } finally {
    releases.forEach((release) => release())
    await stop(children)
  }
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
