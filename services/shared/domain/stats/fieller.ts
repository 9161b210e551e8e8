import type { Interval } from './newcombe.ts'
import { studentQuantile } from './student-t-distribution.ts'

/** Two estimates, and how they vary together. */
export interface RatioParts {
  readonly numerator: number
  readonly denominator: number
  readonly numeratorVariance: number
  readonly denominatorVariance: number
  readonly covariance: number
  /** Above 0; Infinity for variances that are known. */
  readonly degreesOfFreedom: number
}

/**
 * Fieller's interval of a ratio a/b (Fieller 1954, Journal of the Royal Statistical Society B 16, 175-185): all r for which a - r b
 * can be 0, the roots of
 *
 *     r^2 (b^2 - t^2 Vb) - 2 r (a b - t^2 Cab) + (a^2 - t^2 Va) = 0
 *
 * Where b itself can be 0 they do not enclose the ratio, and no honest interval is bounded; the delta method would give one.
 *
 * @returns null where the denominator can't be told from 0
 */
export function fiellerInterval(parts: RatioParts, confidence = 0.95): Interval | null {
  const { numerator: a, denominator: b, numeratorVariance, denominatorVariance, covariance } = parts
  const t2 = studentQuantile(parts.degreesOfFreedom, confidence) ** 2
  const square = b ** 2 - t2 * denominatorVariance
  if (!(square > 0)) return null
  const middle = (a * b - t2 * covariance) / square
  // Below 0 only by rounding: the estimate itself always lies within.
  const half = Math.sqrt(Math.max(0, middle ** 2 - (a ** 2 - t2 * numeratorVariance) / square))
  return { low: middle - half, high: middle + half }
}

/** Variance of a/b to the first order (delta method), for a denominator well away from 0. */
export function ratioVariance(parts: Omit<RatioParts, 'degreesOfFreedom'>): number {
  const { numerator, denominator, numeratorVariance, denominatorVariance, covariance } = parts
  const ratio = numerator / denominator
  return Math.max(0, numeratorVariance - 2 * ratio * covariance + ratio ** 2 * denominatorVariance) / denominator ** 2
}
