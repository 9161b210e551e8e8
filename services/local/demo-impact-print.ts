import { plantedText } from '../impact/page/planted.ts'
import { estimateCell, summaryTable, unitOf } from '../impact/pnl/print.ts'
import { estimateText, moneyScale, type Scale } from '../impact/scale.ts'
import { renderTable } from '../shared/io/render.ts'
import type { ImpactDemoDocument, StreamAudit } from './demo-impact.ts'

/** The claimed view and the honest one, then each estimate beside the truth. */
export function printImpactDemo({ pnl, planted }: ImpactDemoDocument, audits: readonly StreamAudit[]): string {
  const { currency } = pnl
  const profits = moneyScale(
    planted.map(({ profitMicros }) => Number(profitMicros)),
    currency,
  )
  return [
    ...audits.map(({ stream, line }) => `${stream}: ${line}\n`),
    `\nprofit or loss of a device, ${currency}: as claimed (DSI), and with what there would not be without it\n\n`,
    summaryTable(pnl),
    ...planted.map(({ product, comparisons, sums }) => {
      const [unit, all] = [
        unitOf(currency),
        moneyScale(
          sums.map(({ plantedMicros }) => plantedMicros),
          currency,
        ),
      ]
      const rows = (list: typeof sums, scale: Scale) =>
        list.map((one) => [
          `${one.what}${one.isObservational ? ' (observational)' : ''}`,
          scale.says,
          estimateCell(one.estimate, scale),
          ...plantedText(one, scale),
        ])
      return `\n${renderTable(
        [
          { head: `margin because of ${product}`, align: 'left' },
          { head: '', align: 'left' },
          { head: 'estimate', align: 'right' },
          { head: 'planted', align: 'right' },
          { head: 'holds it', align: 'left' },
        ],
        [...rows(comparisons, unit), ...rows(sums, all)],
      )}`
    }),
    `\n${renderTable(
      [
        { head: 'product', align: 'left' },
        { head: `profit as planted, ${profits.says}`, align: 'right' },
        { head: 'its sign is found, and the claimed view shows a profit', align: 'left' },
      ],
      planted.map(({ product, profitMicros, signIsPlanted }) => [
        product,
        estimateText(Number(profitMicros), null, profits),
        signIsPlanted ? 'yes' : 'NO',
      ]),
    )}`,
  ].join('')
}
