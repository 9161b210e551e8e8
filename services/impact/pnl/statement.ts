import { claimedProfitOf, incrementalProfitOf, nothing, sumAmounts, type Amounts, type Estimate } from './amounts.ts'
import { monthlyDiscountOf } from '../scenario.ts'
import type { DeviceAssumptions } from './assumptions.ts'
import type { CohortLedger, LedgerYear, ProductLedger, Reach, Span } from './ledger.ts'
import { yearOf } from './month.ts'

/** A product's profit and loss. */
export interface Statement extends Life {
  readonly product: string
  readonly isCut: boolean
  readonly households: number
  readonly devices: number
  readonly returned: number
  readonly total: Amounts
  /** By calendar. They add up to the total; the bounds of the total are closer than the sum of theirs. */
  readonly years: readonly YearAmounts[]
  readonly months: readonly MonthAmounts[]
  readonly cohorts: readonly CohortStatement[]
}

export interface CohortStatement extends Life {
  readonly cohort: number
  readonly households: number
  readonly devices: number
  readonly returned: number
  readonly total: Amounts
}

export interface YearAmounts {
  readonly year: number
  readonly owners: number
  readonly amounts: Amounts
}

export interface MonthAmounts {
  readonly month: number
  readonly amounts: Amounts
  /** From the report's first month to the end of this one. */
  readonly cumulative: Amounts
}

/** What a device comes to as it grows older. */
export interface Life {
  /** Place 0: by the end of the month of its activation. */
  readonly life: readonly LifeMonth[]
  /** The month of its life, from 1, from whose end on what it brought covers what it cost; null: none that was seen. */
  readonly paybackClaimed: number | null
  readonly paybackIncremental: number | null
}

/** Cumulative profit or loss of a device, discounted, in micro-units. */
export interface LifeMonth {
  /** Behind it. */
  readonly households: number
  readonly claimed: number
  readonly incremental: { readonly micros: number; readonly low: number; readonly high: number } | null
}

export function statementOf(
  ledger: ProductLedger,
  { first, last }: Span,
  assumptions: Pick<DeviceAssumptions, 'discountPerYear'>,
): Statement {
  const { product, isCut, households, cohorts, years } = ledger
  const count = (of: (cohort: CohortLedger) => number) => cohorts.reduce((sum, cohort) => sum + of(cohort), 0)
  const byMonth = Array.from({ length: last - first + 1 }, (_, at) =>
    sumAmounts(cohorts.flatMap(({ cohort, months }) => months[first + at - cohort] ?? [])),
  )
  let sum = nothing
  const months = byMonth.map((amounts, at): MonthAmounts => {
    sum = sumAmounts([sum, amounts])
    const month = first + at
    return { month, amounts, cumulative: bounded(sum, reachAt(years, month, { first, last })) }
  })
  return {
    ...{ product, isCut, households, months },
    devices: count(({ devices }) => devices),
    returned: count(({ returned }) => returned),
    total: months.at(-1)!.cumulative,
    years: years.map(({ year, owners }) => ({
      ...{ year, owners },
      amounts: sumAmounts(byMonth.filter((_, at) => yearOf(first + at) === year)),
    })),
    cohorts: cohorts.map((cohort) => ({
      cohort: cohort.cohort,
      households: cohort.households,
      devices: cohort.devices,
      returned: cohort.returned,
      total: sumAmounts(cohort.months),
      ...lifeOf([cohort], assumptions),
    })),
    ...lifeOf(cohorts, assumptions),
  }
}

/** Between the ends of two years on the straight line between them. */
function reachAt(years: readonly LedgerYear[], month: number, { first, last }: Span): Reach | null {
  const at = years.findIndex(({ year }) => year === yearOf(month))
  const begin = Math.max(first, 12 * yearOf(month))
  const months = BigInt(Math.min(last, 12 * yearOf(month) + 11) - begin + 1)
  const gone = BigInt(month - begin + 1)
  const after = years[at]!.reach
  const before = at === 0 ? { below: 0n, above: 0n } : years[at - 1]!.reach
  if (before === null || after === null) return null
  const between = (from: bigint, to: bigint) => from + ((to - from) * gone) / months
  return { below: between(before.below, after.below), above: between(before.above, after.above) }
}

function bounded(amounts: Amounts, reach: Reach | null): Amounts {
  if (amounts.incremental === null) return amounts
  const { micros } = amounts.incremental
  return {
    ...amounts,
    incremental: {
      micros,
      low: reach === null ? null : micros - reach.below,
      high: reach === null ? null : micros + reach.above,
    },
  }
}

/**
 * Of each month of a device's life the mean over the cohorts that were seen in it, discounted to the month of activation, summed
 * up. So a month that only old cohorts have reached is not mixed with what young ones brought in their first.
 */
export function lifeOf(
  cohorts: readonly CohortLedger[],
  assumptions: Pick<DeviceAssumptions, 'discountPerYear'>,
): Life {
  const discount = 1 / (1 + monthlyDiscountOf(assumptions))
  const sold = cohorts.filter(({ devices }) => devices > 0)
  const ages = Math.max(0, ...sold.map(({ months }) => months.length))
  const upTo = { claimed: 0, micros: 0, low: 0, high: 0 }
  let isKnown = true
  const life = Array.from({ length: ages }, (_, age): LifeMonth => {
    const seen = sold.filter(({ months }) => months.length > age)
    const sum = sumAmounts(seen.map(({ months }) => months[age]!))
    const worth = discount ** age / seen.reduce((total, { devices }) => total + devices, 0)
    upTo.claimed += worth * Number(claimedProfitOf(sum))
    const incremental = incrementalProfitOf(sum)
    isKnown &&= incremental !== null
    if (incremental !== null) {
      upTo.micros += worth * Number(incremental.micros)
      upTo.low += worth * boundOf(incremental.low, -Infinity)
      upTo.high += worth * boundOf(incremental.high, Infinity)
    }
    const { claimed, ...estimate } = upTo
    const households = seen.reduce((total, cohort) => total + cohort.households, 0)
    return { households, claimed, incremental: isKnown ? estimate : null }
  })
  return {
    life,
    paybackClaimed: paybackOf(life.map(({ claimed }) => claimed)),
    paybackIncremental: isKnown ? paybackOf(life.map(({ incremental }) => incremental!.micros)) : null,
  }
}

/** The first month, from 1, from whose end on the sum stays at 0 or above; null: none. */
export function paybackOf(cumulative: readonly number[]): number | null {
  const lastBelow = cumulative.findLastIndex((sum) => sum < 0)
  return lastBelow === cumulative.length - 1 ? null : lastBelow + 2
}

/** A sum per device, in micro-units; null without devices. */
export function perDevice(micros: bigint, devices: number): number | null {
  return devices === 0 ? null : Number(micros) / devices
}

const boundOf = (bound: Estimate['low'], none: number) => (bound === null ? none : Number(bound))
