import type { Count, Estimate } from './newcombe.ts'

/**
 * An interval that may be looked at after every request: with probability `1 - alpha` it holds the truth at all looks at
 * once, so stopping at the first one without 0 keeps the promised error.
 *
 * The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2021, "Time-uniform central limit
 * theory and asymptotic confidence sequences", theorem 2.2), the mixture of normals of Robbins (1970):
 *
 *     half-width = se sqrt(2 (v+1)/v log(sqrt(v+1)/alpha)),  v = n rho^2
 *
 * Only n / tunedFor matters: n may count requests, households or hours, as long as the standard error falls with its root.
 * The interval is narrowest, about 1.5 times the one for a single look, where n = tunedFor, and wider before and after.
 * An error that all looks share, as that of a baseline or of a day's shock, may stand in the standard error: it makes looks
 * more alike, which only lowers the chance that any of them fails (Slepian 1962).
 * Asymptotic: looks with so few households that the estimate is not near normal are not covered; a rule's minimum is.
 */
export function confidenceSequence(
  { estimate, standardError, n }: Observed,
  { alpha = 0.05, tunedFor = 5_000 }: SequenceOptions = {},
): AlwaysValid {
  if (!(standardError >= 0 && n > 0 && tunedFor > 0 && alpha > 0 && alpha < 1))
    throw new RangeError(
      `no sequence for standard error ${standardError}, n ${n}, tunedFor ${tunedFor}, alpha ${alpha}`,
    )
  const { criticalValue, pValue } = sequenceBoundary(n, { alpha, tunedFor })
  const half = standardError * criticalValue
  return {
    estimate,
    low: estimate - half,
    high: estimate + half,
    pValue: pValue(estimate === 0 ? 0 : estimate / standardError),
    excludesZero: Math.abs(estimate) > half,
  }
}

/**
 * What stands in place of the normal quantile and p-value of a z statistic at a look with n units of information.
 *
 * @param n above 0; only n / tunedFor matters
 */
export function sequenceBoundary(
  n: number,
  { alpha = 0.05, tunedFor = 5_000 }: SequenceOptions = {},
): { criticalValue: number; pValue: (z: number) => number } {
  const v = n * mixtureVariance(alpha, tunedFor)
  return {
    criticalValue: Math.sqrt(((2 * (v + 1)) / v) * Math.log(Math.sqrt(v + 1) / alpha)),
    pValue: (z) => alwaysValidP(z, v),
  }
}

/** What has been seen so far of something that is estimated again with more data. */
export interface Observed {
  estimate: number
  /** At least 0; of this estimate, on all n. */
  standardError: number
  /** Units of information so far, above 0. */
  n: number
}

export interface SequenceOptions {
  alpha?: number
  /** The n at which the interval is to be narrowest: about when a decision is wanted. */
  tunedFor?: number
}

export interface AlwaysValid extends Estimate {
  /** At most alpha exactly when 0 lies outside; the smallest of all looks may be kept. */
  pValue: number
  excludesZero: boolean
}

/**
 * The relative lift of the second proportion over the first, second/first - 1, always valid: the standard error by the
 * delta method from p(1-p)/n of both, n the trials of both.
 *
 * @throws RangeError when the first proportion is 0 or there are no trials
 */
export function sequentialLift(first: Count, second: Count, options: SequenceOptions = {}): AlwaysValid {
  if (!(first.events > 0 && first.trials > 0 && second.trials > 0))
    throw new RangeError(`no lift over ${first.events} of ${first.trials} by ${second.events} of ${second.trials}`)
  const a = first.events / first.trials
  const b = second.events / second.trials
  const variance = (b * (1 - b)) / second.trials / a ** 2 + (((a * (1 - a)) / first.trials) * b ** 2) / a ** 4
  return confidenceSequence(
    { estimate: b / a - 1, standardError: Math.sqrt(variance), n: first.trials + second.trials },
    options,
  )
}

/** rho^2 that makes the half-width about least at `tunedFor` (section 2 of the same paper, without Lambert's W). */
function mixtureVariance(alpha: number, tunedFor: number): number {
  const log = -2 * Math.log(alpha)
  return (log + Math.log(log + 1)) / tunedFor
}

/** One over the mixture's likelihood ratio against 0, which by Ville's inequality stays above alpha at all looks. */
function alwaysValidP(z: number, v: number): number {
  return Math.min(1, Math.sqrt(v + 1) * Math.exp((-z * z * v) / (2 * (v + 1))))
}
