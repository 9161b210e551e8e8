import { momentsOf, type Moments, type PairMoments } from './moments.ts'
import { combinedMeans, welchDifference, type Difference } from './welch.ts'

/** One group's means at two times, of units that need not be the same. */
export interface TwoTimes {
  readonly after: Moments
  readonly before: Moments
}

/**
 * Difference in differences of four means, (first after - first before) - (second after - second before), as of independent
 * samples (Card & Krueger 1994, American Economic Review 84, 772-793, table 3). Right where both groups would have moved alike.
 *
 * @throws RangeError for a group without units
 */
export function differenceInMeans(first: TwoTimes, second: TwoTimes, confidence = 0.95): Difference {
  return combinedMeans(
    [
      { ...first.after, weight: 1 },
      { ...first.before, weight: -1 },
      { ...second.after, weight: -1 },
      { ...second.before, weight: 1 },
    ],
    confidence,
  )
}

/**
 * Difference in differences of the same units at both times: Welch's test on their changes, y - scale x, because what a unit always
 * has falls out of its change (Angrist & Pischke 2009, "Mostly harmless econometrics", 5.2).
 *
 * @param scale of the earlier values: how many times longer the outcome's time is, where both are sums over time
 * @throws RangeError for a group without units
 */
export function differenceInChanges(
  first: PairMoments,
  second: PairMoments,
  { scale = 1, confidence = 0.95 }: { readonly scale?: number; readonly confidence?: number } = {},
): Difference {
  const weights = { outcome: 1, earlier: -scale }
  return welchDifference(momentsOf(first, weights), momentsOf(second, weights), confidence)
}
