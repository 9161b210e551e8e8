import { parseArgs } from 'node:util'

import { broad, STRICT } from '../support/usage-model.ts'
import { auditCoverage } from './audit.ts'
import { detection, runLength } from './drift.ts'
import { falsePages } from './false-pages.ts'
import { holdoutCoverage } from './holdout.ts'
import { kitagawaCoverage } from './kitagawa.ts'
import { alarmRate } from './paired.ts'
import { peekingRate } from './peeking.ts'
import { diffCoverage } from './replay-diff.ts'
import { retentionCoverage } from './retention.ts'

/** The tables of README.md: `node test/statistics/main.ts paired peeking kitagawa drift audit diff retention pages holdout`, with --scale 0.1 for a look. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
})
const seed = Number(values.seed)
const scaled = (draws: number) => Math.max(1, Math.round(draws * Number(values.scale)))

const shares = [
  ['broad 30 %', broad(0.3)],
  ['strict 1 %', STRICT[0.01]],
] as const

const tables: Record<string, () => void | Promise<void>> = {
  paired() {
    row('share, households', 'day shocks', 'change', 'fires, %', 'without tau squared', 'median of 6')
    row('---', '---', '---', '---', '---', '---')
    for (const [name, share] of shares)
      for (const households of [2_000, 20_000])
        for (const dayShocks of [0, 0.03])
          for (const change of [0, -0.2]) {
            const draws = scaled(households === 2_000 ? 10_000 : 2_000)
            const cells = [{}, { dayShocks: false }, { centre: 'median' as const }].map((options) => {
              const { percent, error } = alarmRate({ share, households, change, dayShocks }, { draws, seed }, options)
              return `${percent.toFixed(2)} ± ${error.toFixed(2)}`
            })
            row(`${name}, ${households}`, `${100 * dayShocks} %`, `${100 * change} %`, ...cells)
          }
  },
  kitagawa() {
    row('households', 'moved', 'rate', 'mix', 'total')
    row('---', '---', '---', '---', '---')
    for (const households of [300, 2_000, 10_000])
      for (const [name, mixMoves, rateMoves] of [
        ['nothing', false, false],
        ['mix', true, false],
        ['mix and rate', true, true],
      ] as const) {
        const draws = scaled(households === 10_000 ? 1_000 : 4_000)
        const { rate, mix, total } = kitagawaCoverage({ households, mixMoves, rateMoves }, { draws, seed })
        row(String(households), name, ...[rate, mix, total].map((percent) => percent.toFixed(1)))
      }
  },
  drift() {
    row(
      'share',
      'households change',
      'day shocks',
      'days per false alarm',
      'alarms',
      'falls',
      'textbook',
      'finds -20 %',
    )
    row('---', '---', '---', '---', '---', '---', '---', '---')
    for (const [name, share] of shares)
      for (const slow of [false, true])
        for (const dayShocks of [0, 0.03]) {
          const scenario = { share, households: 2_000, slow, dayShocks }
          const found = runLength(scenario, { runs: scaled(slow ? 300 : 100), days: 556, seed })
          const { percent, medianDays } = detection(scenario, { runs: scaled(100), seed })
          row(
            name,
            slow ? 'slowly, with weekdays' : 'not',
            `${100 * dayShocks} %`,
            found.alarms === 0 ? `> ${found.watched}` : found.runLength.toFixed(0),
            String(found.alarms),
            String(found.falls),
            found.textbookRunLength.toFixed(0),
            `${percent.toFixed(0)} %, median ${medianDays ?? '-'} days`,
          )
        }
  },
  audit() {
    row('audit', 'events', 'true share', '2,000', '20,000', '200,000')
    row('---', '---', '---', '---', '---', '---')
    for (const method of ['random', 'by label'] as const)
      for (const events of [300, 1_000, 5_000, 20_000])
        for (const theta of [0.005, 0.01, 0.02, 0.3]) {
          const cells = [2_000, 20_000, 200_000].map((effectiveRequests) => {
            const scenario = { method, theta, events, effectiveRequests }
            const { coverage, relativeHalfWidth } = auditCoverage(scenario, { draws: scaled(20_000), seed })
            return `${coverage.toFixed(1)} (${relativeHalfWidth.toFixed(0)})`
          })
          row(method, String(events), `${100 * theta} %`, ...cells)
        }
  },
  diff() {
    row('households', 'requests in question', 'become', 'coverage', 'without an interval, %')
    row('---', '---', '---', '---', '---')
    for (const households of [50, 300, 2_000, 20_000])
      for (const [name, moved] of [
        ['10 %, of 40 % of households', { contributing: 0.4, a: 1, b: 3 }],
        ['1 %, of 3 % of households', STRICT[0.01]],
      ] as const)
        for (const become of ['monetised', 'no request', 'either'] as const) {
          const draws = scaled(households === 20_000 ? 1_000 : 4_000)
          const { coverage, without } = diffCoverage({ households, moved, become }, { draws, seed })
          row(String(households), name, become, coverage.toFixed(1), without.toFixed(1))
        }
  },
  retention() {
    row('truth', 'customers', 'months seen', 'alive at 60', 'months until 60', 'lifetime', 'without an interval, %')
    row('---', '---', '---', '---', '---', '---', '---')
    for (const [name, truth] of [
      ['alpha 0.668, beta 3.806', { churn: 0.668 / 4.474, spread: 1 / 4.474 }],
      ['alpha 0.704, beta 1.182', { churn: 0.704 / 1.886, spread: 1 / 1.886 }],
      ['5 % a month', { churn: 0.05, spread: 0 }],
    ] as const)
      for (const customers of [30, 100, 1_000, 10_000])
        for (const months of [3, 7, 12]) {
          const scenario = { truth, customers, months, horizonMonths: 60 }
          const found = retentionCoverage(scenario, { draws: scaled(400), resamples: 400, seed })
          const cells = [found.atEnd, found.overHorizon, found.lifetime].map(({ coverage, relativeHalfWidth }) =>
            Number.isNaN(coverage) ? '-' : `${coverage.toFixed(1)} (${relativeHalfWidth.toFixed(0)})`,
          )
          row(name, String(customers), String(months), ...cells, found.without.toFixed(1))
        }
  },
  peeking() {
    row('share, households', 'day shocks', 'change', 'fires, %', 'by the interval of a single look')
    row('---', '---', '---', '---', '---')
    for (const [name, share] of shares)
      for (const dayShocks of [0, 0.03])
        for (const change of [0, -0.1]) {
          const scenario = { share, households: 2_000, change, dayShocks }
          const { sequence, single } = peekingRate(scenario, { draws: scaled(1_000), seed })
          const cells = [sequence, single].map(({ percent, error }) => `${percent.toFixed(2)} ± ${error.toFixed(2)}`)
          row(`${name}, 2000`, `${100 * dayShocks} %`, `${100 * change} %`, ...cells)
        }
  },
  holdout() {
    const heads = ['truth', 'naive says', 'half-width', 'CUPED']
    const intervals = [
      ...['intentionToTreat', 'intentionToTreatCuped', 'exposureScaled', 'exposureScaledCuped', 'placebo'],
      ...['credibility', 'naive', 'differenceInDifferences', 'regressionAdjusted'],
    ] as const
    const names = ['ITT', 'ITT, CUPED', 'per owner', 'CUPED', 'placebo', 'ratio', 'naive', 'DiD', 'regression']
    row('product', 'margin of', ...heads, ...names)
    row('---', '---', ...heads.map(() => '---'), ...names.map(() => '---'))
    for (const found of holdoutCoverage({ households: 10_000 }, { seeds: scaled(200), seed }))
      row(
        ...[found.product, found.line ?? 'all lines'],
        ...[found.truth, found.naive, found.halfWidth.plain, found.halfWidth.cuped].map((dollars) =>
          dollars.toFixed(1),
        ),
        ...intervals.map((name) => (Number.isNaN(found.covered[name]) ? '-' : found.covered[name].toFixed(1))),
      )
  },
  async pages() {
    row('day shocks', 'rule', 'pages', 'cohort-days', 'pages per 1,000 cohort-days', 'ticks with a page, %')
    row('---', '---', '---', '---', '---', '---')
    const scenarios = [0, 0.02, 0.03].map((dayShocks) => ({
      ...{ dayShocks, seeds: [seed, seed + 1, seed + 2], days: scaled(180), householdsPerCountry: 20_000 },
    }))
    await falsePages(scenarios, ({ dayShocks }, found) => {
      for (const { rule, pages, cohortDays, rate, ticks } of found) {
        const within = ({ estimate, low, high }: typeof rate, digits: number, times = 1) =>
          `${(times * estimate).toFixed(digits)} (${(times * low).toFixed(digits)} to ${(times * high).toFixed(digits)})`
        row(
          ...[`${100 * dayShocks} %`, rule, String(pages), String(Math.round(cohortDays))],
          ...[within(rate, 3), within(ticks, 1, 100)],
        )
      }
    })
  },
}

for (const name of positionals.length > 0 ? positionals : Object.keys(tables)) {
  const table = tables[name]
  if (table === undefined) {
    process.stderr.write(`there is no table ${name}; there are ${Object.keys(tables).join(', ')}\n`)
    process.exitCode = 1
    break
  }
  process.stdout.write(`\n${name}, seed ${seed}, scale ${values.scale}\n\n`)
  await table()
}

function row(...cells: string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}
