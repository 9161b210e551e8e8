import { type BucketSums, HOUSEHOLD_BUCKETS } from '../share-interval.ts'
import { bucketResiduals, type BucketResiduals } from './bucket-residuals.ts'
import { cusumChart, type CusumOptions, type CusumPoint } from './cusum.ts'
import { pairedResiduals } from './paired-difference.ts'

/**
 * A CUSUM chart of a cohort's daily share that finds slow drift and stays quiet in a season.
 *
 * The textbook chart on daily shares alarms every 10 to 60 days instead of every 465: weekdays differ, and households
 * change slowly, so that neighbouring days are alike. Hence
 * - z: the share against the mean of the last 4 same weekdays, paired by bucket, in standard errors;
 * - z' = z / (sqrt((1+r)/(1-r)) max(1, sd)), with r the lag-1 autocorrelation of z (plus 2/n against its bias, within 0 and
 *   0.85) and sd its standard deviation, both over the n values of the 56 days before. (1+r)/(1-r) is how much more a sum
 *   of an AR(1) series varies than one of independent numbers (Johnson & Bagshaw 1974, Technometrics 16, 103-112);
 * - two-sided tabular CUSUM of z' with k 0.5 and h 8, chosen by simulation: a false alarm in 593 to 701 days for a broad
 *   share of 2,000 households that change slowly, in 446 to 493 for a strict one (most of these say fall: where few heavy
 *   buyers are active the standard error is small as well), and none in 48,600 days for households that stay as they are.
 *
 * Because the base moves with the share, a step is seen for 4 weeks and then is the new normal; the sums say it meanwhile.
 *
 * Missing days are null, or have no requests, and take no part: such a day has no z and leaves the sums as they are. A base
 * is the last 4 same weekdays that have requests, within 8 weeks; with fewer there is no z. r and sd need 42 values of z
 * in the 56 days; with fewer there is no z'. The first z' thus comes after 28 + 42 days. r is taken over neighbouring days
 * that both have a z.
 *
 * @param days consecutive days, oldest first; sums per bucket
 * @returns one point a day; `residual` is z', null where history doesn't suffice
 * @throws RangeError for sums that no table can hold
 */
export function driftChart(days: readonly (BucketSums | null)[], options: DriftOptions = {}): DriftPoint[] {
  const { buckets = HOUSEHOLD_BUCKETS, k = 0.5, h = 8, afterSignal = 'continue' } = options
  const z = seasonalResiduals(days.map((day) => (day === null ? null : bucketResiduals(day, buckets))))
  const residuals = z.map((value, day) =>
    value === null ? null : withoutAutocorrelation(value, z.slice(Math.max(0, day - HISTORY_DAYS), day)),
  )
  return cusumChart(residuals, { k, h, afterSignal }).map((point, day) => ({
    ...point,
    z: z[day]!,
    residual: residuals[day]!,
  }))
}

export interface DriftOptions extends CusumOptions {
  buckets?: number
}

export interface DriftPoint extends CusumPoint {
  /** Paired difference from the same weekdays, in standard errors. */
  z: number | null
  /** What the chart adds up: z without the autocorrelation of the days before. */
  residual: number | null
}

export const BASE_WEEKS = 4
export const BASE_WEEKS_BACK_MAX = 8
export const HISTORY_DAYS = 56
const HISTORY_VALUES_MIN = 42
const AUTOCORRELATION_MAX = 0.85
const DAYS_PER_WEEK = 7

function seasonalResiduals(days: readonly (BucketResiduals | null)[]): (number | null)[] {
  return days.map((today, at) => {
    if (today === null) return null
    const base: BucketResiduals[] = []
    for (let weeks = 1; weeks <= BASE_WEEKS_BACK_MAX && base.length < BASE_WEEKS; weeks++) {
      const day = days[at - weeks * DAYS_PER_WEEK]
      if (day) base.push(day)
    }
    // Shared shocks from day to day are part of what the chart's sd measures, so they are not added here.
    return base.length < BASE_WEEKS ? null : pairedResiduals(today, base, { dayShocks: false }).t
  })
}

function withoutAutocorrelation(value: number, history: readonly (number | null)[]): number | null {
  const known = history.filter((z) => z !== null)
  const n = known.length
  if (n < HISTORY_VALUES_MIN) return null
  const mean = known.reduce((sum, z) => sum + z, 0) / n
  const squares = known.reduce((sum, z) => sum + (z - mean) ** 2, 0)
  let products = 0
  let pairs = 0
  for (let i = 1; i < history.length; i++) {
    const [before, after] = [history[i - 1]!, history[i]!]
    if (before === null || after === null) continue
    products += (before - mean) * (after - mean)
    pairs++
  }
  // As sums over all days of a full history; where days are missing, scaled to the pairs that are there.
  const lagOne = squares === 0 || pairs === 0 ? 0 : ((products / pairs) * (n - 1)) / squares
  const r = Math.min(Math.max(lagOne + 2 / n, 0), AUTOCORRELATION_MAX)
  return value / (Math.sqrt((1 + r) / (1 - r)) * Math.max(1, Math.sqrt(squares / (n - 1))))
}
