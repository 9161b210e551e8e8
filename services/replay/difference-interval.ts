import { shareBounds, type BucketSums } from '../shared/domain/share-interval.ts'
import { bucketResiduals } from '../shared/domain/stats/bucket-residuals.ts'
import { moverDifference, type Estimate } from '../shared/domain/stats/newcombe.ts'
import { pairedDifference } from '../shared/domain/stats/paired-difference.ts'

/** What one intent's requests do to the difference: `weight` each, on average; `requests` of them are counted otherwise. */
export interface Moved {
  readonly requests: number
  readonly weight: number
}

/**
 * 95 % limits of the difference of two shares of the same requests under two definitions; null where the data can't carry them.
 *
 * A request that is counted otherwise moves the share by w / X', where w is 1 for one that becomes monetised, R' for one that
 * leaves the denominator unmonetised, and so on (means R' and X' as in the contributions of intents). What pulls up and what pulls
 * down, netted by bucket of households, are two shares of the requests, so each has the limits of `shareBounds`, which
 * hold where few households are behind it; their difference has the limits of MOVER (Donner & Zou 2012). That takes the two for
 * independent and R' for known, so both arms are widened by what the paired linearised variance (`pairedDifference` with one
 * base) exceeds the sum of theirs.
 *
 * The linearised interval alone covers 72 to 92 % where 3 % of 300 to 20,000 households are behind a difference
 * (`npx node test/statistics/main.ts diff`).
 */
export function differenceLimits(
  before: BucketSums,
  after: BucketSums,
  moved: readonly Moved[],
): { low: number; high: number } | null {
  const paired = pairedDifference(after, [before], { dayShocks: false })
  if (paired === null || paired.low === null) {
    return null
  }
  const [x0, y0, x1, y1] = [before.requests, before.monetised, after.requests, after.monetised].map(total) as [
    number,
    number,
    number,
    number,
  ]
  const share = (y0 / x0 + y1 / x1) / 2
  const weights = Array.from(
    before.requests,
    (x, b) => after.monetised[b]! - before.monetised[b]! - share * (after.requests[b]! - x),
  )
  const asked = Array.from(before.requests, (x, b) => Math.max(x, after.requests[b]!))
  // Sums of weights are over the mean of the denominators, shares of what was asked at all.
  const scale = total(asked) / ((x0 + x1) / 2)
  const [up, down] = [pullOf(1, weights, asked, moved), pullOf(-1, weights, asked, moved)]
  const { estimate, low, high } = moverDifference(up.limits, down.limits)
  const variance = up.variance + down.variance
  const widening = variance === 0 ? scale : Math.max(scale, paired.standardError / Math.sqrt(variance))
  return {
    low: Math.max(-1, paired.difference - widening * (estimate - low)),
    high: Math.min(1, paired.difference + widening * (high - estimate)),
  }
}

/** The share of what pulls one way, in the mean weight of its requests, with its limits and its linearised variance. */
function pullOf(
  sign: 1 | -1,
  weights: readonly number[],
  asked: readonly number[],
  moved: readonly Moved[],
): { limits: Estimate; variance: number } {
  const pulling = moved.filter(({ weight }) => sign * weight > 0)
  const requests = pulling.reduce((sum, one) => sum + one.requests, 0)
  const unit = requests === 0 ? 1 : pulling.reduce((sum, one) => sum + one.requests * sign * one.weight, 0) / requests
  const sums = {
    requests: asked,
    monetised: weights.map((weight, b) => Math.min(asked[b]!, Math.max(0, sign * weight) / unit)),
  }
  if (total(sums.monetised) === 0) {
    return { limits: { estimate: 0, low: 0, high: 0 }, variance: 0 }
  }
  const { share, low, high, bucketsWithRequests: n } = shareBounds(sums)
  const squares = bucketResiduals(sums)!.residuals.reduce((sum, u) => sum + u * u, 0)
  return {
    limits: { estimate: unit * share!, low: unit * low!, high: unit * high! },
    variance: unit * unit * (n / (n - 1)) * squares,
  }
}

const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0)
