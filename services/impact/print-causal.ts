import { MIN_HOUSEHOLDS } from '../shared/domain/suppression.ts'
import { formatMicros } from '../shared/domain/money.ts'
import { formatNumber, formatShare, renderJson, renderTable, type Cell, type TableOrJson } from '../shared/io/render.ts'
import { hideSmall, type ShownReport } from './causal-hidden.ts'
import { legendOf, saidOf } from './causal-notes.ts'
import type { HoldoutReport } from './holdout.ts'
import { experimental, type CausalEstimate, type EstimateName } from './holdout-estimates.ts'
import { estimateText, type Scale } from './scale.ts'

/** One table a product and experiment, and what its rows say. No figure of fewer than 11 households. */
export function printCausal(reports: readonly HoldoutReport[], format: TableOrJson): string {
  const shown = reports.map(hideSmall)
  return format === 'json' ? jsonOf(shown) : [...shown.map(tableOf), legendOf()].join('\n')
}

const rows: readonly (readonly [name: EstimateName, head: string, per: string])[] = [
  ['naive', 'owners minus others', 'owner'],
  ['differenceInDifferences', 'difference in differences', 'owner'],
  ['regressionAdjusted', 'regression-adjusted', 'owner'],
  ['exposureScaled', 'exposure-scaled', 'owner'],
  ['exposureScaledCuped', 'exposure-scaled, CUPED', 'owner'],
  ['intentionToTreat', 'intention to treat', 'household'],
  ['intentionToTreatCuped', 'intention to treat, CUPED', 'household'],
  ['placebo', 'placebo: time before', 'household'],
]

const isByLot = (name: EstimateName) => (experimental as readonly string[]).includes(name)

function tableOf(report: ShownReport): string {
  const unit: Scale = { divisor: 1e6, decimals: 2, says: report.currency }
  const ratio: Scale = { divisor: 1, decimals: 2, says: '' }
  const table = renderTable(
    [
      { head: '', align: 'left' },
      { head: 'compared', align: 'left' },
      { head: 'per', align: 'left' },
      { head: `margin, ${report.currency} (95 %)`, align: 'right' },
      { head: 'of naive (95 %)', align: 'right' },
    ],
    rows.map(([name, head, per]): Cell[] => {
      const one = report.estimates[name]
      const credibility = one?.credibility ?? null
      return [
        ...[head, isByLot(name) ? 'by lot' : 'observational', per],
        one === null ? '-' : boundedText(one, unit),
        credibility === null ? '' : estimateText(credibility.ratio, credibility, ratio),
      ]
    }),
  )
  return [
    headOf(report),
    table,
    saidOf(report)
      .map((line) => `${line}\n`)
      .join(''),
  ].join('\n')
}

function headOf(report: ShownReport): string {
  const { product, experiment, window, before, currency, line, arms, bothArms, sampleRatio, otherCurrencies } = report
  const share = (owners: number | null, households: number) =>
    owners === null ? `fewer than ${MIN_HOUSEHOLDS} households` : formatShare(owners / households)
  const others = otherCurrencies.map(
    (one) => `${formatNumber(one.lines)} in ${one.currency} (margin ${formatMicros(one.marginMicros)})`,
  )
  return [
    `${product}: ${experiment}, ${window.from} to ${window.to}, ${formatNumber(window.days)} days (UTC), ${currency}, ${line ?? 'all lines'}`,
    arms === null
      ? `${formatNumber(bothArms)} households in both arms are left out`
      : `${formatNumber(arms.treatment.households)} households offered it, ${formatNumber(arms.holdout.households)} held out, ${formatNumber(bothArms)} in both arms left out${sampleRatio === null ? '' : `; sizes as drawn (p = ${sampleRatio.pValue.toPrecision(2)})`}`,
    ...(arms === null || arms.holdout.households === 0 || arms.treatment.households === 0
      ? []
      : [
          `own it on the last day: ${share(arms.treatment.owners, arms.treatment.households)} of those offered it, ${share(arms.holdout.owners, arms.holdout.households)} of those held out`,
        ]),
    before === null
      ? 'no orders before the experiment, so nothing that needs them'
      : `time before: ${before.from} to ${before.to}, ${formatNumber(before.days)} days`,
    ...(others.length === 0 ? [] : [`order lines in other currencies, left out: ${others.join(', ')}`]),
  ]
    .map((text) => `${text}\n`)
    .join('')
}

function boundedText({ estimateMicros, lowMicros, highMicros }: CausalEstimate, unit: Scale): string {
  return lowMicros === null || highMicros === null
    ? `${estimateText(estimateMicros, null, unit)} (no bounds)`
    : estimateText(estimateMicros, { low: lowMicros, high: highMicros }, unit)
}

function jsonOf(reports: readonly ShownReport[]): string {
  return renderJson({
    ...{ report: 'causal', confidence: 0.95 },
    experiments: reports.map((report) => ({
      ...report,
      otherCurrencies: report.otherCurrencies.map((one) => ({ ...one, marginMicros: String(one.marginMicros) })),
      estimates: Object.fromEntries(
        rows.map(([name, , per]) => {
          const one = report.estimates[name]
          return [name, one && { kind: isByLot(name) ? 'by lot' : 'observational', per, ...one }]
        }),
      ),
      says: saidOf(report),
    })),
  })
}
