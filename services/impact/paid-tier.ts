import {
  discountedLifetime,
  discountedResidualLifetime,
  survival,
  type ShiftedBetaGeometric,
} from '../shared/domain/stats/shifted-beta-geometric.ts'
import { monthlyDiscountOf, serveMicrosPerMonth, type Scenario, type TakeUp } from './scenario.ts'

/** Of a month or a year. Households are expected numbers, so not whole; of a year they are those of its last month. */
export interface Period {
  /** Not charged yet. */
  readonly onTrial: number
  readonly paying: number
  readonly freeWithPrime: number
  /** Whole micro-units; margin is what the others leave, and years add up to the horizon, exactly. */
  readonly revenueMicros: bigint
  readonly costToServeMicros: bigint
  readonly fixedMicros: bigint
  readonly marginMicros: bigint
}

export const figureNames = [
  ...([
    'payingAtEnd',
    'freeAtEnd',
    'revenueMicros',
    'costToServeMicros',
    'marginMicros',
    'presentValueMicros',
  ] as const),
  ...(['lifetimeMonths', 'residualLifetimeMonths', 'breakEvenPriceMicros', 'neededPrimeMembers'] as const),
] as const
export type FigureName = (typeof figureNames)[number]

/** null: does not apply to this scenario. Infinity: no number is enough. */
export type Figures = Readonly<Record<FigureName, number | null>>

export interface Projection {
  readonly months: readonly Period[]
  readonly years: readonly Period[]
  readonly horizon: Period
  readonly figures: Figures
  /** The month, from 1, from whose end on what was earned covers what was spent, both discounted; null: none of the horizon. */
  readonly breakEvenMonth: number | null
}

/**
 * The scenario under one curve of retention. Everybody who takes it, paying or free, stays by that curve. A month is paid, served
 * and counted at its begin; month 1 is worth its face, month t the (t-1)th power of the discount.
 */
export function projectPaidTier(scenario: Scenario, fit: ShiftedBetaGeometric): Projection {
  const { horizonMonths, priceMicros, fixedPerYearMicros } = scenario
  const serve = serveMicrosPerMonth(scenario)
  const { onTrial, paying, free, stays } = householdsByMonth(scenario, fit)
  const months: Period[] = []
  const discount = 1 / (1 + monthlyDiscountOf(scenario))
  const present = { margin: 0, paidMonths: 0, spent: 0, memberMonths: 0 }
  let breakEvenMonth: number | null = null
  for (let at = 0; at < horizonMonths; at++) {
    const served = onTrial[at]! + paying[at]! + free[at]!
    const revenueMicros = wholeMicros(paying[at]! * Number(priceMicros))
    const costToServeMicros = wholeMicros(served * serve)
    // Twelve parts that add up to the year, though it may not divide by twelve.
    const fixedMicros = (fixedPerYearMicros * BigInt(at + 1)) / 12n - (fixedPerYearMicros * BigInt(at)) / 12n
    const marginMicros = revenueMicros - costToServeMicros - fixedMicros
    const households = { onTrial: onTrial[at]!, paying: paying[at]!, freeWithPrime: free[at]! }
    months.push({ ...households, revenueMicros, costToServeMicros, fixedMicros, marginMicros })
    const worth = discount ** at
    present.margin += worth * Number(marginMicros)
    present.paidMonths += worth * paying[at]!
    present.spent += worth * Number(costToServeMicros + fixedMicros)
    present.memberMonths += worth * stays[at]!
    if (breakEvenMonth === null && present.margin >= 0) breakEvenMonth = at + 1
    else if (present.margin < 0) breakEvenMonth = null
  }
  const horizon = sumOf(months)
  return {
    months,
    years: Array.from({ length: Math.ceil(horizonMonths / 12) }, (_, year) =>
      sumOf(months.slice(12 * year, 12 * year + 12)),
    ),
    horizon,
    breakEvenMonth,
    figures: {
      payingAtEnd: horizon.paying + horizon.onTrial,
      freeAtEnd: scenario.prime === null ? null : horizon.freeWithPrime,
      revenueMicros: Number(horizon.revenueMicros),
      costToServeMicros: Number(horizon.costToServeMicros),
      marginMicros: Number(horizon.marginMicros),
      presentValueMicros: present.margin,
      ...lifetimes(scenario, fit),
      breakEvenPriceMicros: present.paidMonths > 0 ? present.spent / present.paidMonths : null,
      neededPrimeMembers: neededMembers(scenario, present),
    },
  }
}

