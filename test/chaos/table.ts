/**
 * The figures of README.md from the runs in results.ndjson, so that nobody copies them by hand.
 * `node test/chaos/table.ts` prints the table, `--write` puts it into README.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { spread, type KindFigures, type Summary } from './record.ts'

const readmeFile = join(import.meta.dirname, 'README.md')
const resultsFile = join(import.meta.dirname, 'results.ndjson')
const [begin, end] = ['<!-- figures -->', '<!-- end of figures -->'] as const

export function readResults(): Summary[] {
  const lines = readFileSync(resultsFile, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Summary)
}

export function figures(runs: readonly Summary[]): string {
  const whole = (value: number) => value.toLocaleString('en')
  const sum = (of: (run: Summary) => number) => whole(runs.reduce((total, run) => total + of(run), 0))
  const ends = (who: string) => sum((run) => run.endedByThemselves[who] ?? 0)
  const times = (run: Summary) => Object.values(run.faults).reduce((total, of) => total + of.times, 0)
  const seeds = (brokers: number) =>
    runs.filter((run) => run.brokers === brokers).map((run) => `${run.seed} (${times(run)})`)
  const faults = runs.flatMap((run) => Object.entries(run.faults))
  const all = addUp(faults.map(([, of]) => of))
  const loadOn = spread(all.loadOnAfterMs)
  const rates = runs.map((run) => run.messagesPerSecond)
  return [
    '| | |',
    '| --- | --- |',
    `| runs, by seed (faults) | one broker: ${seeds(1).join(', ') || 'none'}; three: ${seeds(3).join(', ') || 'none'} |`,
    `| faults | ${whole(all.times)} |`,
    `| acknowledged | ${sum((run) => run.messages)} messages: ${sum((run) => run.events)} events, ${sum((run) => run.duplicates)} second copies, ${sum((run) => run.malformed)} malformed |`,
    `| messages a second, outages of Kafka included | ${whole(Math.min(...rates))} to ${whole(Math.max(...rates))} |`,
    `| runs in which load, judge and \`audit\` found nothing | ${runs.filter((run) => run.differences === 0).length} of ${runs.length} |`,
    `| late inserts refused by their lease | ${sum((run) => run.lateInsertsRefused)} |`,
    ...(loadOn === undefined
      ? []
      : [
          `| load on again while one of three brokers is away | median ${secondsOf(loadOn.median)}, worst ${secondsOf(loadOn.worst)}, of ${loadOn.count} |`,
        ]),
    `| ended by themselves | classifiers ${ends('classifiers')}, ClickHouse ${ends('ClickHouse')}, Kafka ${ends('Kafka')} |`,
    '',
    'Recovery: from the end of a fault until every partition has newer rows, where the run waited for it.',
    '',
    '| fault | times | recovery, median | worst | of |',
    '| --- | --- | --- | --- | --- |',
    ...[...Map.groupBy(faults, ([kind]) => kind)]
      .sort(byName)
      .map(([kind, of]) => row(kind, addUp(of.map(([, figuresOf]) => figuresOf)))),
    row('all', all),
  ].join('\n')
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)
const secondsOf = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(1)} s`

function addUp(of: readonly KindFigures[]): KindFigures {
  return {
    times: of.reduce((total, { times }) => total + times, 0),
    recoveriesMs: of.flatMap(({ recoveriesMs }) => recoveriesMs),
    loadOnAfterMs: of.flatMap(({ loadOnAfterMs }) => loadOnAfterMs),
  }
}

function row(name: string, { times, recoveriesMs }: KindFigures): string {
  const recoveries = spread(recoveriesMs)
  const cells =
    recoveries === undefined
      ? ['', '', '0']
      : [secondsOf(recoveries.median), secondsOf(recoveries.worst), String(recoveries.count)]
  return `| ${[name, times.toLocaleString('en'), ...cells].join(' | ')} |`
}

/** README.md with these figures between its marks. */
export function withFigures(readme: string, text: string): string {
  const [before, after] = [readme.indexOf(begin), readme.indexOf(end)]
  if (before === -1 || after === -1) {
    throw new Error(`README.md has no ${begin} … ${end}`)
  }
  return `${readme.slice(0, before + begin.length)}\n\n${text}\n\n${readme.slice(after)}`
}

if (import.meta.main) {
  const text = figures(readResults())
  if (process.argv.includes('--write')) {
    writeFileSync(readmeFile, withFigures(readFileSync(readmeFile, 'utf8'), text))
  } else {
    process.stdout.write(`${text}\n`)
  }
}
