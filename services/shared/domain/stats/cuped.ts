import { mergeMoments, momentsOf, type PairMoments } from './moments.ts'
import { welchDifference, type Difference } from './welch.ts'

/**
 * Difference of two arms drawn by lot, first minus second, less what the units' earlier values explain: CUPED (Deng, Xu, Kohavi &
 * Walker 2013, "Improving the sensitivity of online controlled experiments by utilizing pre-experiment data", WSDM, section 3.2).
 *
 *     theta = cov(y, x) / var(x) over the units of both arms,   difference of the means of y - theta x
 *
 * The estimate stays that of the plain difference, for the lot makes x alike in both arms; its variance falls by the squared
 * correlation. Only of arms by lot: of groups that chose themselves the difference in x is no chance.
 *
 * @throws RangeError for an arm without units
 */
export function cupedDifference(first: PairMoments, second: PairMoments, confidence = 0.95): Difference {
  const weights = { outcome: 1, earlier: -cupedTheta(first, second) }
  return welchDifference(momentsOf(first, weights), momentsOf(second, weights), confidence)
}

/** 0 where nobody's earlier value differs. */
export function cupedTheta(first: PairMoments, second: PairMoments): number {
  const { products, earlierSquares } = mergeMoments([first, second])
  return earlierSquares > 0 ? products / earlierSquares : 0
}
