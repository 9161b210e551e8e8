import { credibilityRatio, type CredibilityRatio } from '../shared/domain/stats/credibility-ratio.ts'
import { cupedDifference, cupedTheta } from '../shared/domain/stats/cuped.ts'
import { differenceInChanges } from '../shared/domain/stats/difference-in-differences.ts'
import { exposureScaled } from '../shared/domain/stats/exposure-scaled.ts'
import { jackknifeCovariance } from '../shared/domain/stats/jackknife.ts'
import { mergeMoments, momentsOf, type PairMoments } from '../shared/domain/stats/moments.ts'
import { differenceOf, welchDifference, type Difference } from '../shared/domain/stats/welch.ts'
import { leastSquares } from './least-squares.ts'

export type Arm = 'treatment' | 'holdout'

/** Households of one arm and one bucket that own the product, or do not: margin in the window and in the time before, micros. */
export interface HoldoutCell {
  readonly arm: Arm
  readonly owner: boolean
  /** Of the hash of the household, 0 to 63: what is left out in turn for variances that no formula has. */
  readonly bucket: number
  readonly moments: PairMoments
}

/** By lot; or of households that chose themselves, which says nothing about cause unless those who own are like those who don't. */
export const experimental = [
  'intentionToTreat',
  'intentionToTreatCuped',
  'exposureScaled',
  'exposureScaledCuped',
  'placebo',
] as const
export const observational = ['naive', 'differenceInDifferences', 'regressionAdjusted'] as const

export type EstimateName = (typeof experimental)[number] | (typeof observational)[number]

/** Micros of margin: per household drawn, of the exposure-scaled and observational ones per owner. */
export interface CausalEstimate {
  readonly estimateMicros: number
  /** Null where nothing bounds it, as in `Difference` and `ExposureScaled`. */
  readonly standardErrorMicros: number | null
  readonly degreesOfFreedom: number | null
  readonly lowMicros: number | null
  readonly highMicros: number | null
  /** Of estimates per owner, over `naive`; null where that can't be told from 0, or nothing bounds the estimate. */
  readonly credibility: CredibilityRatio | null
}

export type Estimates = Readonly<Record<EstimateName, CausalEstimate | null>>

/**
 * All estimates of one experiment. An estimate is null where a group it compares is empty, or where it needs a time before and there is
 * none.
 *
 * @param beforeScale how many times longer the window is than the time before; null without one
 */
export function estimateHoldout(cells: readonly HoldoutCell[], beforeScale: number | null): Estimates {
  const found = differencesOf(groupsOf(cells), beforeScale)
  const buckets = [...Map.groupBy(cells, ({ bucket }) => bucket).values()]
  const covariances =
    buckets.length < 2
      ? null
      : jackknifeCovariance(buckets, (left) => {
          const { byOwner } = differencesOf(groupsOf(left.flat()), beforeScale)
          return perOwner.map((name) => byOwner[name]?.estimate ?? NaN)
        })
  const covariance = (a: PerOwner, b: PerOwner) =>
    covariances === null ? NaN : covariances[perOwner.indexOf(a)]![perOwner.indexOf(b)]!
  const correlation = (a: PerOwner, b: PerOwner) => covariance(a, b) / Math.sqrt(covariance(a, a) * covariance(b, b))
  const degreesOfFreedom = buckets.length - 1

  const regression = found.byOwner.regressionAdjusted
  const variance = covariance('regressionAdjusted', 'regressionAdjusted')
  const byOwner: typeof found.byOwner = {
    ...found.byOwner,
    regressionAdjusted:
      regression && variance > 0
        ? differenceOf(regression.estimate, { standardError: Math.sqrt(variance), degreesOfFreedom })
        : regression,
  }
  const { naive } = byOwner
  const credibility = (name: PerOwner) => {
    const one = byOwner[name]
    const alike = correlation(name, 'naive')
    return name === 'naive' || !isBounded(one) || !isBounded(naive) || Number.isNaN(alike)
      ? null
      : credibilityRatio({
          ...{ incremental: one, naive, correlation: alike },
          degreesOfFreedom: Math.min(degreesOfFreedom, one.degreesOfFreedom, naive.degreesOfFreedom),
        })
  }
  return {
    intentionToTreat: estimateOf(found.byLot.intentionToTreat, null),
    intentionToTreatCuped: estimateOf(found.byLot.intentionToTreatCuped, null),
    exposureScaled: estimateOf(byOwner.exposureScaled, credibility('exposureScaled')),
    exposureScaledCuped: estimateOf(byOwner.exposureScaledCuped, credibility('exposureScaledCuped')),
    placebo: estimateOf(found.byLot.placebo, null),
    naive: estimateOf(naive, null),
    differenceInDifferences: estimateOf(byOwner.differenceInDifferences, credibility('differenceInDifferences')),
    regressionAdjusted: estimateOf(byOwner.regressionAdjusted, credibility('regressionAdjusted')),
  }
}

