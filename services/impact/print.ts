import { formatNumber, renderJson, renderTable, type Cell, type Column, type TableOrJson } from '../shared/io/render.ts'
import { drawsDefault } from './bootstrap.ts'
import type { Answer } from './answer.ts'
import { assumedOf, fittedOf, warningsOf } from './notes.ts'
import { figureNames, mayBreakEven, type FigureName } from './paid-tier.ts'
import { countScale, estimateText, moneyScale, type Scale } from './scale.ts'
import { serveMicrosPerMonth } from './scenario.ts'

/** Side by side what each scenario comes to; of a single one its years and months, too. */
export function printPaidTier(answers: readonly Answer[], seed: number, format: TableOrJson): string {
  return format === 'json' ? jsonOf(answers, seed) : tablesOf(answers, seed)
}

function tablesOf(answers: readonly Answer[], seed: number): string {
  const [first] = answers
  const scales = scalesOf(answers)
  return [
    `paid tier: ${answers.length === 1 ? 'a scenario' : `${answers.length} scenarios`}, not a forecast; churn is fitted, all else is assumed\n`,
    renderTable(
      [
        { head: '', align: 'left' },
        ...answers.map(({ scenario }): Column => ({ head: scenario.name, align: 'right' })),
      ],
      summaryRows(answers, scales),
    ),
    ...(answers.length === 1 ? [periodTable(first!, 'years'), periodTable(first!, 'months')] : []),
    ...answers.map((answer) =>
      [
        `${answer.file}\n`,
        ...assumedOf(answer).map((line) => `  assumed: ${line}\n`),
        ...fittedOf(answer).map((line) => `  fitted: ${line}\n`),
        ...warningsOf(answer).map((line) => `  note: ${line}\n`),
      ].join(''),
    ),
    legendOf(answers, seed),
  ].join('\n')
}

interface Scales {
  readonly money: Scale
  readonly count: Scale
}

/** One unit for all of a table, so that its cells compare at a glance. */
function scalesOf(answers: readonly Answer[]): Scales {
  const all = (names: readonly FigureName[]) =>
    answers.flatMap(({ projection: { figures } }) => names.map((name) => figures[name] ?? 0))
  return {
    money: moneyScale(all(['revenueMicros', 'costToServeMicros', 'marginMicros']), answers[0]!.scenario.currency),
    count: countScale(all(['payingAtEnd', 'freeAtEnd', 'neededPrimeMembers'])),
  }
}

function summaryRows(answers: readonly Answer[], { money, count }: Scales): Cell[][] {
  const row = (head: string, of: (answer: Answer) => Cell): Cell[] => [head, ...answers.map(of)]
  const figure = (head: string, name: FigureName, scale: Scale) =>
    row(head, (answer) => figureText(answer, name, scale))
  const { currency } = answers[0]!.scenario
  const unit: Scale = { divisor: 1_000_000, decimals: 2, says: currency }
  const months: Scale = { divisor: 1, decimals: 1, says: 'months' }
  const years = Math.max(...answers.map(({ projection }) => projection.years.length))
  return [
    row('horizon, months', ({ scenario }) => scenario.horizonMonths),
    row(`price, ${currency}`, ({ scenario }) => estimateText(Number(scenario.priceMicros), null, unit)),
    row(`cost to serve, ${currency}`, ({ scenario }) => estimateText(serveMicrosPerMonth(scenario), null, unit)),
    figure(`subscribers, ${count.says}`, 'payingAtEnd', count),
    figure(`free with Prime, ${count.says}`, 'freeAtEnd', count),
    figure(`revenue, ${money.says}`, 'revenueMicros', money),
    figure(`cost to serve, ${money.says}`, 'costToServeMicros', money),
    row(`fixed cost, ${money.says}`, ({ projection }) =>
      estimateText(Number(projection.horizon.fixedMicros), null, money),
    ),
    figure(`margin, ${money.says}`, 'marginMicros', money),
    ...Array.from({ length: years }, (_, at) =>
      row(`  of year ${at + 1}`, ({ projection, intervals }) => {
        const year = projection.years[at]
        return year === undefined
          ? ''
          : estimateText(Number(year.marginMicros), intervals?.years[at]!.marginMicros ?? null, money)
      }),
    ),
    figure(`  discounted`, 'presentValueMicros', money),
    figure('lifetime, months', 'lifetimeMonths', months),
    figure('  of one observed', 'residualLifetimeMonths', months),
    row('breaks even in month', ({ projection, scenario }) =>
      projection.breakEvenMonth !== null
        ? String(projection.breakEvenMonth)
        : mayBreakEven(scenario, projection)
          ? `not within ${scenario.horizonMonths}`
          : 'never',
    ),
    figure(`price to break even`, 'breakEvenPriceMicros', unit),
    figure(`new Prime, ${count.says}`, 'neededPrimeMembers', count),
  ]
}

