import { formatNumber } from '../../shared/io/render.ts'
import type { Entry, PnlDocument, ProductEntry } from '../pnl/document.ts'
import { estimateCell, legendOf, paybackText, unitOf } from '../pnl/print.ts'
import { estimateText, moneyScale, type Scale } from '../scale.ts'
import { barPlot, coursePlot } from './charts.ts'
import { plantedText, type Comparison, type PlantedProduct } from './planted.ts'

/** What the page shows: a profit and loss, and each estimate beside the truth that was planted. */
export interface ImpactPage {
  readonly title: string
  /** Sentences above all. */
  readonly about: readonly string[]
  readonly pnl: PnlDocument
  readonly planted: readonly PlantedProduct[]
}

/** One page of HTML that stands alone: plots as SVG, tables, no script, nothing from elsewhere. */
export function renderImpactPage({ title, about, pnl, planted }: ImpactPage): string {
  const { products, currency, assumptions, notes } = pnl
  const shown = products.filter(({ suppressed }) => !suppressed)
  const plantedOf = (product: string) => planted.find((one) => one.product === product)
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>\n<style>${style}</style>\n</head>\n<body>`,
    `<h1>${escaped(title)}</h1>`,
    ...about.map((line) => `<p>${escaped(line)}</p>`),
    `<h2>A device, ${currency}</h2>`,
    devicesPlot(shown, planted, currency),
    devicesTable(shown, planted, currency),
    ...shown.map((product) => productPart(product, plantedOf(product.product), pnl)),
    '<h2>What this rests on</h2>\n<ul>',
    ...[...assumptions.map((line) => `assumed: ${line}`), ...notes, ...legendOf(pnl)].map(
      (line) => `<li>${escaped(line.trim())}</li>`,
    ),
    '</ul>\n</body>\n</html>\n',
  ].join('\n')
}

const wide = { width: 960, height: 320 }
const half = { width: 560, height: 300 }

function devicesPlot(products: readonly ProductEntry[], planted: readonly PlantedProduct[], currency: string): string {
  const units = (micros: number | null | undefined) => round((micros ?? 0) / 1e6)
  return figure(
    barPlot(
      {
        ...{ unit: currency, groups: products.map(({ product }) => product) },
        bars: [
          { name: 'as claimed', values: products.map(({ perDevice }) => units(perDevice?.asClaimedMicros)) },
          { name: 'incremental', values: products.map(({ perDevice }) => units(perDevice?.incremental?.micros)) },
          { name: 'planted', values: products.map((one) => units(plantedPerDevice(one, planted))) },
        ],
      },
      wide,
    ),
    'profit or loss of a device',
  )
}

function devicesTable(products: readonly ProductEntry[], planted: readonly PlantedProduct[], currency: string): string {
  const unit = unitOf(currency)
  return table(
    ['product', 'devices', 'as claimed', 'incremental', 'planted', 'pays back as claimed', 'pays back'],
    products.map((product) => [
      product.product,
      formatNumber(product.devices!),
      moneyText(product.perDevice?.asClaimedMicros, unit),
      estimateCell(product.perDevice?.incremental ?? null, unit),
      moneyText(plantedPerDevice(product, planted), unit),
      paybackText(product, 'asClaimed'),
      paybackText(product, 'incremental'),
    ]),
  )
}

function productPart(product: ProductEntry, truth: PlantedProduct | undefined, { currency }: PnlDocument): string {
  const scale = moneyScale(
    product.cumulative.map(({ asClaimedMicros }) => Number(asClaimedMicros)),
    currency,
  )
  return [
    `<h2>${escaped(product.product)}</h2>\n<div class="pair">`,
    figure(cumulativePlot(product, truth, scale), 'profit or loss since the first device'),
    linesTable(product, scale),
    '</div>',
    yearsTable(product, truth, scale),
    ...(truth === undefined ? [] : [comparisonTable(truth, currency)]),
  ].join('\n')
}

function cumulativePlot({ cumulative, years }: ProductEntry, truth: PlantedProduct | undefined, scale: Scale): string {
  const shown = (micros: string | number) => round(Number(micros) / scale.divisor)
  const known = cumulative.flatMap(({ incremental }) => incremental ?? [])
  const band = known.flatMap(({ low, high }) =>
    low === null || high === null ? [] : ([[shown(low), shown(high)]] as const),
  )
  const course = {
    name: 'incremental',
    values: known.map(({ micros }) => shown(micros)),
    ...(band.length === cumulative.length ? { band } : {}),
  }
  return coursePlot(
    {
      ...{ unit: scale.says, places: cumulative.map(({ month }) => month) },
      courses: [
        { name: 'as claimed', values: cumulative.map(({ asClaimedMicros }) => shown(asClaimedMicros)) },
        ...(known.length === cumulative.length ? [course] : []),
      ],
      ...(truth === undefined
        ? {}
        : { points: { name: 'planted', at: plantedCourse(years, truth).map(([at, micros]) => [at, shown(micros)]) } }),
    },
    half,
  )
}

/** Where the truth puts profit or loss at the end of each year. */
function plantedCourse(years: ProductEntry['years'], { sums }: PlantedProduct): (readonly [string, number])[] {
  let upTo = 0
  return years.map(({ year, lines }) => {
    const caused = sums.find(({ what }) => what === String(year))?.plantedMicros ?? 0
    upTo += Number(lines?.deviceAloneMicros ?? 0) + caused
    return [`${year}-12`, upTo] as const
  })
}

function linesTable({ lines, asClaimed, incremental }: ProductEntry, scale: Scale): string {
  const cost = (micros: string) => moneyText(-Number(micros), scale)
  const both = (what: string, text: string) => [what, text, text]
  return table(
    [scale.says, 'as claimed (DSI)', 'incremental'],
    [
      both('price', moneyText(lines!.priceMicros, scale)),
      both('cost of goods', cost(lines!.costOfGoodsMicros)),
      both('freight', cost(lines!.freightMicros)),
      both('returns', cost(lines!.returnsMicros)),
      both('cost to serve', cost(lines!.costToServeMicros)),
      both('device alone', moneyText(lines!.deviceAloneMicros, scale)),
      [
        'downstream margin',
        moneyText(asClaimed!.downstreamMicros, scale),
        estimateCell(incremental?.downstream ?? null, scale),
      ],
      ['profit or loss', moneyText(asClaimed!.profitMicros, scale), estimateCell(incremental?.profit ?? null, scale)],
    ],
  )
}

function yearsTable({ years }: ProductEntry, truth: PlantedProduct | undefined, scale: Scale): string {
  return table(
    [
      scale.says,
      'devices',
      'owners',
      'device alone',
      'claimed',
      'incremental',
      'planted',
      'holds it',
      'profit claimed',
      'profit',
    ],
    years.map((entry) => {
      const told = truth?.sums.find(({ what }) => what === String(entry.year))
      return [
        String(entry.year),
        ...yearCells(entry, scale),
        ...plantedCells(told, scale),
        ...profitCells(entry, scale),
      ]
    }),
  )
}

function yearCells(entry: ProductEntry['years'][number], scale: Scale): string[] {
  const { devices, owners, lines, asClaimed, incremental } = entry
  return entry.suppressed
    ? ['suppressed', '', '', '', '']
    : [
        formatNumber(devices!),
        owners === null ? '' : formatNumber(owners),
        moneyText(lines!.deviceAloneMicros, scale),
        moneyText(asClaimed!.downstreamMicros, scale),
        estimateCell(incremental?.downstream ?? null, scale),
      ]
}

function profitCells({ asClaimed, incremental }: Entry, scale: Scale): string[] {
  return [moneyText(asClaimed?.profitMicros, scale), estimateCell(incremental?.profit ?? null, scale)]
}

function comparisonTable({ comparisons }: PlantedProduct, currency: string): string {
  const unit = unitOf(currency)
  return table(
    [`margin, ${currency}`, 'estimate', 'planted', 'holds it'],
    comparisons.map((one) => [
      `${one.what}${one.isObservational ? ' (observational)' : ''}`,
      estimateCell(one.estimate, unit),
      ...plantedCells(one, unit),
    ]),
  )
}

function plantedCells(one: Comparison | undefined, scale: Scale): readonly string[] {
  return one === undefined ? ['', ''] : plantedText(one, scale)
}

function plantedPerDevice({ product, devices }: ProductEntry, planted: readonly PlantedProduct[]): number | null {
  const found = planted.find((one) => one.product === product)
  return found === undefined || !devices ? null : Number(found.profitMicros) / devices
}

function moneyText(micros: string | number | null | undefined, scale: Scale): string {
  return micros === null || micros === undefined ? '' : estimateText(Number(micros), null, scale)
}

const round = (value: number) => Math.round(value * 100) / 100

function figure(svg: string, caption: string): string {
  return `<figure>${svg}<figcaption>${escaped(caption)}</figcaption></figure>`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'th' | 'td') =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<table>\n<thead>${line(head, 'th')}</thead>\n<tbody>\n${rows.map((row) => line(row, 'td')).join('\n')}\n</tbody>\n</table>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const style = [
  'body{font:14px/1.5 system-ui,sans-serif;max-width:1120px;margin:2rem auto;padding:0 1rem;color:#1f2937}',
  'table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid #e5e7eb}',
  'th:first-child,td:first-child{text-align:left}figure{margin:1rem 0}figcaption{color:#6b7280}',
  '.pair{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:center}svg{max-width:100%;height:auto}',
].join('')
