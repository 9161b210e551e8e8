/** The results as a table, for a terminal and for README.md. */
import { contenders } from './contender.ts'
import type { BenchResults, ContenderResult, Spread } from './summary.ts'

/** One row a figure, one column a contender; below it one row a ratio. */
export function renderTable(results: BenchResults): string {
  const ofProcess = (read: (one: ContenderResult) => string) => (one: ContenderResult) =>
    'engine' in contenders[one.contender] ? 'none' : read(one)
  const figures: [string, (one: ContenderResult) => string][] = [
    ['events/s (wall, until the last message is stored)', (one) => whole(one.eventsPerSecond)],
    [
      'its process: CPU s per million events, start and stop included',
      ofProcess((one) => tenths(one.processCpuPerMillion)),
    ],
    ['the same from the join to the last message stored', ofProcess((one) => tenths(one.drainCpuPerMillion))],
    ['start and stop of its process: CPU s', ofProcess((one) => tenths(one.startCpuSeconds))],
    ['ClickHouse: CPU s per million events', (one) => tenths(one.clickHouseCpuPerMillion)],
    ['the same and the merges left behind', (one) => tenths(one.clickHouseAndMergesCpuPerMillion)],
    ['Kafka: CPU s per million events', (one) => tenths(one.kafkaCpuPerMillion)],
    ['its process: largest memory, MB', ofProcess((one) => whole(one.memoryPeakMb))],
    ['events per CPU s of its process and ClickHouse, merges included', (one) => whole(one.eventsPerCpuSecond)],
  ]
  const context = `Medians of ${results.rounds} runs in turn (lowest to highest), ${results.messages.toLocaleString('en')} messages. ${results.at.slice(0, 10)}, \`${results.command}\`, ${results.machine}.`
  return [
    ...table(
      ['', ...results.contenders.map(({ contender }) => contenders[contender].title)],
      figures.map(([name, read]) => [name, ...results.contenders.map(read)]),
    ),
    '',
    ...(results.ratios.length === 0 ? [] : [...renderRatios(results), '']),
    context,
  ].join('\n')
}

function renderRatios({ ratios }: BenchResults): string[] {
  return table(
    ['this project does so many times the', 'events per CPU s', 'events/s'],
    ratios.map((ratio) => [
      `of ${contenders[ratio.against].title}`,
      tenths(ratio.eventsPerCpuSecond),
      tenths(ratio.eventsPerSecond),
    ]),
  )
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)]
}

const tenths = (spread: Spread) => show(spread, (value) => value.toFixed(2))
const whole = (spread: Spread) => show(spread, (value) => Math.round(value).toLocaleString('en'))

function show({ median, low, high }: Spread, format: (value: number) => string): string {
  return low === high ? format(median) : `${format(median)} (${format(low)} to ${format(high)})`
}
