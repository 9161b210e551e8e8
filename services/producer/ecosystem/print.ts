import { formatNumber, renderJson, renderTable, type TableOrJson } from '../../shared/io/render.ts'
import { products } from '../population.ts'
import { ecosystemStreams } from './population.ts'
import type { EcosystemSummary } from './simulate-ecosystem.ts'
import type { Truth } from './truth.ts'

/** The summary for people or machines. */
export function printEcosystem(summary: EcosystemSummary, format: TableOrJson): string {
  if (format === 'json') {
    return renderJson(summary)
  }
  const { sent, seed, seconds, truth } = summary
  const messages = ecosystemStreams.reduce((sum, stream) => sum + sent[stream].events + sent[stream].duplicates, 0)
  const rate = formatNumber(messages / Math.max(seconds, 0.001))
  return [
    renderTable(
      [
        { head: 'sent to the log', align: 'left' },
        { head: 'events', align: 'right' },
        { head: 'second copies', align: 'right' },
      ],
      ecosystemStreams.map((stream) => [stream, sent[stream].events, sent[stream].duplicates]),
    ),
    ...(truth === undefined
      ? ['stopped before the end: what is true of six years is not known\n']
      : [productTable(truth), oddityLines(truth)]),
    `seed ${seed}; ${seconds.toFixed(1)} s, ${rate} messages/s\n`,
  ].join('\n')
}

function productTable(truth: Truth): string {
  const dollars = (micros: number | null) => (micros === null ? '' : (micros / 1e6).toFixed(2))
  const head = ['owners', 'owner-years', 'caused, k', 'per owner-year', 'per household', 'claimed, k']
  return [
    renderTable(
      [{ head: 'planted, USD', align: 'left' }, ...head.map((text) => ({ head: text, align: 'right' as const }))],
      products.map((product) => {
        const own = truth.products[product]
        return [
          ...[product, own.owners, Math.round(own.ownerYears), dollars(own.causedMarginMicros / 1e3)],
          ...[dollars(own.causedPerOwnerYearMicros), dollars(own.experiment.intentionToTreatMicros)],
          dollars(own.claimedMarginMicros / 1e3),
        ]
      }),
    ),
    'caused: the margin that exists only because of the product; per household: of those it was offered to (intention to treat)\n',
  ].join('')
}

function oddityLines(truth: Truth): string {
  const currencies = Object.entries(truth.currencies).filter(([currency]) => currency !== 'USD')
  const counted = (counts: readonly (readonly [string, number])[]) =>
    counts.map(([what, count]) => `${formatNumber(count)} ${what}`).join(', ')
  return [
    `${counted([
      ['households', truth.households],
      ['without devices', truth.householdsWithoutDevices],
    ])}; one request stands for ${truth.requestsPerEvent}\n`,
    `${counted([
      ['orders', truth.orders],
      ['of households without devices', truth.ordersWithoutDevices],
      ['claimed by nobody', truth.claimedByNobody],
      ['by all products', truth.claimedByAllProducts],
    ])}\n`,
    `${counted([
      ['refunds', truth.refunds],
      ['of them a second one of the same order', truth.secondRefunds],
      ...currencies.map(([currency, { rows }]) => [`rows in ${currency}`, rows] as const),
    ])}\n`,
    `claims that can't be right: ${counted(
      Object.entries(truth.invalidClaims).map(([why, count]) => [why.replaceAll('_', ' '), count]),
    )}\n`,
  ].join('')
}
