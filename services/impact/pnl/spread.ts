/**
 * Parts of a sum in proportion to whole weights, none negative, that add up to the sum exactly: part i is the sum's share up to i less
 * that up to i - 1, both cut to the micro-unit. Throws when all weights are 0.
 */
export function spread(sum: bigint, weights: readonly bigint[]): bigint[] {
  const all = weights.reduce((total, weight) => total + weight, 0n)
  let upTo = 0n
  let given = 0n
  return weights.map((weight) => {
    upTo += weight
    const part = (sum * upTo) / all - given
    given += part
    return part
  })
}