function figureText({ projection, intervals }: Answer, name: FigureName, scale: Scale): string {
  const estimate = projection.figures[name]
  return estimate === null ? '-' : estimateText(estimate, intervals?.figures[name] ?? null, scale)
}

/** Of months the first year, then the last of each year; `free` only where somebody may get it free. */
function periodTable({ scenario, projection, intervals }: Answer, list: 'years' | 'months'): string {
  const periods = projection[list].flatMap((period, at) => {
    const shown = list === 'years' || at < 12 || (at + 1) % 12 === 0 || at + 1 === projection.months.length
    return shown ? [{ period, at, within: intervals?.[list][at] ?? null }] : []
  })
  const sums = ['revenueMicros', 'costToServeMicros', 'marginMicros'] as const
  const money = moneyScale(
    periods.flatMap(({ period }) => sums.map((sum) => Number(period[sum]))),
    scenario.currency,
  )
  const count = countScale(periods.flatMap(({ period }) => [period.paying + period.onTrial, period.freeWithPrime]))
  const heads = [
    list === 'years' ? 'year' : 'month',
    `subscribers, ${count.says}`,
    ...(scenario.prime === null ? [] : ['free']),
    ...[`revenue, ${money.says}`, 'to serve', 'margin'],
  ]
  return renderTable(
    heads.map((head) => ({ head, align: 'right' })),
    periods.map(({ period, at, within }) => [
      String(at + 1),
      estimateText(period.paying + period.onTrial, within?.paying ?? null, count),
      ...(scenario.prime === null ? [] : [estimateText(period.freeWithPrime, within?.freeWithPrime ?? null, count)]),
      ...sums.map((sum) => estimateText(Number(period[sum]), within?.[sum] ?? null, money)),
    ]),
  )
}

function legendOf(answers: readonly Answer[], seed: number): string {
  const lines = [
    'assumed everywhere: all stay by the one fitted curve, paying, free and new to Prime; price does not change take-up',
    'subscribers: on trial or paying at the end; lifetime: discounted, of a new one, and of one who was observed so long',
    'breaks even: earned covers spent, both discounted; new Prime: members it must bring in month 1 until it does',
    ...(answers.some(({ intervals }) => intervals !== null)
      ? [
          `(low to high): 95 %, by ${formatNumber(drawsDefault)} draws of the observed cohort, seed ${seed}: of churn alone, not of what is assumed`,
        ]
      : []),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** Sums as text, because they are exact; `notes` say what an estimate of null means. */
function jsonOf(answers: readonly Answer[], seed: number): string {
  const document = {
    ...{ report: 'paid-tier', kind: 'scenario', seed, draws: drawsDefault, confidence: 0.95 },
    scenarios: answers.map((answer) => {
      const { file, scenario, fit, projection, intervals, whyNone } = answer
      const periods = (list: 'months' | 'years') =>
        projection[list].map((period, at) => ({ ...period, intervals: intervals?.[list][at] ?? null }))
      return {
        ...{ file, scenario, fit, noIntervals: whyNone },
        notes: { assumed: assumedOf(answer), fitted: fittedOf(answer), warnings: warningsOf(answer) },
        figures: Object.fromEntries(
          figureNames.map((name) => [
            name,
            { estimate: projection.figures[name], ...(intervals?.figures[name] ?? { low: null, high: null }) },
          ]),
        ),
        breakEvenMonth: projection.breakEvenMonth,
        horizon: projection.horizon,
        years: periods('years'),
        months: periods('months'),
      }
    }),
  }
  const plain = JSON.stringify(document, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  return renderJson(JSON.parse(plain))
}
