import type { HoldoutReport } from '../holdout.ts'
import type { NumberEstimate, PnlDocument } from '../pnl/document.ts'
import { estimateText, type Scale } from '../scale.ts'

/** What is true of a product because it was made so. Sums in micro-units of the report's currency. */
export interface Planted {
  readonly product: string
  /** Margin of the orders that there would not be without the product, refunds taken off; of the report's years. */
  readonly years: readonly { readonly year: number; readonly causedMicros: number }[]
  /** What being offered the product adds to a household's margin. */
  readonly perHouseholdMicros: number
  /** The same over the difference in owning that the lot made. */
  readonly perOwnerMicros: number
}

/** An estimate beside the truth. */
export interface Comparison {
  readonly what: string
  /** Of households that chose: says nothing about cause. */
  readonly isObservational: boolean
  /** Null where there is none. */
  readonly estimate: NumberEstimate | null
  readonly plantedMicros: number
  /** Null where nothing bounds the estimate. */
  readonly holds: boolean | null
}

/** Of one product: per household and owner over the whole report, and sums of each year and of all. */
export interface PlantedProduct {
  readonly product: string
  readonly comparisons: readonly Comparison[]
  readonly sums: readonly Comparison[]
  /** Profit or loss with the truth in place of an estimate; as text, as in the profit and loss. */
  readonly profitMicros: string
  /** Whether the profit or loss of the report has the planted sign, and the claimed one is a profit. */
  readonly signIsPlanted: boolean
}

export function comparePlanted(
  { products }: PnlDocument,
  holdouts: readonly HoldoutReport[],
  planted: readonly Planted[],
): PlantedProduct[] {
  return planted.map((truth) => {
    const entry = products.find(({ product }) => product === truth.product)!
    const estimates = holdouts.find(({ product }) => product === truth.product)!.estimates
    const of = (name: keyof typeof estimates): NumberEstimate | null => {
      const found = estimates[name]
      return found && { micros: found.estimateMicros, low: found.lowMicros, high: found.highMicros }
    }
    const { perHouseholdMicros, perOwnerMicros } = truth
    const causedMicros = truth.years.reduce((sum, year) => sum + year.causedMicros, 0)
    const sumOf = (downstream: NonNullable<typeof entry.incremental>['downstream'] | undefined) =>
      downstream === undefined
        ? null
        : {
            micros: Number(downstream.micros),
            low: downstream.low === null ? null : Number(downstream.low),
            high: downstream.high === null ? null : Number(downstream.high),
          }
    const profitMicros = BigInt(entry.lines?.deviceAloneMicros ?? 0) + BigInt(Math.round(causedMicros))
    const found = entry.incremental?.profit.micros
    return {
      product: truth.product,
      comparisons: [
        compare('a household that is offered it', of('intentionToTreatCuped'), perHouseholdMicros),
        compare('an owner', of('exposureScaledCuped'), perOwnerMicros),
        compare('an owner, less the others', of('naive'), perOwnerMicros, true),
        compare('an owner, change in differences', of('differenceInDifferences'), perOwnerMicros, true),
        compare('an owner, adjusted', of('regressionAdjusted'), perOwnerMicros, true),
      ],
      sums: [
        ...truth.years.map((year) =>
          compare(
            String(year.year),
            sumOf(entry.years.find((one) => one.year === year.year)?.incremental?.downstream),
            year.causedMicros,
          ),
        ),
        compare('all', sumOf(entry.incremental?.downstream), causedMicros),
      ],
      profitMicros: String(profitMicros),
      signIsPlanted:
        found !== undefined && BigInt(found) > 0n === profitMicros > 0n && BigInt(entry.asClaimed!.profitMicros) > 0n,
    }
  })
}

function compare(
  what: string,
  estimate: NumberEstimate | null,
  plantedMicros: number,
  isObservational = false,
): Comparison {
  const { low, high } = estimate ?? { low: null, high: null }
  const holds = low === null || high === null ? null : low <= plantedMicros && plantedMicros <= high
  return { what, isObservational, estimate, plantedMicros, holds }
}

/** The truth, and whether the interval holds it; nothing where there is none. */
export function plantedText({ plantedMicros, holds }: Comparison, scale: Scale): readonly [string, string] {
  return [estimateText(plantedMicros, null, scale), holds === null ? '' : holds ? 'yes' : 'NO']
}
