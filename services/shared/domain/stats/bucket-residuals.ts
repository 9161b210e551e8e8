import { type BucketSums, HOUSEHOLD_BUCKETS } from '../share-interval.ts'

/** A period's share, and how much each bucket of households pulls it up or down. */
export interface BucketResiduals {
  /** R = Y/X, between 0 and 1. */
  share: number
  /** X, above 0. */
  requests: number
  /** u_b = (y_b - R x_b) / X; they sum to 0. One a bucket of the tables, 0 for those without requests. */
  residuals: Float64Array
  /** Whether the bucket had requests, one a bucket. */
  used: Uint8Array
}

/**
 * The linearised residuals of a ratio (Cochran 1977, Sampling Techniques, section 6.3): B/(B-1) times the sum of their
 * squares is the variance of the share, and that of the sum of squares of differences of two periods' residuals is the
 * variance of the difference of the shares, with what the same households do in both periods taken out.
 *
 * @returns null without requests
 * @throws RangeError when a bucket has more monetised requests than requests, or there are more buckets than `buckets`
 */
export function bucketResiduals(
  { requests, monetised }: BucketSums,
  buckets: number = HOUSEHOLD_BUCKETS,
): BucketResiduals | null {
  if (requests.length > buckets || monetised.length !== requests.length)
    throw new RangeError(
      `expected the same number of request and monetised sums, at most ${buckets}, got ${requests.length} and ${monetised.length}`,
    )
  let X = 0
  let Y = 0
  for (let b = 0; b < requests.length; b++) {
    const x = requests[b]!
    const y = monetised[b]!
    if (!(y >= 0 && y <= x)) throw new RangeError(`bucket ${b} has ${y} monetised requests of ${x}`)
    X += x
    Y += y
  }
  if (X === 0) return null
  const residuals = new Float64Array(buckets)
  const used = new Uint8Array(buckets)
  for (let b = 0; b < requests.length; b++) {
    // Not y - R x: this form is exactly 0 where all buckets have the same share.
    residuals[b] = (monetised[b]! * X - requests[b]! * Y) / X / X
    used[b] = requests[b]! > 0 ? 1 : 0
  }
  return { share: Y / X, requests: X, residuals, used }
}
