import { type BucketSums, HOUSEHOLD_BUCKETS } from '../share-interval.ts'
import { type BucketResiduals, bucketResiduals } from './bucket-residuals.ts'
import { studentQuantile, studentTwoSidedP } from './student-t-distribution.ts'

/**
 * The share of one period against its baseline, the same weekday of the last weeks, paired by bucket of households.
 *
 * The same households stand in both, so most of what makes one cohort's share uncertain cancels: the standard error is
 * 0.6 of that of independent periods, and without tau^2 a 20 % drop of a strict 1 % share of 20,000 households is found in 45
 * instead of 4 % of cases. With residuals u_b (`bucketResiduals`) of today and K base periods:
 *
 *     d_b = u_b,today - mean_k u_b,k,   V = n/(n-1) sum_b d_b^2            (n buckets with requests in any period)
 *
 * What is left are real movements from day to day that all households share (news, weather, a release): with 3 % of them V
 * alone makes 36 % false alarms at nominal 1 %. Their variance is what the shares R of earlier days vary about the mean of
 * their weekday, over all G weekdays of the baseline's weeks, beyond a day's own paired sampling W:
 *
 *     W = n/(n-1) sum_b Var_k(u_b,k),   S^2 = sum_g sum_k (R_gk - mean_g)^2 / (G (K-1))
 *     tau^2 = max(0, S^2 - W),          se^2 = V + (1 + 1/K) tau^2,    with the fewer of n-1 and G (K-1) degrees of freedom
 *
 * tau^2 of the compared weekday alone has five degrees of freedom, and Satterthwaite's formula takes as many more as tau^2 happens
 * to come out small: 2 to 3 % false alarms at nominal 1 %, and 80 times too many at the 0.005 % that the first of 192 cohorts
 * must reach. Seven weekdays and the fewer degrees of freedom give 1.1 % at most, for little power; one weekday and its five
 * degrees of freedom keep the promise and find little (test/statistics/README.md). Log ratios are not offered: 3 to 11 %
 * false alarms for rare shares.
 *
 * @param now sums per bucket of the period that is judged
 * @param base of earlier periods like it, normally 6; those without requests are left out
 * @returns null where the periods hold no requests to compare
 * @throws RangeError for sums that no table can hold
 */
export function pairedDifference(
  now: BucketSums,
  base: readonly BucketSums[],
  options: PairedOptions = {},
): PairedDifference | null {
  const { buckets = HOUSEHOLD_BUCKETS } = options
  const today = bucketResiduals(now, buckets)
  const days = base.map((sums) => bucketResiduals(sums, buckets)).filter((day) => day !== null)
  return today === null || days.length === 0 ? null : pairedResiduals(today, days, options)
}

export interface PairedOptions {
  buckets?: number
  /** Two-sided, above 0 and below 1. */
  confidence?: number
  /** `median` forgives one odd base period and loses a little power: 30 against 32 % in the case above, with tau^2. */
  centre?: 'mean' | 'median'
  /** Whether shared movement from day to day (tau^2) widens the interval. Needs at least 2 base periods. */
  dayShocks?: boolean
  /** Shares of earlier days that are not compared with, weekday by weekday: they tell how much days move. */
  otherDays?: readonly (readonly number[])[]
}

export interface PairedDifference {
  share: number
  /** Mean or median of the base periods' shares. */
  baseline: number
  /** share - baseline. */
  difference: number
  /** difference / baseline; null over a baseline of 0. */
  relativeChange: number | null
  standardError: number
  /** tau^2, the variance of a period's share beyond sampling; null when not asked for, or unknown with one base period. */
  dayShocks: Variance | null
  degreesOfFreedom: number
  /** difference / standardError, two-sided p-value and limits of the difference; null where the spread says nothing. */
  t: number | null
  pValue: number | null
  low: number | null
  high: number | null
  baseDays: number
  bucketsWithRequests: number
}

/** Below, a spread between buckets says nothing: the rule of `shareBounds`. */
const MIN_BUCKETS_WITH_REQUESTS = 3

