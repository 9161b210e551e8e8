import { nothing, sumAmounts, type Amounts, type Estimate } from './amounts.ts'
import type { DeviceAssumptions, ProductAssumptions } from './assumptions.ts'
import type { Facts, YearlyEffect } from './facts.ts'
import { daysIn, yearOf } from './month.ts'
import { spread } from './spread.ts'

/** Months of the report, both included. */
export interface Span {
  readonly first: number
  readonly last: number
}

/** A product's devices of one month of activation, and what they brought and cost in each month from it on. */
export interface CohortLedger {
  readonly cohort: number
  readonly households: number
  readonly devices: number
  readonly returned: number
  /** Place 0 is the month of activation; as long as the report reaches, at most the horizon. */
  readonly months: readonly Amounts[]
}

export interface ProductLedger {
  readonly product: string
  /** With a device that was activated within the report. */
  readonly households: number
  readonly cohorts: readonly CohortLedger[]
  /** Whether a sum was left out because it came after the horizon. */
  readonly isCut: boolean
  readonly years: readonly LedgerYear[]
}

export interface LedgerYear {
  readonly year: number
  /** Households that own the product at the end of the year, or of the report. */
  readonly owners: number
  /** How far below and above its estimate all incremental margin up to the year's end may be, 95 %; null: nothing bounds it. */
  readonly reach: Reach | null
}

export interface Reach {
  readonly below: bigint
  readonly above: bigint
}

/**
 * What each cohort of a product brought and cost by month.
 *
 * A year's claimed margin of a cohort is spread over its months, and a year's incremental margin (effect per owner times owners at
 * its end) over all cohorts and months, both by owner-days and to the micro-unit. Bounds of a year are spread alike.
 */
export function productLedger(
  { product, ...costs }: ProductAssumptions,
  facts: Facts,
  { first, last }: Span,
  { horizonMonths, requestsPerEvent }: Pick<DeviceAssumptions, 'horizonMonths' | 'requestsPerEvent'>,
): ProductLedger {
  const ours = <T extends { product: string }>(rows: readonly T[]) => rows.filter((row) => row.product === product)
  const { days, owners } = ownership(ours(facts.owners), { first, last })
  const book = createBook()
  for (const { cohort, devices, priceMicros, costOfGoodsMicros } of ours(facts.sales)) {
    const freightMicros = BigInt(devices) * costs.freightMicros
    book.add(cohort, cohort, { ...nothing, priceMicros, costOfGoodsMicros, freightMicros })
  }
  for (const { cohort, month, devices, priceMicros, costOfGoodsMicros } of ours(facts.returns)) {
    const lost = (costOfGoodsMicros * costs.returnLossMillionths) / 1_000_000n
    const returnsMicros = priceMicros + BigInt(devices) * costs.returnHandlingMicros - (costOfGoodsMicros - lost)
    book.add(cohort, month, { ...nothing, returnsMicros })
  }
  for (const { cohort, month, events } of ours(facts.requests)) {
    book.add(cohort, month, { ...nothing, costToServeMicros: events * requestsPerEvent * costs.perRequestMicros })
  }
  for (const { cohort, year, micros } of ours(facts.claimed)) {
    const places = days.filter((one) => one.cohort === cohort && yearOf(one.month) === year)
    const taking = places.length > 0 ? places : [{ cohort, month: Math.max(cohort, first, 12 * year), days: 1n }]
    const parts = spread(
      micros,
      taking.map((one) => one.days),
    )
    taking.forEach(({ month }, at) => book.add(cohort, month, { ...nothing, claimedMicros: parts[at]! }))
  }
  const effects = ours(facts.effects)
  for (const effect of effects) {
    const places = days.filter(({ month }) => yearOf(month) === effect.year)
    const parts = spreadEffect(effect, owners.find(({ year }) => year === effect.year)?.owners ?? 0, places)
    places.forEach(({ cohort, month }, at) => book.add(cohort, month, { ...nothing, incremental: parts[at]! }))
  }
  const sales = new Map(ours(facts.sales).map((row) => [row.cohort, row]))
  const returned = Map.groupBy(ours(facts.returns), (row) => row.cohort)
  const cohorts = book.cohorts().filter((cohort) => cohort >= first && cohort <= last)
  return {
    product,
    years: owners.map((one) => ({
      ...one,
      reach: reachOf(
        effects.find(({ year }) => year === one.year),
        one.owners,
      ),
    })),
    households: ours(facts.households)[0]?.households ?? 0,
    isCut: cohorts.some((cohort) => book.hasFrom(cohort, cohort + horizonMonths)),
    cohorts: cohorts.map((cohort) => ({
      cohort,
      households: sales.get(cohort)?.households ?? 0,
      devices: sales.get(cohort)?.devices ?? 0,
      returned: (returned.get(cohort) ?? []).reduce((sum, row) => sum + row.devices, 0),
      months: Array.from({ length: Math.min(last - cohort + 1, horizonMonths) }, (_, age) =>
        book.at(cohort, cohort + age),
      ),
    })),
  }
}

