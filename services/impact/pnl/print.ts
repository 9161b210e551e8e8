import {
  formatNumber,
  renderCsv,
  renderJson,
  renderTable,
  type Cell,
  type Column,
  type Format,
} from '../../shared/io/render.ts'
import { estimateText, moneyScale, type Scale } from '../scale.ts'
import type { Entry, LivedEntry, NumberEstimate, PnlDocument, ProductEntry, TextEstimate } from './document.ts'

export const groupings = ['product', 'cohort'] as const
export type Grouping = (typeof groupings)[number]

export function printPnl(document: PnlDocument, by: Grouping, format: Format): string {
  if (format === 'json') return renderJson(document)
  return format === 'csv' ? csvOf(document, by) : tablesOf(document, by)
}

function tablesOf(document: PnlDocument, by: Grouping): string {
  const { from, to, currency, products, assumptions, notes } = document
  return [
    `profit or loss of a device, ${from} to ${to}: as claimed (DSI), and with what there would not be without it\n`,
    summaryTable(document),
    ...products
      .filter(({ suppressed }) => !suppressed)
      .flatMap((product) => [
        productTable(product, currency),
        by === 'cohort' ? cohortTable(product, currency) : yearTable(product, currency),
      ]),
    [
      ...assumptions.map((line) => `assumed: ${line}\n`),
      ...notes.map((line) => `note: ${line}\n`),
      ...legendOf(document).map((line) => `${line}\n`),
    ].join(''),
  ].join('\n')
}

/** One line a product: which of them earn, by either way to count. */
export function summaryTable({ products, currency }: PnlDocument): string {
  const unit = unitOf(currency)
  return renderTable(
    [
      { head: 'product', align: 'left' },
      ...['devices', 'returned', `claimed, ${currency}`, 'incremental', 'pays back', 'incremental'].map(right),
    ],
    products.map((product) => [
      product.product,
      product.devices ?? 'suppressed',
      product.returned,
      product.perDevice && moneyText(product.perDevice.asClaimedMicros, unit),
      product.perDevice && estimateCell(product.perDevice.incremental, unit),
      paybackText(product, 'asClaimed'),
      paybackText(product, 'incremental'),
    ]),
  )
}

function productTable(product: ProductEntry, currency: string): string {
  const { lines, asClaimed, incremental, perDevice, life, seenMonths } = product
  const total = moneyScale(sumsOf(product), currency)
  const unit = unitOf(currency)
  const each = (micros: string) => (product.devices === 0 ? '' : moneyText(Number(micros) / product.devices!, unit))
  const line = (head: string, micros: string): Cell[] => {
    const [apart, all] = [each(micros), moneyText(micros, total)]
    return [head, apart, all, apart, all]
  }
  const last = life.at(-1)
  const downstream = incremental && perOwnDevice(incremental.downstream, product.devices!)
  return renderTable(
    [
      { head: product.product, align: 'left' },
      ...[`as claimed, ${currency}`, `all, ${total.says}`, `incremental, ${currency}`, `all, ${total.says}`].map(right),
    ],
    [
      line('price', lines!.priceMicros),
      line('cost of goods', negated(lines!.costOfGoodsMicros)),
      line('freight', negated(lines!.freightMicros)),
      line('returns', negated(lines!.returnsMicros)),
      line('cost to serve', negated(lines!.costToServeMicros)),
      line('device alone', lines!.deviceAloneMicros),
      [
        'downstream margin',
        each(asClaimed!.downstreamMicros),
        moneyText(asClaimed!.downstreamMicros, total),
        estimateCell(downstream, unit),
        estimateCell(incremental?.downstream ?? null, total),
      ],
      [
        'profit or loss',
        perDevice && moneyText(perDevice.asClaimedMicros, unit),
        moneyText(asClaimed!.profitMicros, total),
        estimateCell(perDevice?.incremental ?? null, unit),
        estimateCell(incremental?.profit ?? null, total),
      ],
      [
        `by month ${seenMonths}`,
        last === undefined ? '' : moneyText(last.asClaimedMicros, unit),
        '',
        last === undefined ? '' : estimateCell(last.incremental, unit),
        '',
      ],
      ['pays back', paybackText(product, 'asClaimed'), '', paybackText(product, 'incremental'), ''],
    ],
  )
}

function perOwnDevice({ micros, low, high }: TextEstimate, devices: number): NumberEstimate | null {
  const bound = (sum: string | null) => (sum === null ? null : Number(sum) / devices)
  return devices === 0 ? null : { micros: Number(micros) / devices, low: bound(low), high: bound(high) }
}

function yearTable({ years, product }: ProductEntry, currency: string): string {
  const scale = moneyScale(years.flatMap(sumsOf), currency)
  return renderTable(
    [
      { head: product, align: 'left' },
      ...['devices', 'owners', `device alone, ${scale.says}`, 'as claimed', 'incremental'].map(right),
    ],
    years.map(({ year, owners, ...entry }) => [
      String(year),
      entry.devices ?? 'suppressed',
      owners,
      ...profitCells(entry, scale),
    ]),
  )
}

