import { MIN_HOUSEHOLDS, suppressedCells } from '../../shared/domain/suppression.ts'
import { claimedProfitOf, deviceProfitOf, incrementalProfitOf, type Amounts, type Estimate } from './amounts.ts'
import { monthText, yearOf } from './month.ts'
import { perDevice, type CohortStatement, type Life, type Statement } from './statement.ts'

/**
 * All that is said of a profit and loss, as JSON has it: table, CSV and page print nothing else. Sums are whole micro-units as text,
 * because they may pass 2^53; sums per device are numbers, cut to the micro-unit.
 */
export interface PnlDocument {
  readonly report: 'pnl'
  readonly currency: string
  readonly from: string
  readonly to: string
  readonly horizonMonths: number
  readonly discountPerYear: number
  readonly requestsPerEvent: number
  readonly confidence: 0.95
  /** Sentences of the file. */
  readonly assumptions: readonly string[]
  /** What was left out, and what could not be told. */
  readonly notes: readonly string[]
  readonly products: readonly ProductEntry[]
}

/** Figures are null where fewer than 11 households stand behind them, or where they would give such a cell away. */
export interface Entry {
  readonly suppressed: boolean
  readonly devices: number | null
  readonly returned: number | null
  readonly lines: Lines | null
  readonly asClaimed: { readonly downstreamMicros: string; readonly profitMicros: string } | null
  /** Null, too, where nothing says what there would be without the product. */
  readonly incremental: { readonly downstream: TextEstimate; readonly profit: TextEstimate } | null
}

/** Costs are positive; what they leave of the price is the device alone. */
export interface Lines {
  readonly priceMicros: string
  readonly costOfGoodsMicros: string
  readonly freightMicros: string
  readonly returnsMicros: string
  readonly costToServeMicros: string
  readonly deviceAloneMicros: string
}

/** Bounds are null where the data set none. */
export interface TextEstimate {
  readonly micros: string
  readonly low: string | null
  readonly high: string | null
}

export interface NumberEstimate {
  readonly micros: number
  readonly low: number | null
  readonly high: number | null
}

/** Of a product or a cohort: an entry with what a device comes to. */
export interface LivedEntry extends Entry {
  readonly perDevice: { readonly asClaimedMicros: number; readonly incremental: NumberEstimate | null } | null
  /** Months of a device's life that were seen, at most the horizon. */
  readonly seenMonths: number
  /** Null: not within the months seen. */
  readonly paybackMonth: { readonly asClaimed: number | null; readonly incremental: number | null } | null
}

export interface ProductEntry extends LivedEntry {
  readonly product: string
  readonly years: readonly (Entry & { readonly year: number; readonly owners: number | null })[]
  /** Profit or loss from the report's first month to the end of each; those of too few households are left out. */
  readonly cumulative: readonly (Cumulative<string> & { readonly month: string })[]
  /** Discounted profit or loss of a device to the end of each month of its life, from 1. */
  readonly life: readonly (Cumulative<number> & { readonly month: number })[]
  readonly cohorts: readonly (LivedEntry & { readonly cohort: string })[]
}

interface Cumulative<T> {
  readonly asClaimedMicros: T
  readonly incremental: (T extends string ? TextEstimate : NumberEstimate) | null
}

