/** Medians, spreads and ratios of the runs, as text for a terminal and as a table for README.md. */
import { cpus, release, totalmem } from 'node:os'

import type { ContenderName } from './contender.ts'
import type { Run } from './run.ts'

/** Median and both ends. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export interface ContenderResult {
  readonly contender: ContenderName
  /** Wall, from joining the group until the last message is stored. */
  readonly eventsPerSecond: Spread
  /** The whole life of our process. */
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

export interface BenchResults {
  readonly at: string
  readonly command: string
  readonly machine: string
  readonly events: number
  readonly messages: number
  readonly rounds: number
  readonly contenders: readonly ContenderResult[]
  /** Ours against plain, by events per CPU second of both processes together. */
  readonly ratio: Spread | undefined
  readonly runs: readonly Run[]
}

export function summarise(
  runs: readonly Run[],
  context: Pick<BenchResults, 'command' | 'events' | 'messages' | 'rounds'>,
): BenchResults {
  const names = [...new Set(runs.map(({ contender }) => contender))]
  const contenders = names.map((name) =>
    summariseOne(
      name,
      runs.filter(({ contender }) => contender === name),
    ),
  )
  const ratios = Array.from({ length: context.rounds }, (_, round) => {
    const efficiency = (name: ContenderName) =>
      runs.filter((run) => run.round === round && run.contender === name).map(eventsPerCpuSecond)[0]
    const [ours, plain] = [efficiency('ours'), efficiency('plain')]
    return ours === undefined || plain === undefined ? [] : [ours / plain]
  }).flat()
  return {
    at: new Date().toISOString(),
    machine: describeMachine(),
    ...context,
    contenders,
    ratio: ratios.length === 0 ? undefined : spreadOf(ratios),
    runs,
  }
}

function summariseOne(contender: ContenderName, runs: readonly Run[]): ContenderResult {
  const spread = (read: (run: Run) => number) => spreadOf(runs.map(read))
  const perMillion = (read: (run: Run) => number) => spread((run) => (read(run) / run.process.messages) * 1e6)
  return {
    contender,
    eventsPerSecond: spread(({ process }) => process.messages / process.drain.wallSeconds),
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

function eventsPerCpuSecond({ process, quiet }: Run): number {
  return process.messages / (process.whole.cpuSeconds + quiet.clickHouseSeconds)
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
  return { median, low: sorted[0]!, high: sorted.at(-1)! }
}

function describeMachine(): string {
  const [cpu] = cpus()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} cores of ${cpu?.model.trim() ?? 'unknown'}, ${memoryGb} GB, Linux ${release()}, Node ${process.version}; Kafka 4.3, ClickHouse 26.7 and the contender share it`
}

/** One row a figure, one column a contender. */
export function renderTable(results: BenchResults): string {
  const figures: [string, (result: ContenderResult) => string][] = [
    ['events/s (wall, from the join to the last message stored)', (one) => whole(one.eventsPerSecond)],
    ['our process: CPU s per million events, its start and stop included', (one) => tenths(one.processCpuPerMillion)],
    ['the same from the join to the last message stored', (one) => tenths(one.drainCpuPerMillion)],
    ['start and stop of our process: CPU s', (one) => tenths(one.startCpuSeconds)],
    ['ClickHouse: CPU s per million events', (one) => tenths(one.clickHouseCpuPerMillion)],
    ['the same and the merges left behind', (one) => tenths(one.clickHouseAndMergesCpuPerMillion)],
    ['Kafka: CPU s per million events', (one) => tenths(one.kafkaCpuPerMillion)],
    ['our process: largest memory, MB', (one) => whole(one.memoryPeakMb)],
    ['events per CPU s of our process and ClickHouse, merges included', (one) => whole(one.eventsPerCpuSecond)],
  ]
  const names = { ours: 'this project', plain: 'the plain way' }
  const head = ['', ...results.contenders.map(({ contender }) => names[contender])]
  const rows = figures.map(([name, read]) => [name, ...results.contenders.map(read)])
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(head),
    line(head.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...rows.map(line),
    '',
    ...(results.ratio === undefined
      ? []
      : [`Events per CPU second, this project against the plain way: ${tenths(results.ratio)} times.`, '']),
    `Medians of ${results.rounds} runs in turn (lowest to highest), ${results.messages.toLocaleString('en')} messages. ${results.at.slice(0, 10)}, \`${results.command}\`, ${results.machine}.`,
  ].join('\n')
}

const tenths = (spread: Spread) => show(spread, (value) => value.toFixed(2))
const whole = (spread: Spread) => show(spread, (value) => Math.round(value).toLocaleString('en'))

function show({ median, low, high }: Spread, format: (value: number) => string): string {
  return low === high ? format(median) : `${format(median)} (${format(low)} to ${format(high)})`
}
