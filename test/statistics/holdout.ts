import {
  estimateHoldout,
  type Arm,
  type CausalEstimate,
  type Estimates,
  type HoldoutCell,
} from '../../services/impact/holdout-estimates.ts'
import { firstDayOfYear } from '../../services/producer/ecosystem/calendar.ts'
import { defaultSettings, type EcosystemSettings, type Line } from '../../services/producer/ecosystem/facts.ts'
import { drawHousehold, type DrawnHousehold } from '../../services/producer/ecosystem/household.ts'
import { products, type Product } from '../../services/producer/population.ts'
import { HOUSEHOLD_BUCKETS } from '../../services/shared/domain/share-interval.ts'
import { pairMoments, type Unit } from '../../services/shared/domain/stats/moments.ts'

/** What is estimated: the margin of all lines, or of the one that the product is meant for. */
export interface HoldoutScope {
  readonly product: Product
  readonly line: Line | null
}

export const holdoutScopes: readonly HoldoutScope[] = [
  ...products.map((product) => ({ product, line: null })),
  { product: 'kindle', line: 'e_books' },
  { product: 'fire_tv', line: 'ads' },
  { product: 'ring', line: 'security_plan' },
]

export type Covered = Record<keyof Estimates | 'credibility', number>

export interface HoldoutCoverage extends HoldoutScope {
  /** Dollars: what owning adds to an owner's margin in all five years, and what the naive figure says, mean of the seeds. */
  readonly truth: number
  readonly naive: number
  /** Intervals that hold the truth (of the placebo 0), in per cent of those that have bounds; NaN where none has. */
  readonly covered: Covered
  /** Median half-width per owner, dollars, of the exposure-scaled effect with and without CUPED. */
  readonly halfWidth: { readonly plain: number; readonly cuped: number }
}

/**
 * Populations of the simulator, one a seed, and how often each interval holds the planted effect. The truth is known by household (the margin of
 * the orders that only the product caused); its mean over the households of all seeds is what intervals are held to.
 */
export function holdoutCoverage(
  {
    households,
    holdoutMillionths = defaultSettings.holdoutMillionths,
  }: { households: number; holdoutMillionths?: number },
  { seeds, seed }: { seeds: number; seed: number },
): HoldoutCoverage[] {
  const settings: EcosystemSettings = { ...defaultSettings, holdoutMillionths }
  const draws = holdoutScopes.map((): Draw[] => [])
  for (let at = 0; at < seeds; at++) {
    const collected = holdoutScopes.map(createCollector)
    for (let index = 0; index < households; index++) {
      const drawn = drawHousehold(seed + at, index, settings)
      for (const { add } of collected) {
        add(drawn)
      }
    }
    collected.forEach(({ finish }, scope) => draws[scope]!.push(finish()))
  }
  return holdoutScopes.map((scope, at) => ({ ...scope, ...coverageOf(draws[at]!) }))
}

interface Draw {
  readonly estimates: Estimates
  readonly caused: Record<Arm, number>
  readonly owners: Record<Arm, number>
  readonly households: Record<Arm, number>
}

/** 2016 is the time before, 2017 to 2021 the window. */
const begin = firstDayOfYear(1) * 86_400_000
const beforeScale = (firstDayOfYear(6) - firstDayOfYear(1)) / (firstDayOfYear(1) - firstDayOfYear(0))

function createCollector({ product, line }: HoldoutScope) {
  const cells = new Map<string, { arm: Arm; owner: boolean; bucket: number; units: Unit[] }>()
  const perArm = () => ({ treatment: 0, holdout: 0 })
  const [caused, owners, households] = [perArm(), perArm(), perArm()]
  return {
    add: ({ profile, orders }: DrawnHousehold) => {
      const arm = profile.arms[product]
      const owner = profile.devices[product].some(({ returnedAt }) => returnedAt === Infinity)
      const spent = { outcome: 0, earlier: 0 }
      for (const { occurredAt, marginMicros, currency, causedBy, line: of } of orders) {
        if (currency !== 'USD' || (line !== null && of !== line)) continue
        spent[occurredAt < begin ? 'earlier' : 'outcome'] += marginMicros
        if (causedBy === product) caused[arm] += marginMicros
      }
      households[arm]++
      owners[arm] += owner ? 1 : 0
      const bucket = profile.index % HOUSEHOLD_BUCKETS
      const key = `${arm} ${owner} ${bucket}`
      const cell = cells.get(key) ?? { arm, owner, bucket, units: [] }
      cells.set(key, cell)
      cell.units.push(spent)
    },
    finish: (): Draw => {
      const summed = [...cells.values()].map(({ units, ...cell }): HoldoutCell => ({
        ...cell,
        moments: pairMoments(units),
      }))
      return { estimates: estimateHoldout(summed, beforeScale), caused, owners, households }
    },
  }
}

interface Bounds {
  readonly low: number | null
  readonly high: number | null
}

function coverageOf(draws: readonly Draw[]): Omit<HoldoutCoverage, keyof HoldoutScope> {
  const sum = (of: (draw: Draw) => number) => draws.reduce((total, draw) => total + of(draw), 0)
  const perHousehold = (of: (draw: Draw) => Record<Arm, number>, arm: Arm) =>
    sum((draw) => of(draw)[arm]) / sum(({ households }) => households[arm])
  const difference = (of: (draw: Draw) => Record<Arm, number>) =>
    perHousehold(of, 'treatment') - perHousehold(of, 'holdout')
  const perDrawn = difference(({ caused }) => caused)
  const perOwner = perDrawn / difference(({ owners }) => owners)
  const naive = sum(({ estimates }) => estimates.naive!.estimateMicros) / draws.length
  const truths: Record<keyof Estimates, number> = {
    ...{ intentionToTreat: perDrawn, intentionToTreatCuped: perDrawn, placebo: 0 },
    ...{ exposureScaled: perOwner, exposureScaledCuped: perOwner },
    ...{ naive: perOwner, differenceInDifferences: perOwner, regressionAdjusted: perOwner },
  }
  const held = (intervals: readonly (Bounds | null)[], truth: number) => {
    const bounded = intervals.filter((one) => one !== null && one.low !== null && one.high !== null)
    const holding = bounded.filter((one) => one!.low! <= truth && truth <= one!.high!)
    return bounded.length === 0 ? NaN : (100 * holding.length) / bounded.length
  }
  const boundsOf = (one: CausalEstimate | null) => one && { low: one.lowMicros, high: one.highMicros }
  const covered = Object.fromEntries(
    Object.entries(truths).map(([name, truth]) => [
      name,
      held(
        draws.map(({ estimates }) => boundsOf(estimates[name as keyof Estimates])),
        truth,
      ),
    ]),
  ) as Record<keyof Estimates, number>
  const ratios = draws.map(({ estimates }) => estimates.exposureScaledCuped?.credibility ?? null)
  const halfWidth = (name: 'exposureScaled' | 'exposureScaledCuped') => {
    const widths = draws.map(({ estimates: { [name]: one } }) => (one!.highMicros! - one!.lowMicros!) / 2 / 1e6)
    return widths.sort((a, b) => a - b)[widths.length >> 1]!
  }
  return {
    ...{ truth: perOwner / 1e6, naive: naive / 1e6 },
    covered: { ...covered, credibility: held(ratios, perOwner / naive) },
    halfWidth: { plain: halfWidth('exposureScaled'), cuped: halfWidth('exposureScaledCuped') },
  }
}