export function productEntry(statement: Statement): ProductEntry {
  const { product, years, months, life, cohorts } = statement
  const suppressed = statement.households < MIN_HOUSEHOLDS
  const hiddenCohorts = hidden(cohorts.map(({ households }) => households))
  const householdsOf = (of: (cohort: CohortStatement) => boolean) =>
    cohorts.filter(of).reduce((sum, { households }) => sum + households, 0)
  // Of a year without sales those who own the product.
  const hiddenYears = hidden(
    years.map(({ year, owners }) => householdsOf(({ cohort }) => yearOf(cohort) === year) || owners),
  )
  return {
    product,
    ...livedEntry(statement, suppressed),
    years: years.map(({ year, owners, amounts }, at) => {
      const isHidden = suppressed || hiddenYears[at]!
      const sold = cohorts.filter(({ cohort }) => yearOf(cohort) === year)
      const count = (of: 'devices' | 'returned') => sold.reduce((sum, cohort) => sum + cohort[of], 0)
      const figures = { devices: count('devices'), returned: count('returned'), total: amounts }
      return { year, owners: isHidden || owners < MIN_HOUSEHOLDS ? null : owners, ...entry(figures, isHidden) }
    }),
    cumulative: months
      .filter(({ month }) => !suppressed && householdsOf(({ cohort }) => cohort <= month) >= MIN_HOUSEHOLDS)
      .map(({ month, cumulative }) => ({
        month: monthText(month),
        asClaimedMicros: String(claimedProfitOf(cumulative)),
        incremental: textOf(incrementalProfitOf(cumulative)),
      })),
    life: life.flatMap(({ claimed, incremental, households }, at) =>
      suppressed || households < MIN_HOUSEHOLDS
        ? []
        : [{ month: at + 1, asClaimedMicros: Math.round(claimed), incremental: numberOf(incremental) }],
    ),
    cohorts: cohorts.map((cohort, at) => ({
      cohort: monthText(cohort.cohort),
      ...livedEntry(cohort, suppressed || hiddenCohorts[at]!),
    })),
  }
}

interface Figures {
  readonly devices: number
  readonly returned: number
  readonly total: Amounts
}

function entry({ devices, returned, total }: Figures, suppressed: boolean): Entry {
  if (suppressed) {
    return { suppressed, ...{ devices: null, returned: null, lines: null, asClaimed: null, incremental: null } }
  }
  const { priceMicros, costOfGoodsMicros, freightMicros, returnsMicros, costToServeMicros } = total
  const profit = incrementalProfitOf(total)
  return {
    ...{ suppressed, devices, returned },
    lines: {
      priceMicros: String(priceMicros),
      costOfGoodsMicros: String(costOfGoodsMicros),
      freightMicros: String(freightMicros),
      returnsMicros: String(returnsMicros),
      costToServeMicros: String(costToServeMicros),
      deviceAloneMicros: String(deviceProfitOf(total)),
    },
    asClaimed: { downstreamMicros: String(total.claimedMicros), profitMicros: String(claimedProfitOf(total)) },
    incremental: profit && { downstream: textOf(total.incremental)!, profit: textOf(profit)! },
  }
}

function livedEntry(figures: Figures & Life, suppressed: boolean): LivedEntry {
  const { devices, total, life, paybackClaimed, paybackIncremental } = figures
  const profit = incrementalProfitOf(total)
  const each = (micros: bigint) => Math.round(perDevice(micros, devices) ?? 0)
  return {
    ...entry(figures, suppressed),
    seenMonths: life.length,
    paybackMonth: suppressed ? null : { asClaimed: paybackClaimed, incremental: paybackIncremental },
    perDevice:
      suppressed || devices === 0
        ? null
        : {
            asClaimedMicros: each(claimedProfitOf(total)),
            incremental: profit && {
              micros: each(profit.micros),
              low: profit.low === null ? null : each(profit.low),
              high: profit.high === null ? null : each(profit.high),
            },
          },
  }
}

/** The cells of one product that must not be shown, so that none of fewer than 11 households can be read or computed. */
function hidden(households: readonly number[]): boolean[] {
  return suppressedCells(households.map((count) => ({ taxonomyVersion: 0, parent: '', households: count })))
}

function textOf(estimate: Estimate | null): TextEstimate | null {
  const text = (bound: bigint | null) => (bound === null ? null : String(bound))
  return estimate && { micros: String(estimate.micros), low: text(estimate.low), high: text(estimate.high) }
}

function numberOf(estimate: { micros: number; low: number; high: number } | null): NumberEstimate | null {
  const whole = (bound: number) => (Number.isFinite(bound) ? Math.round(bound) : null)
  return estimate && { micros: Math.round(estimate.micros), low: whole(estimate.low), high: whole(estimate.high) }
}
