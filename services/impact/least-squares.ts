import { Matrix, SingularValueDecomposition } from 'ml-matrix'

/** Sums of products over all units: X'X and X'y. A database sums them; of k regressors they are k (k + 1) numbers. */
export interface CrossProducts {
  readonly regressors: readonly (readonly number[])[]
  readonly withOutcome: readonly number[]
}

/** Of plain rows: each unit's regressors (a constant 1 is one, where it is wanted) and its outcome. */
export function crossProducts(
  units: readonly { readonly regressors: readonly number[]; readonly outcome: number }[],
): CrossProducts {
  const size = units[0]?.regressors.length ?? 0
  const regressors = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  const withOutcome = new Array<number>(size).fill(0)
  for (const unit of units) {
    unit.regressors.forEach((a, row) => {
      withOutcome[row]! += a * unit.outcome
      unit.regressors.forEach((b, column) => (regressors[row]![column]! += a * b))
    })
  }
  return { regressors, withOutcome }
}

/**
 * Coefficients of ordinary least squares by the normal equations, X'X b = X'y (Legendre 1805). Each regressor is first scaled to length 1,
 * because micros beside a constant would leave no digits.
 *
 * @returns null where regressors are collinear, or all of one is 0: then no coefficient is its own
 */
export function leastSquares({ regressors, withOutcome }: CrossProducts): number[] | null {
  const lengths = regressors.map((row, at) => Math.sqrt(row[at]!))
  if (lengths.length === 0 || lengths.some((length) => !(length > 0))) {
    return null
  }
  const scaled = new Matrix(regressors.map((row, i) => row.map((sum, j) => sum / (lengths[i]! * lengths[j]!))))
  const decomposition = new SingularValueDecomposition(scaled)
  if (decomposition.condition > conditionMax) {
    return null
  }
  const right = Matrix.columnVector(withOutcome.map((sum, at) => sum / lengths[at]!))
  return decomposition
    .solve(right)
    .to1DArray()
    .map((value, at) => value / lengths[at]!)
}

/** Of the scaled equations; beyond it fewer than four digits of a coefficient would hold. */
const conditionMax = 1e12
