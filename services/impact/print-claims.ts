import { formatMicros } from '../shared/domain/money.ts'
import { formatNumber, renderCsv, renderJson, renderTable, type Cell, type Format } from '../shared/io/render.ts'
import { claimFates, creditMethods, type ClaimFate, type CreditMethod } from '../shared/pipeline/credit-sql.ts'
import type { ClaimDimension } from './claims-sql.ts'
import type { ClaimFigures, ClaimRow, ClaimsReport } from './claims.ts'
import type { ClaimKey } from './naive.ts'
import { estimateText, moneyScale, type Scale } from './scale.ts'

export function printClaims(report: ClaimsReport, format: Format): string {
  return format === 'json' ? jsonOf(report) : format === 'csv' ? csvOf(report) : tablesOf(report)
}

const fieldOf: Readonly<Record<ClaimDimension, keyof ClaimKey>> = {
  cohort_month: 'cohortMonth',
  line: 'line',
  year: 'year',
}
const methodNames: Readonly<Record<CreditMethod, string>> = {
  last_touch: 'last touch',
  equal_split: 'equal split',
  shapley: 'Shapley',
}
const fateNames: Readonly<Record<ClaimFate, string>> = {
  valid: 'valid',
  touched_later: 'touched after the order',
  never_owned: 'never owned',
  before_activation: 'before activation',
  given_back: 'given back',
}

function tablesOf(report: ClaimsReport): string {
  const { from, to, currency } = report
  const money = scaleOf(report)
  return [
    `claims on margin, ${from} to ${to} (UTC), ${money.says}, more in ${currency} each; observational\n`,
    creditTable(report, money),
    fateTable(report),
    notesOf(report)
      .map((line) => `${line}\n`)
      .join(''),
  ].join('\n')
}

const left = (head: string) => ({ head, align: 'left' }) as const
const right = (head: string) => ({ head, align: 'right' }) as const

function headCells({ by }: ClaimsReport, row: ClaimRow): string[] {
  const none = row.product === '' ? '' : 'never owned'
  return [
    row.product === '' ? 'uncredited' : row.product,
    ...by.map((dimension) => row[fieldOf[dimension]] || (dimension === 'cohort_month' ? none : '')),
  ]
}

/** Of all sums that are shown, so that they compare at a glance. */
function scaleOf({ rows, totals, currency }: ClaimsReport): Scale {
  const shown = [...rows.map(({ figures }) => figures), totals].filter((figures) => figures !== null)
  const sums = shown.flatMap(({ claimedMicros, creditMicros }) => [claimedMicros, ...Object.values(creditMicros)])
  return moneyScale(sums.map(Number), currency)
}

function creditTable(report: ClaimsReport, money: Scale): string {
  const { by, rows, totals, currency } = report
  const each: Scale = { divisor: 1_000_000, decimals: 2, says: currency }
  const sum = (micros: bigint) => estimateText(Number(micros), null, money)
  const credits = (figures: Pick<ClaimFigures, 'creditMicros'>) =>
    creditMethods.map((method) => sum(figures.creditMicros[method]))
  return renderTable(
    [
      ...['product', ...by].map(left),
      ...['owners', 'more each', 'claimed', 'over'].map(right),
      ...creditMethods.map((method) => right(methodNames[method])),
    ],
    [
      ...rows.map((row): Cell[] => {
        const { figures } = row
        if (figures === null) return [...headCells(report, row), null, 'hidden']
        const { naive, owners, claimedMicros, overClaimFactor } = figures
        const isProduct = row.product !== ''
        return [
          ...headCells(report, row),
          owners,
          naive === null ? '' : estimateText(naive.estimate, intervalOf(naive), each),
          ...(isProduct ? [sum(claimedMicros), factorText(overClaimFactor)] : ['', '']),
          ...credits(figures),
        ]
      }),
      ...(totals === null
        ? []
        : [
            [
              ...['all', ...by.map(() => '')],
              ...[null, '', sum(totals.claimedMicros), factorText(totals.overClaimFactor)],
              ...credits(totals),
            ],
          ]),
    ],
  )
}

