import { fiellerInterval } from './fieller.ts'

export interface CredibilityParts {
  readonly incremental: { readonly estimate: number; readonly standardError: number }
  readonly naive: { readonly estimate: number; readonly standardError: number }
  /** Of the two estimates, -1 to 1: they are made of the same households. */
  readonly correlation: number
  readonly degreesOfFreedom: number
}

export interface CredibilityRatio {
  /** incremental / naive. */
  readonly ratio: number
  readonly low: number
  readonly high: number
}

/**
 * How much of what is claimed for a product exists because of it: 1 all of it, 0 nothing, below 0 it takes away. Incremental over naive
 * with Fieller's interval (`fiellerInterval`).
 *
 * @returns null where the naive figure can't be told from 0: a part of nothing is no number
 */
export function credibilityRatio(
  { incremental, naive, correlation, degreesOfFreedom }: CredibilityParts,
  confidence = 0.95,
): CredibilityRatio | null {
  const interval = fiellerInterval(
    {
      ...{ numerator: incremental.estimate, numeratorVariance: incremental.standardError ** 2 },
      ...{ denominator: naive.estimate, denominatorVariance: naive.standardError ** 2 },
      ...{ covariance: correlation * incremental.standardError * naive.standardError, degreesOfFreedom },
    },
    confidence,
  )
  return interval && { ratio: incremental.estimate / naive.estimate, ...interval }
}