interface OwnerDays {
  readonly cohort: number
  readonly month: number
  readonly days: bigint
}

/** Owner-days by cohort and month, where there are any, and owners at the end of each year. */
function ownership(steps: Facts['owners'], { first, last }: Span) {
  const days: OwnerDays[] = []
  const owners = Array.from({ length: yearOf(last) - yearOf(first) + 1 }, (_, at) => ({
    year: yearOf(first) + at,
    owners: 0,
  }))
  for (const [cohort, rows] of Map.groupBy(steps, (row) => row.cohort)) {
    const byMonth = new Map(rows.map((row) => [row.month, row]))
    let owning = 0
    for (let month = Math.min(...byMonth.keys()); month <= last; month++) {
      const step = byMonth.get(month)
      const owned = owning * daysIn(month) + (step?.days ?? 0)
      owning += step?.change ?? 0
      if (month >= first && owned > 0) days.push({ cohort, month, days: BigInt(owned) })
      if (month >= first && (month === last || yearOf(month + 1) > yearOf(month))) {
        owners[yearOf(month) - yearOf(first)]!.owners += owning
      }
    }
  }
  return { days, owners }
}

function spreadEffect(
  { perOwner }: YearlyEffect,
  owners: number,
  places: readonly OwnerDays[],
): readonly (Estimate | null)[] {
  if (perOwner === null) return places.map(() => null)
  const weights = places.map(({ days }) => days)
  const partsOf = (micros: number) =>
    Number.isFinite(micros) ? spread(BigInt(Math.round(micros * owners)), weights) : null
  const [middle, low, high] = [partsOf(perOwner.micros)!, partsOf(perOwner.low), partsOf(perOwner.high)]
  return places.map((_, at) => ({ micros: middle[at]!, low: low?.[at] ?? null, high: high?.[at] ?? null }))
}

function reachOf(effect: YearlyEffect | undefined, owners: number): Reach | null {
  if (owners === 0) return { below: 0n, above: 0n }
  const perOwner = effect?.upToYear ?? null
  if (perOwner === null || !Number.isFinite(perOwner.low) || !Number.isFinite(perOwner.high)) return null
  const { micros, low, high } = perOwner
  return { below: BigInt(Math.round((micros - low) * owners)), above: BigInt(Math.round((high - micros) * owners)) }
}

/** Sums by cohort and month. */
function createBook() {
  const cohorts = new Map<number, Map<number, Amounts>>()
  return {
    add(cohort: number, month: number, amounts: Amounts) {
      const months = cohorts.get(cohort) ?? new Map<number, Amounts>()
      cohorts.set(cohort, months)
      const before = months.get(month)
      months.set(month, before === undefined ? amounts : sumAmounts([before, amounts]))
    },
    at: (cohort: number, month: number) => cohorts.get(cohort)?.get(month) ?? nothing,
    cohorts: () => [...cohorts.keys()].sort((a, b) => a - b),
    hasFrom: (cohort: number, month: number) => [...(cohorts.get(cohort)?.keys() ?? [])].some((one) => one >= month),
  }
}