function cohortTable({ cohorts, product }: ProductEntry, currency: string): string {
  const scale = moneyScale(cohorts.flatMap(sumsOf), currency)
  return renderTable(
    [
      { head: product, align: 'left' },
      ...['devices', `device alone, ${scale.says}`, 'as claimed', 'incremental', 'pays back', 'incremental'].map(right),
    ],
    cohorts.map((entry) => [
      entry.cohort,
      entry.devices ?? 'suppressed',
      ...profitCells(entry, scale),
      paybackText(entry, 'asClaimed'),
      paybackText(entry, 'incremental'),
    ]),
  )
}

function profitCells({ lines, asClaimed, incremental, suppressed }: Entry, scale: Scale): Cell[] {
  return suppressed
    ? ['', '', '']
    : [
        moneyText(lines!.deviceAloneMicros, scale),
        moneyText(asClaimed!.profitMicros, scale),
        estimateCell(incremental?.profit ?? null, scale),
      ]
}

/** `month 14`, `not within 60 months`; empty where it is hidden, or not known. */
export function paybackText(entry: LivedEntry, side: 'asClaimed' | 'incremental'): string {
  if (entry.paybackMonth === null || (side === 'incremental' && entry.incremental === null)) return ''
  const month = entry.paybackMonth[side]
  return month === null ? `not in ${entry.seenMonths} months` : `month ${month}`
}

/** `12.3 (11.9 to 12.8)`; `-` where nothing is known, and where nothing bounds it `12.3 (?)`. */
export function estimateCell(estimate: TextEstimate | NumberEstimate | null, scale: Scale): string {
  if (estimate === null) return '-'
  const { micros, low, high } = estimate
  return low === null || high === null
    ? `${moneyText(micros, scale)} (?)`
    : estimateText(Number(micros), { low: Number(low), high: Number(high) }, scale)
}

const moneyText = (micros: string | number, scale: Scale) => estimateText(Number(micros), null, scale)
const negated = (micros: string) => String(-BigInt(micros))
const right = (head: string): Column => ({ head, align: 'right' })
export const unitOf = (currency: string): Scale => ({ divisor: 1_000_000, decimals: 2, says: currency })

/** All sums that a scale must fit. */
function sumsOf({ lines, asClaimed, incremental }: Entry): number[] {
  const { low, high } = incremental?.profit ?? { low: null, high: null }
  const sums: readonly (string | null)[] = [...Object.values<string>({ ...lines, ...asClaimed }), low, high]
  return sums.map(Number)
}

export function legendOf({ discountPerYear, horizonMonths, requestsPerEvent }: PnlDocument): string[] {
  const discounted =
    discountPerYear === 0
      ? 'not discounted'
      : `discounted by ${Number((discountPerYear * 100).toPrecision(4))} % a year`
  return [
    'as claimed: the margin of every order that the product’s team claims, as the teams count: an order counts for each of them',
    'incremental (low to high): 95 %, holdout by lot: effect per owner (exposure-scaled) in each calendar year times owners at its',
    '  end, spread over cohorts and months by owner-days; of cohorts and by age bounds of years are added, so rather too wide',
    '  by month: what a device has come to when it is so old, a mean over the cohorts that were, discounted',
    `pays back: the month of a device's life from whose end on it has brought what it cost, ${discounted}, ${horizonMonths} months at most`,
    `a stored event stands for ${formatNumber(requestsPerEvent)} requests; a device counts in the month it was activated, its owner in that of the first`,
    'suppressed: fewer than 11 households, or one that would give such a cell away',
  ]
}

const lineNames = [
  ...(['priceMicros', 'costOfGoodsMicros', 'freightMicros', 'returnsMicros', 'costToServeMicros'] as const),
  'deviceAloneMicros',
] as const

function csvOf({ products, currency }: PnlDocument, by: Grouping): string {
  const head = [
    ...['product', ...(by === 'cohort' ? ['cohort'] : []), 'currency', 'devices', 'returned', ...lineNames.map(snake)],
    ...[
      'claimed_micros',
      'claimed_profit_micros',
      'incremental_micros',
      'incremental_low_micros',
      'incremental_high_micros',
    ],
    ...['incremental_profit_micros', 'incremental_profit_low_micros', 'incremental_profit_high_micros'],
    ...['seen_months', 'payback_month_claimed', 'payback_month_incremental', 'suppressed'],
  ]
  const rows = products.flatMap((product) =>
    by === 'cohort'
      ? product.cohorts.map((entry) => [product.product, entry.cohort, ...csvCells(entry, currency)])
      : [[product.product, ...csvCells(product, currency)]],
  )
  return renderCsv(head, rows)
}

function csvCells(entry: LivedEntry, currency: string): (Cell | boolean)[] {
  const { lines, asClaimed, incremental, paybackMonth } = entry
  const estimate = (one: TextEstimate | undefined) => [one?.micros ?? null, one?.low ?? null, one?.high ?? null]
  return [
    ...[currency, entry.devices, entry.returned, ...lineNames.map((name) => lines?.[name] ?? null)],
    ...[asClaimed?.downstreamMicros ?? null, asClaimed?.profitMicros ?? null],
    ...[...estimate(incremental?.downstream), ...estimate(incremental?.profit)],
    ...[entry.seenMonths, paybackMonth?.asClaimed ?? null, paybackMonth?.incremental ?? null, entry.suppressed],
  ]
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
