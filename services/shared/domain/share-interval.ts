import { type Confidence, NORMAL_QUANTILE, studentT } from './student-t.ts'

/**
 * A share of requests with an honest interval, as people may see it.
 *
 * The unit that varies is the household, not the request: a heavy user asks the same things all week, so the textbook
 * interval on requests covers 4 to 45 % instead of 95. Households hash to `buckets` buckets, and the spread between
 * the buckets' sums carries the interval. The usual linearised interval still covers only 42 to 85 % for rare shares in
 * cohorts of 100 to 1,000, so the variance is shrunk towards its worst case when few households contribute (`shareBounds`).
 *
 * What is shown, and why:
 * - fewer than 3 buckets with requests: `insufficient`, no bounds (a spread of two numbers says nothing);
 * - fewer than 3 effective contributing households: `insufficient`, only the upper bound (the lower one would rest on
 *   one or two people);
 * - half-width above 50 % of the share: `wide`.
 */
export function shareInterval(sums: BucketSums, options: ShareOptions = {}): ShareInterval {
  const bounds = shareBounds(sums, options)
  const { share, low, high } = bounds
  if (share === null || low === null || high === null) return { ...bounds, quality: 'insufficient' }
  if (bounds.contributingHouseholds < MIN_CONTRIBUTING_HOUSEHOLDS)
    return { ...bounds, low: null, quality: 'insufficient' }
  return { ...bounds, quality: isWide({ share, low, high }) ? 'wide' : 'ok' }
}

/** Sums per bucket of households; buckets past the end of the arrays are empty. */
export interface BucketSums {
  /** Requests in the denominator. */
  requests: ArrayLike<number>
  /** Those of them that count as monetised: at most the bucket's requests. */
  monetised: ArrayLike<number>
}

export interface ShareOptions {
  /** Buckets that households hash to, empty ones included: a constant of the tables, not the number with requests. */
  buckets?: number
  confidence?: Confidence
}

export interface ShareBounds {
  /** Between 0 and 1; null without requests. */
  share: number | null
  /** Between 0 and 1; both null below 3 buckets with requests. */
  low: number | null
  high: number | null
  /** Independent requests that would give as narrow an interval (n*). */
  effectiveRequests: number
  degreesOfFreedom: number
  /** Effective number of households behind the rarer of monetised and not monetised requests (m). */
  contributingHouseholds: number
  bucketsWithRequests: number
}

export interface ShareInterval extends ShareBounds {
  quality: ShareQuality
}

export type ShareQuality = 'ok' | 'wide' | 'insufficient'

/** Buckets that the classifier hashes households to and the roll-ups keep sums for. */
export const HOUSEHOLD_BUCKETS = 64

const MIN_BUCKETS_WITH_REQUESTS = 3
const MIN_CONTRIBUTING_HOUSEHOLDS = 3
const MAX_RELATIVE_HALF_WIDTH = 0.5

/**
 * The bounds before anything is hidden from readers: Wilson's interval on an effective number of requests.
 *
 * Over buckets with requests x and monetised y, share R = Y/X and residuals e = y - R x:
 * - v = n/(n-1) sum(e^2) / X^2, the linearised variance of a ratio between n clusters (Cochran 1977, ch. 6);
 * - m_x and m, effective numbers of households (Kish 1965) behind all requests and behind the rarer kind;
 * - v* = (m v + R(1-R)/m_x) / (m+1): with few contributors v is mostly luck, so it gives way to the worst case, in
 *   which each household is all or nothing;
 * - n* = R(1-R)/v*, within 1 and X; where R is 0 or 1 nothing varies, and n* = m_x;
 * - df from the kurtosis of e (Satterthwaite), within 2 and n-1, for one household can hold most of the spread.
 *
 * Measured by simulation (log-normal use, 1 to 28 days): about 94 to 100 % coverage for shares of 0.5 to 50 % from 11 to
 * 30,000 households. The SQL of the view `usage_share` computes the same digits.
 *
 * @throws RangeError when a bucket has more monetised requests than requests, or there are more buckets than `buckets`
 */