/** Whether paying households could ever cover what is spent: somebody pays, and more than serving costs. */
export function mayBreakEven(scenario: Scenario, { figures }: Pick<Projection, 'figures'>): boolean {
  return figures.breakEvenPriceMicros !== null && Number(scenario.priceMicros) > serveMicrosPerMonth(scenario)
}

/** The households that pay for Prime already are not new ones. */
export function householdsWithoutPrime({ households, prime }: Scenario): number {
  return households * (1 - (prime?.share ?? 0))
}

/** Expected households by month, from month 1 at place 0; `stays` is the part of a cohort of month 1. */
function householdsByMonth(scenario: Scenario, fit: ShiftedBetaGeometric) {
  const { horizonMonths, households, takeUp, trialMonths, prime } = scenario
  const stays = survival(fit, horizonMonths - 1)
  const joining = joins(takeUp, householdsWithoutPrime(scenario), horizonMonths)
  const onTrial = present(joining, stays, { from: 0, to: trialMonths })
  const paying = present(joining, stays, { from: trialMonths, to: horizonMonths })
  const free =
    prime === null
      ? new Float64Array(horizonMonths)
      : present(joins(prime.takeUp, households * prime.share, horizonMonths), stays, { from: 0, to: horizonMonths })
  return { stays, onTrial, paying, free }
}

function joins({ kind, share }: TakeUp, households: number, months: number): Float64Array {
  return Float64Array.from({ length: months }, (_, at) =>
    kind === 'once' ? (at === 0 ? households * share : 0) : households * share * (1 - share) ** at,
  )
}

/** Those of all cohorts who have been there for `from` months or more, and fewer than `to`. */
function present(joining: Float64Array, stays: Float64Array, ages: { from: number; to: number }): Float64Array {
  const there = new Float64Array(joining.length)
  joining.forEach((joined, begin) => {
    const end = Math.min(joining.length, begin + ages.to)
    for (let at = begin + ages.from; joined > 0 && at < end; at++) there[at]! += joined * stays[at - begin]!
  })
  return there
}

function lifetimes(scenario: Scenario, fit: ShiftedBetaGeometric) {
  const discount = monthlyDiscountOf(scenario)
  const observedMonths = scenario.retention.alive.length - 1
  return {
    lifetimeMonths: discountedLifetime(fit, discount),
    residualLifetimeMonths: discountedResidualLifetime(fit, observedMonths, discount),
  }
}

/**
 * Households that would have to join Prime for the assistant in month 1, and stay by the same curve, until the scenario earns
 * what it costs. Each brings the margin of its fee and is served.
 */
function neededMembers(scenario: Scenario, present: { margin: number; memberMonths: number }): number | null {
  const { prime } = scenario
  if (prime === null) return null
  if (present.margin >= 0) return 0
  const perMonth = Number(prime.feeMicros) * prime.margin - serveMicrosPerMonth(scenario)
  return perMonth > 0 ? -present.margin / (perMonth * present.memberMonths) : Infinity
}

/** The periods' sums, with the households of the last. */
function sumOf(periods: readonly Period[]): Period {
  const sum = (of: (period: Period) => bigint) => periods.reduce((total, period) => total + of(period), 0n)
  return {
    ...periods.at(-1)!,
    revenueMicros: sum((period) => period.revenueMicros),
    costToServeMicros: sum((period) => period.costToServeMicros),
    fixedMicros: sum((period) => period.fixedMicros),
    marginMicros: sum((period) => period.marginMicros),
  }
}

const wholeMicros = (micros: number) => BigInt(Math.round(micros))