/** `pairedDifference` for who has the residuals already. `days` holds at least one. */
export function pairedResiduals(
  today: BucketResiduals,
  days: readonly BucketResiduals[],
  { confidence = 0.95, centre = 'mean', dayShocks = true, otherDays = [] }: PairedOptions = {},
): PairedDifference {
  const K = days.length
  const { n, V, W } = pairedVariances(today, days)
  const shares = days.map(({ share }) => share)
  const mean = shares.reduce((sum, share) => sum + share, 0) / K
  const baseline = centre === 'mean' ? mean : median(shares)
  // A median of K numbers varies about this much instead of 1/K; exact for 1 and many, 10 % too much for 6.
  const centreVariance = centre === 'mean' ? 1 / K : Math.PI / (2 * K + Math.PI - 2)
  const sampling = { variance: V + (centreVariance - 1 / K) * W, degreesOfFreedom: n - 1 }
  const spread = dayShocks ? daySpread([shares, ...otherDays]) : null
  const shocks = spread && { ...spread, variance: Math.max(0, spread.variance - W) }
  const { variance, degreesOfFreedom } = widened(sampling, shocks, 1 + centreVariance)
  const difference = today.share - baseline
  const found = {
    share: today.share,
    baseline,
    difference,
    relativeChange: baseline > 0 ? difference / baseline : null,
    standardError: Math.sqrt(variance),
    dayShocks: shocks,
    baseDays: K,
    bucketsWithRequests: n,
  }
  if (n < MIN_BUCKETS_WITH_REQUESTS || variance === 0)
    return { ...found, degreesOfFreedom: Math.max(0, n - 1), t: null, pValue: null, low: null, high: null }
  const t = difference / found.standardError
  const half = studentQuantile(degreesOfFreedom, confidence) * found.standardError
  return {
    ...found,
    degreesOfFreedom,
    t,
    pValue: studentTwoSidedP(t, degreesOfFreedom),
    low: difference - half,
    high: difference + half,
  }
}

/** An estimated variance. */
export interface Variance {
  readonly variance: number
  readonly degreesOfFreedom: number
}

/** An estimate's sampling variance with `factor` times that of the shocks, and the fewer degrees of freedom. */
export function widened(sampling: Variance, shocks: Variance | null, factor: number): Variance {
  return shocks === null
    ? sampling
    : {
        variance: sampling.variance + factor * shocks.variance,
        degreesOfFreedom: Math.min(sampling.degreesOfFreedom, shocks.degreesOfFreedom),
      }
}

/** S^2 of shares by weekday; null where no weekday has two. */
function daySpread(weekdays: readonly (readonly number[])[]): Variance | null {
  let squares = 0
  let degreesOfFreedom = 0
  for (const shares of weekdays) {
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
    squares += shares.reduce((sum, share) => sum + (share - mean) ** 2, 0)
    degreesOfFreedom += Math.max(0, shares.length - 1)
  }
  return degreesOfFreedom === 0 ? null : { variance: squares / degreesOfFreedom, degreesOfFreedom }
}

/** V, W and n of the docstring above; one pass a period, for ticks judge thousands of cohorts. */
function pairedVariances(today: BucketResiduals, days: readonly BucketResiduals[]) {
  const K = days.length
  const buckets = today.residuals.length
  const sums = new Float64Array(buckets)
  const used = today.used.slice()
  let squares = 0
  for (let k = 0; k < K; k++) {
    const day = days[k]!
    for (let b = 0; b < buckets; b++) {
      const u = day.residuals[b]!
      sums[b]! += u
      squares += u * u
      used[b]! |= day.used[b]!
    }
  }
  let n = 0
  let differences2 = 0
  for (let b = 0; b < buckets; b++) {
    n += used[b]!
    const mean = sums[b]! / K
    differences2 += (today.residuals[b]! - mean) ** 2
    squares -= sums[b]! * mean
  }
  const correction = n / Math.max(1, n - 1)
  return { n, V: correction * differences2, W: K > 1 ? (correction * Math.max(0, squares)) / (K - 1) : 0 }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
