import { fiellerInterval, ratioVariance } from './fieller.ts'
import { mergeMoments, momentsOf, type PairMoments } from './moments.ts'
import { welchDifference } from './welch.ts'

/** An arm by what became of its units: those who were exposed (own the product), and the others. */
export interface ExposedArm {
  readonly exposed: PairMoments
  readonly others: PairMoments
}

export interface ExposureScaled {
  /** Exposed share of the first arm less that of the second. */
  readonly exposureDifference: number
  /** Null where both arms are exposed alike. */
  readonly estimate: number | null
  /** Null where the difference of exposure can't be told from 0: then nothing bounds the effect. */
  readonly standardError: number | null
  readonly degreesOfFreedom: number | null
  readonly low: number | null
  readonly high: number | null
}

/**
 * Effect per exposed unit: the difference by lot over the difference of exposure (Bloom 1984, Evaluation Review 8, 225-246; Wald 1940;
 * of those whom the lot made exposed, Imbens & Angrist 1994). Exposure and outcome of one arm vary together, so their covariance enters
 * the interval, which is Fieller's: where the holdout leaks so much that exposures hardly differ, it has no bounds and says so.
 *
 * @param theta of CUPED; 0 for the plain difference
 * @throws RangeError for an arm without units
 */
export function exposureScaled(
  first: ExposedArm,
  second: ExposedArm,
  { theta = 0, confidence = 0.95 }: { readonly theta?: number; readonly confidence?: number } = {},
): ExposureScaled {
  const [one, two] = [armOf(first, theta), armOf(second, theta)]
  const { estimate: numerator, standardError, degreesOfFreedom } = welchDifference(one, two, confidence)
  const exposureDifference = one.share - two.share
  const none = { exposureDifference, standardError: null, degreesOfFreedom: null, low: null, high: null }
  const estimate = exposureDifference === 0 ? null : numerator / exposureDifference
  if (standardError === null || degreesOfFreedom === null) return { ...none, estimate }
  const parts = {
    ...{ numerator, denominator: exposureDifference, numeratorVariance: standardError ** 2, degreesOfFreedom },
    denominatorVariance: one.shareVariance + two.shareVariance,
    covariance: one.covariance + two.covariance,
  }
  const interval = fiellerInterval(parts, confidence)
  return interval === null
    ? { ...none, estimate }
    : {
        ...{ exposureDifference, estimate, degreesOfFreedom, ...interval },
        standardError: Math.sqrt(ratioVariance(parts)),
      }
}

/** Moments of an arm's adjusted outcome, its exposed share, and the variances of the means of both. */
function armOf({ exposed, others }: ExposedArm, theta: number) {
  const weights = { outcome: 1, earlier: -theta }
  const all = momentsOf(mergeMoments([exposed, others]), weights)
  const share = exposed.n / all.n
  const apart = momentsOf(exposed, weights).mean - momentsOf(others, weights).mean
  const shareVariance = (share * (1 - share)) / (all.n - 1)
  return { ...all, share, shareVariance, covariance: shareVariance * apart }
}