export function shareBounds(sums: BucketSums, options: ShareOptions = {}): ShareBounds {
  const { buckets = HOUSEHOLD_BUCKETS, confidence = 0.95 } = options
  const { requests, monetised } = sums
  const totals = addBuckets(sums, buckets)
  const { n, X, Y } = totals
  const share = X > 0 ? Y / X : null
  // Also the bound of df: n-1 must not fall below the 2 that the t quantile needs.
  if (share === null || n < MIN_BUCKETS_WITH_REQUESTS) {
    return {
      share,
      low: null,
      high: null,
      effectiveRequests: 0,
      degreesOfFreedom: Math.max(0, n - 1),
      contributingHouseholds: 0,
      bucketsWithRequests: n,
    }
  }

  let S2 = 0
  let S4 = 0
  for (let b = 0; b < requests.length; b++) {
    // Not y - R x: this form is exactly 0 where all buckets have the same share, and S2 = 0 is a case of its own.
    const e = (monetised[b]! * X - requests[b]! * Y) / X
    const e2 = e * e
    S2 += e2
    S4 += e2 * e2
  }

  const v = ((n / (n - 1)) * S2) / (X * X)
  const v0 = share * (1 - share)
  const mx = clip(kish(X, totals.X2, buckets), 1, X)
  const m = Math.min(contributors(Y, totals.Y2, buckets), contributors(X - Y, totals.rest2, buckets))
  const shrunk = (m * v + v0 / mx) / (m + 1)
  const effectiveRequests = v0 === 0 ? mx : clip(v0 / shrunk, 1, X)
  const degreesOfFreedom = S2 === 0 ? n - 1 : clip((2 * n) / Math.max((n * S4) / (S2 * S2) - 1, 0), 2, n - 1)
  return {
    share,
    ...wilson(share, effectiveRequests, studentT(degreesOfFreedom, confidence)),
    effectiveRequests,
    degreesOfFreedom,
    contributingHouseholds: m,
    bucketsWithRequests: n,
  }
}

/** Wilson's score interval (1927) of a share seen in n independent requests; t is the critical value. */
export function wilson(share: number, n: number, t: number): { low: number; high: number } {
  const t2n = (t * t) / n
  const centre = (share + t2n / 2) / (1 + t2n)
  const half = Math.sqrt(t2n * (share * (1 - share) + t2n / 4)) / (1 + t2n)
  // Rounding can leave [0, 1] by one unit in the last place at a share of 0 or 1.
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}

/**
 * The independent requests in which a share has this 95 % interval: the inverse of `wilson` at the normal quantile. What knows only
 * the bounds of `shareBounds` gets n* back, less by what Student's t is wider than the normal quantile.
 *
 * With u = z^2/n the half-width h solves h^2 (1 + u)^2 = u R(1-R) + u^2/4, a quadratic equation of u with one positive root.
 */
export function effectiveRequestsOf({ share, low, high }: { share: number; low: number; high: number }): number {
  const h2 = ((high - low) / 2) ** 2
  const b = share * (1 - share) - 2 * h2
  const root = Math.sqrt(b * b + h2 * (1 - 4 * h2))
  // The form that adds, for the difference of two equal numbers has no digits.
  const u = b >= 0 ? (2 * h2) / (b + root) : (root - b) / (0.5 - 2 * h2)
  return NORMAL_QUANTILE[0.95] ** 2 / u
}

/** Half of it is more than half of the share. */
export function isWide({ share, low, high }: { share: number; low: number; high: number }): boolean {
  return (high - low) / 2 > MAX_RELATIVE_HALF_WIDTH * share
}

function addBuckets({ requests, monetised }: BucketSums, buckets: number) {
  if (requests.length > buckets || monetised.length !== requests.length)
    throw new RangeError(
      `expected the same number of request and monetised sums, at most ${buckets}, got ${requests.length} and ${monetised.length}`,
    )
  const totals = { n: 0, X: 0, Y: 0, X2: 0, Y2: 0, rest2: 0 }
  for (let b = 0; b < requests.length; b++) {
    const x = requests[b]!
    const y = monetised[b]!
    if (!(y >= 0 && y <= x)) throw new RangeError(`bucket ${b} has ${y} monetised requests of ${x}`)
    if (x > 0) totals.n++
    totals.X += x
    totals.Y += y
    totals.X2 += x * x
    totals.Y2 += y * y
    totals.rest2 += (x - y) * (x - y)
  }
  return totals
}

/**
 * Effective number of households behind a sum, from bucket sums alone: (sum a)^2 over the sum of squares that
 * households of a Poisson number per bucket would have. Where the buckets are too equal to tell, every unit counts.
 */
function kish(sum: number, sumOfSquares: number, buckets: number): number {
  const squares = (buckets / (buckets - 1)) * (sumOfSquares - (sum * sum) / buckets)
  return squares <= 0 ? sum : (sum * sum) / squares
}

function contributors(sum: number, sumOfSquares: number, buckets: number): number {
  return sum === 0 ? 0 : Math.max(1, kish(sum, sumOfSquares, buckets))
}

function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
