import type { Interval } from './newcombe.ts'

/**
 * The percentile interval of a bootstrap (Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 13.3): quantiles of
 * the draws, between neighbours in proportion (Hyndman & Fan 1996, type 7). A draw may be Infinity, and so may a limit.
 *
 * @throws RangeError without draws, or where one is no number
 */
export function percentileInterval(draws: ArrayLike<number>, confidence = 0.95): Interval {
  const sorted = Float64Array.from(draws).sort()
  if (sorted.length === 0 || Number.isNaN(sorted.at(-1)))
    throw new RangeError('a percentile needs draws that are numbers')
  const at = (part: number) => {
    const place = part * (sorted.length - 1)
    const below = sorted[Math.floor(place)]!
    const above = sorted[Math.ceil(place)]!
    return below === above ? below : below + (place % 1) * (above - below)
  }
  return { low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) }
}
