import { normalCdf } from './normal.ts'

export interface SampleRatio {
  /** Units that the lot was to draw into the first arm, of those who are there. */
  readonly expectedFirst: number
  /** Pearson's chi-squared with one degree of freedom. */
  readonly chiSquared: number
  readonly pValue: number
  readonly passes: boolean
}

/** Below, arms are not what the lot drew, and no difference between them means anything. */
export const sampleRatioPMin = 0.001

/**
 * Whether two arms are as large as the lot was to make them (Fabijan et al. 2019, "Diagnosing sample ratio mismatch in online controlled
 * experiments", KDD): Pearson's chi-squared, refused below p = 0.001.
 *
 * @param found units in each arm, at least one together
 * @param asked shares of the lot, above 0; what is in neither arm does not count
 * @throws RangeError outside of these
 */
export function sampleRatio(
  found: { readonly first: number; readonly second: number },
  asked: { readonly first: number; readonly second: number },
): SampleRatio {
  const n = found.first + found.second
  if (!(n > 0 && asked.first > 0 && asked.second > 0)) throw new RangeError('a ratio of nothing')
  const share = asked.first / (asked.first + asked.second)
  const expectedFirst = n * share
  const chiSquared = (found.first - expectedFirst) ** 2 / (n * share * (1 - share))
  // A chi-squared of one degree of freedom is a squared standard normal number.
  const pValue = 2 * normalCdf(-Math.sqrt(chiSquared))
  return { expectedFirst, chiSquared, pValue, passes: pValue >= sampleRatioPMin }
}