function fateTable(report: ClaimsReport): string {
  const { by, rows, totals } = report
  const counts = ({ claims }: Pick<ClaimFigures, 'claims'>) => claimFates.map((fate) => claims[fate])
  return renderTable(
    [...['claims of', ...by].map(left), ...claimFates.map((fate) => right(fateNames[fate]))],
    [
      ...rows
        .filter(({ product }) => product !== '')
        .map((row): Cell[] => [
          ...headCells(report, row),
          ...(row.figures === null ? ['hidden'] : counts(row.figures)),
        ]),
      ...(totals === null ? [] : [['all', ...by.map(() => ''), ...counts(totals)]]),
    ],
  )
}

/** Sentences under the tables, also in JSON. */
function notesOf({ refunds, otherCurrencies, totals, currency, rows }: ClaimsReport): string[] {
  const n = formatNumber
  return [
    'more: mean margin of an owner minus that of a household that does not own it (Welch, 95 %): what it credits they might spend without it, too',
    'claimed: the whole margin once for each claim, valid or not; over: what all claim of these orders, over their margin',
    'last touch and equal split: over valid claims; Shapley: over the products owned, by what households with more of them spend',
    ...(totals === null
      ? ['under 11 households: no totals']
      : [
          `credits and what is uncredited are the margin of ${n(totals.orders)} lines of orders and refunds, ${formatMicros(totals.marginMicros)} ${currency}, to the micro-unit`,
        ]),
    ...(rows.some(({ figures }) => figures === null)
      ? ['hidden: under 11 households, or needed to hide such a row']
      : []),
    ...(refunds.ordersRefundedTwice > 0
      ? [`${n(refunds.ordersRefundedTwice)} lines of orders were taken back more than once; every refund counts`]
      : []),
    ...(refunds.withoutOrder > 0
      ? [`${n(refunds.withoutOrder)} refunds are of no order that is stored and are credited by their own claims`]
      : []),
    ...otherCurrencies.map(
      (other) =>
        `left out, because nothing here converts: ${n(other.lines)} lines in ${other.currency}, margin ${formatMicros(other.marginMicros)}`,
    ),
  ]
}

/** Sums as text, because they are exact. */
function jsonOf(report: ClaimsReport): string {
  const document = { report: 'claims', kind: 'observational', confidence: 0.95, ...report, notes: notesOf(report) }
  const plain = JSON.stringify(document, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  return renderJson(JSON.parse(plain))
}

function csvOf({ by, rows, totals, currency }: ClaimsReport): string {
  const figures = (of: Omit<ClaimFigures, 'owners' | 'naive'>): Cell[] => [
    ...[of.households, String(of.claimedMicros), of.overClaimFactor],
    ...creditMethods.map((method) => String(of.creditMicros[method])),
    ...claimFates.map((fate) => of.claims[fate]),
  ]
  const blanks = Array.from({ length: 3 + creditMethods.length + claimFates.length + 4 }, () => null)
  return renderCsv(
    [
      ...['record', 'product', ...by, 'currency', 'hidden', 'households', 'claimed_micros', 'over_claim_factor'],
      ...creditMethods.map((method) => `${method}_micros`),
      ...claimFates.map((fate) => `claims_${fate}`),
      ...['owners', 'naive_micros', 'naive_low_micros', 'naive_high_micros'],
    ],
    [
      ...rows.map((row): (Cell | boolean)[] => {
        const { product, figures: told } = row
        const head = [
          product === '' ? 'uncredited' : 'product',
          product,
          ...by.map((name) => row[fieldOf[name]]),
          currency,
        ]
        return told === null
          ? [...head, true, ...blanks]
          : [
              ...[...head, false, ...figures(told), told.owners],
              ...[told.naive?.estimate ?? null, told.naive?.low ?? null, told.naive?.high ?? null],
            ]
      }),
      ...(totals === null
        ? []
        : [['all', '', ...by.map(() => ''), currency, false, ...figures(totals), null, null, null, null]]),
    ],
  )
}

const factorText = (factor: number | null) => (factor === null ? '' : factor.toFixed(2))

function intervalOf({ low, high }: { low: number | null; high: number | null }) {
  return low === null || high === null ? null : { low, high }
}
