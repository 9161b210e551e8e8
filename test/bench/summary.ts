/** Medians, spreads and ratios of the runs. */
import { cpus, release, totalmem } from 'node:os'

import { contenderNames, type ContenderName } from './contender.ts'
import type { Run } from './run.ts'

/** Median and both ends. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export interface ContenderResult {
  readonly contender: ContenderName
  /** Wall, from joining the group (the engine: from creating its view) until the last message is stored. */
  readonly eventsPerSecond: Spread
  /** The whole life of the contender's process; the engine has none. */
  readonly processCpuPerMillion: Spread
  /** The same without starting, joining and stopping. */
  readonly drainCpuPerMillion: Spread
  readonly startCpuSeconds: Spread
  /** Until the last message is stored, and then until ClickHouse is quiet. */
  readonly clickHouseCpuPerMillion: Spread
  readonly clickHouseAndMergesCpuPerMillion: Spread
  readonly kafkaCpuPerMillion: Spread
  readonly memoryPeakMb: Spread
  /** Of the contender's process and ClickHouse with its merges. */
  readonly eventsPerCpuSecond: Spread
}

/** How many times ours does what another does, round by round. */
export interface Ratio {
  readonly against: ContenderName
  /** Of the contender's process and ClickHouse together, merges included. */
  readonly eventsPerCpuSecond: Spread
  readonly eventsPerSecond: Spread
}

export interface BenchResults {
  readonly at: string
  readonly command: string
  readonly machine: string
  readonly events: number
  readonly messages: number
  readonly rounds: number
  readonly contenders: readonly ContenderResult[]
  readonly ratios: readonly Ratio[]
  readonly runs: readonly Run[]
}

export function summarise(
  runs: readonly Run[],
  context: Pick<BenchResults, 'at' | 'machine' | 'command' | 'events' | 'messages' | 'rounds'>,
): BenchResults {
  const names = contenderNames.filter((name) => runs.some(({ contender }) => contender === name))
  const contenders = names.map((name) =>
    summariseOne(
      name,
      runs.filter(({ contender }) => contender === name),
    ),
  )
  const { at, machine, command, events, messages, rounds } = context
  return {
    at,
    machine,
    command,
    events,
    messages,
    rounds,
    contenders,
    ratios: names.flatMap((name) => ratioAgainst(name, runs)),
    runs,
  }
}

function summariseOne(contender: ContenderName, runs: readonly Run[]): ContenderResult {
  const spread = (read: (run: Run) => number) => spreadOf(runs.map(read))
  const perMillion = (read: (run: Run) => number) => spread((run) => (read(run) / run.process.messages) * 1e6)
  return {
    contender,
    eventsPerSecond: spread(eventsPerSecond),
    processCpuPerMillion: perMillion(({ process }) => process.whole.cpuSeconds),
    drainCpuPerMillion: perMillion(({ process }) => process.drain.cpuSeconds),
    startCpuSeconds: spread(({ process }) => process.whole.cpuSeconds - process.drain.cpuSeconds),
    clickHouseCpuPerMillion: perMillion(({ drained }) => drained.clickHouseSeconds),
    clickHouseAndMergesCpuPerMillion: perMillion(({ quiet }) => quiet.clickHouseSeconds),
    kafkaCpuPerMillion: perMillion(({ drained }) => drained.kafkaSeconds),
    memoryPeakMb: spread(({ process }) => process.memoryPeakMb),
    eventsPerCpuSecond: spread(eventsPerCpuSecond),
  }
}

/** Empty for ours itself, and where it didn't run beside the other. */
function ratioAgainst(against: ContenderName, runs: readonly Run[]): Ratio[] {
  const pairs = runs
    .filter(({ contender }) => contender === against && contender !== 'ours')
    .flatMap((other) =>
      runs
        .filter(({ contender, round }) => contender === 'ours' && round === other.round)
        .map((ours) => ({ ours, other })),
    )
  const spread = (read: (run: Run) => number) => spreadOf(pairs.map(({ ours, other }) => read(ours) / read(other)))
  return pairs.length === 0
    ? []
    : [{ against, eventsPerCpuSecond: spread(eventsPerCpuSecond), eventsPerSecond: spread(eventsPerSecond) }]
}

function eventsPerSecond({ process }: Run): number {
  return process.messages / process.drain.wallSeconds
}

function eventsPerCpuSecond({ process, quiet }: Run): number {
  return process.messages / (process.whole.cpuSeconds + quiet.clickHouseSeconds)
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
  return { median, low: sorted[0]!, high: sorted.at(-1)! }
}

/** Of values that ascend. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))]!
}

export function describeMachine(): string {
  const [cpu] = cpus()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores of ${cpu?.model.trim() ?? 'unknown'}, ${memoryGb} GB, Linux ${release()}, Node ${process.version}; Kafka 4.3, ClickHouse 26.7 and the contender share it`
}