const perOwner = [
  'naive',
  'exposureScaled',
  'exposureScaledCuped',
  'differenceInDifferences',
  'regressionAdjusted',
] as const
type PerOwner = (typeof perOwner)[number]

type Found = Pick<Difference, 'estimate' | 'standardError' | 'degreesOfFreedom' | 'low' | 'high'>
type Bounded = { readonly [Field in keyof Found]: number }

const isBounded = (one: Found | null): one is Bounded => one !== null && one.standardError !== null

interface Groups {
  readonly treatment: ArmGroups
  readonly holdout: ArmGroups
}

interface ArmGroups {
  readonly exposed: PairMoments
  readonly others: PairMoments
}

function groupsOf(cells: readonly HoldoutCell[]): Groups {
  const of = (arm: Arm, owner: boolean) =>
    mergeMoments(cells.filter((cell) => cell.arm === arm && cell.owner === owner).map(({ moments }) => moments))
  const armOf = (arm: Arm) => ({ exposed: of(arm, true), others: of(arm, false) })
  return { treatment: armOf('treatment'), holdout: armOf('holdout') }
}

function differencesOf({ treatment, holdout }: Groups, scale: number | null) {
  const [first, second] = [treatment, holdout].map(({ exposed, others }) => mergeMoments([exposed, others])) as [
    PairMoments,
    PairMoments,
  ]
  const owners = mergeMoments([treatment.exposed, holdout.exposed])
  const others = mergeMoments([treatment.others, holdout.others])
  const byLot = <T>(of: () => T): T | null => (first.n > 0 && second.n > 0 ? of() : null)
  const chosen = <T>(of: () => T): T | null => (owners.n > 0 && others.n > 0 ? of() : null)
  const before = <T>(of: (beforeScale: number) => T): T | null => (scale === null ? null : of(scale))
  const scaled = (theta: number): Found | null => {
    const { estimate, ...rest } = exposureScaled(treatment, holdout, { theta })
    return estimate === null ? null : { estimate, ...rest }
  }
  const outcomes = (group: PairMoments) => momentsOf(group, { outcome: 1, earlier: 0 })
  const earlier = (group: PairMoments) => momentsOf(group, { outcome: 0, earlier: 1 })
  return {
    byLot: {
      intentionToTreat: byLot(() => welchDifference(outcomes(first), outcomes(second))),
      intentionToTreatCuped: byLot(() => before(() => cupedDifference(first, second))),
      placebo: byLot(() => before(() => welchDifference(earlier(first), earlier(second)))),
    },
    byOwner: {
      naive: chosen((): Found => welchDifference(outcomes(owners), outcomes(others))),
      exposureScaled: byLot(() => scaled(0)),
      exposureScaledCuped: byLot(() => before(() => scaled(cupedTheta(first, second)))),
      differenceInDifferences: chosen(() =>
        before((beforeScale): Found => differenceInChanges(owners, others, { scale: beforeScale })),
      ),
      regressionAdjusted: chosen(() => before(() => regressionAdjusted(owners, others))),
    },
  }
}

/** Owners less others at equal earlier margin: ordinary least squares on a constant, owning, and the earlier margin. */
function regressionAdjusted(owners: PairMoments, others: PairMoments): Found | null {
  const sums = [owners, others].map(({ n, outcomeMean, earlierMean, earlierSquares, products }) => ({
    ...{ n, outcome: n * outcomeMean, earlier: n * earlierMean },
    earlierSquares: earlierSquares + n * earlierMean ** 2,
    products: products + n * earlierMean * outcomeMean,
  })) as [Sums, Sums]
  const [own, rest] = sums
  const both = (of: (one: Sums) => number) => of(own) + of(rest)
  const earlier = both((one) => one.earlier)
  const coefficients = leastSquares({
    regressors: [
      [both(({ n }) => n), own.n, earlier],
      [own.n, own.n, own.earlier],
      [earlier, own.earlier, both(({ earlierSquares }) => earlierSquares)],
    ],
    withOutcome: [both(({ outcome }) => outcome), own.outcome, both(({ products }) => products)],
  })
  return (
    coefficients && { estimate: coefficients[1]!, standardError: null, degreesOfFreedom: null, low: null, high: null }
  )
}

type Sums = Record<'n' | 'outcome' | 'earlier' | 'earlierSquares' | 'products', number>

function estimateOf(found: Found | null, credibility: CredibilityRatio | null): CausalEstimate | null {
  return (
    found && {
      estimateMicros: found.estimate,
      standardErrorMicros: found.standardError,
      degreesOfFreedom: found.degreesOfFreedom,
      lowMicros: found.low,
      highMicros: found.high,
      credibility,
    }
  )
}
