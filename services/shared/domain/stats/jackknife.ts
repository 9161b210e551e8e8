/**
 * Covariances of estimates that are made of the same groups of units: each group is left out in turn (Quenouille 1956; Tukey 1958; Efron
 * & Stein 1981, "The jackknife estimate of variance").
 *
 *     cov(i, j) = (B-1)/B sum_b (e_i,-b - mean e_i)(e_j,-b - mean e_j)
 *
 * Groups are drawn by a hash of the household, so that they are alike and independent; t has B - 1 degrees of freedom.
 *
 * @param groups at least 2
 * @param estimate what is estimated of some of the groups, always as many numbers; NaN where it can't be, and so its covariances
 * @throws RangeError for fewer groups
 */
export function jackknifeCovariance<T>(
  groups: readonly T[],
  estimate: (groups: readonly T[]) => readonly number[],
): number[][] {
  const count = groups.length
  if (count < 2) throw new RangeError(`nothing is left of ${count} groups without one`)
  const left = groups.map((_, out) => estimate(groups.toSpliced(out, 1)))
  const means = left[0]!.map((_, i) => left.reduce((sum, each) => sum + each[i]!, 0) / count)
  const covariance = (i: number, j: number) =>
    ((count - 1) / count) * left.reduce((sum, each) => sum + (each[i]! - means[i]!) * (each[j]! - means[j]!), 0)
  return means.map((_, i) => means.map((__, j) => covariance(i, j)))
}
