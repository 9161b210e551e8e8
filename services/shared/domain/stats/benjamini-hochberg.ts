/**
 * Adjusted p-values of Benjamini & Hochberg (1995): rejecting those at or below q keeps the expected part of false ones
 * among the rejected at or below q, for independent or positively dependent tests (Benjamini & Yekutieli 2001).
 *
 * @param pValues of the tests made in one family; a cohort without enough data made none, and its caller leaves it out
 * @returns in the order of the input; empty for none
 * @throws RangeError for a value outside of [0, 1]
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const count = pValues.length
  const wrong = pValues.find((p) => !(p >= 0 && p <= 1))
  if (wrong !== undefined) throw new RangeError(`a p-value lies between 0 and 1, got ${wrong}`)
  const order = Array.from(pValues, (_, index) => index).sort((a, b) => pValues[b]! - pValues[a]!)
  const adjusted = new Array<number>(count)
  let smallest = 1
  order.forEach((index, above) => {
    smallest = Math.min(smallest, pValues[index]! * (count / (count - above)))
    adjusted[index] = smallest
  })
  return adjusted
}
