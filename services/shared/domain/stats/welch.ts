import type { Moments } from './moments.ts'
import { studentQuantile, studentTwoSidedP } from './student-t-distribution.ts'

/** An estimated difference in the unit of the outcome. */
export interface Difference {
  readonly estimate: number
  /** This and all below are null where the spread says nothing: a group of one, or nobody differs from anybody. */
  readonly standardError: number | null
  readonly degreesOfFreedom: number | null
  /** estimate / standardError, its two-sided p-value, and the interval's limits. */
  readonly t: number | null
  readonly pValue: number | null
  readonly low: number | null
  readonly high: number | null
}

/**
 * Difference of two independent means, first minus second, whose variances may differ (Welch 1947, Biometrika 34, 28-35):
 *
 *     se^2 = v1/n1 + v2/n2,   df = se^4 / ((v1/n1)^2/(n1-1) + (v2/n2)^2/(n2-1))         (Satterthwaite 1946)
 *
 * @throws RangeError for a group without units
 */
export function welchDifference(first: Moments, second: Moments, confidence = 0.95): Difference {
  return combinedMeans(
    [
      { ...first, weight: 1 },
      { ...second, weight: -1 },
    ],
    confidence,
  )
}

/**
 * A weighted sum of independent means, with Satterthwaite's degrees of freedom over all of them.
 *
 * @throws RangeError for a group without units
 */
export function combinedMeans(
  groups: readonly (Moments & { readonly weight: number })[],
  confidence = 0.95,
): Difference {
  if (groups.some(({ n }) => !(n >= 1))) throw new RangeError('a mean of no units')
  const estimate = groups.reduce((sum, { mean, weight }) => sum + weight * mean, 0)
  const parts = groups.map(({ n, variance, weight }) => ({ of: (weight ** 2 * variance) / n, n }))
  const variance = parts.reduce((sum, { of }) => sum + of, 0)
  if (!(variance > 0)) {
    return { estimate, standardError: null, degreesOfFreedom: null, t: null, pValue: null, low: null, high: null }
  }
  const standardError = Math.sqrt(variance)
  const degreesOfFreedom = variance ** 2 / parts.reduce((sum, { of, n }) => sum + of ** 2 / (n - 1), 0)
  return differenceOf(estimate, { standardError, degreesOfFreedom }, confidence)
}

/** An estimate with the interval of its standard error and Student's t. */
export function differenceOf(
  estimate: number,
  { standardError, degreesOfFreedom }: { readonly standardError: number; readonly degreesOfFreedom: number },
  confidence = 0.95,
): Difference {
  const t = estimate / standardError
  const half = studentQuantile(degreesOfFreedom, confidence) * standardError
  return {
    ...{ estimate, standardError, degreesOfFreedom, t },
    pValue: studentTwoSidedP(t, degreesOfFreedom),
    low: estimate - half,
    high: estimate + half,
  }
}
