/** Size, mean and variance of one group's values. */
export interface Moments {
  /** Units (households): at least 1. */
  readonly n: number
  readonly mean: number
  /** Unbiased, over n - 1; NaN for a single unit. */
  readonly variance: number
}

/**
 * What a group's units say of an outcome and of the same units' earlier value: all that the estimators of effects need, so that a
 * database may sum up and nothing but six numbers a group is read. Centred, because raw sums of squares of micros lose the variance.
 */
export interface PairMoments {
  /** Units (households); 0 for none, all else is 0 then. */
  readonly n: number
  readonly outcomeMean: number
  readonly earlierMean: number
  /** sum (y - mean y)^2 */
  readonly outcomeSquares: number
  /** sum (x - mean x)^2 */
  readonly earlierSquares: number
  /** sum (y - mean y)(x - mean x) */
  readonly products: number
}

export interface Unit {
  readonly outcome: number
  readonly earlier: number
}

export const noUnits: PairMoments = {
  ...{ n: 0, outcomeMean: 0, earlierMean: 0, outcomeSquares: 0, earlierSquares: 0, products: 0 },
}

/** Of plain rows, in two passes. */
export function pairMoments(units: readonly Unit[]): PairMoments {
  const n = units.length
  const sum = (of: (unit: Unit) => number) => units.reduce((total, unit) => total + of(unit), 0)
  const outcomeMean = n === 0 ? 0 : sum(({ outcome }) => outcome) / n
  const earlierMean = n === 0 ? 0 : sum(({ earlier }) => earlier) / n
  return {
    ...{ n, outcomeMean, earlierMean },
    outcomeSquares: sum(({ outcome }) => (outcome - outcomeMean) ** 2),
    earlierSquares: sum(({ earlier }) => (earlier - earlierMean) ** 2),
    products: sum(({ outcome, earlier }) => (outcome - outcomeMean) * (earlier - earlierMean)),
  }
}

/** Of several groups together (Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm"). */
export function mergeMoments(groups: readonly PairMoments[]): PairMoments {
  return groups.reduce(mergeTwo, noUnits)
}

/** Moments of `outcome * y + earlier * x`: of the outcome itself, of its change, of the outcome adjusted for earlier. */
export function momentsOf(
  group: PairMoments,
  { outcome, earlier }: { readonly outcome: number; readonly earlier: number },
): Moments {
  const { n, outcomeSquares, earlierSquares, products } = group
  const squares = outcome ** 2 * outcomeSquares + 2 * outcome * earlier * products + earlier ** 2 * earlierSquares
  return {
    n,
    mean: outcome * group.outcomeMean + earlier * group.earlierMean,
    // Rounding may leave a little below 0 of what is perfectly explained.
    variance: Math.max(0, squares) / (n - 1),
  }
}

/** Moments of plain numbers. */
export function momentsOfValues(values: readonly number[]): Moments {
  const units = values.map((outcome) => ({ outcome, earlier: 0 }))
  return momentsOf(pairMoments(units), { outcome: 1, earlier: 0 })
}

function mergeTwo(a: PairMoments, b: PairMoments): PairMoments {
  const n = a.n + b.n
  if (n === 0) {
    return noUnits
  }
  const [byOutcome, byEarlier] = [b.outcomeMean - a.outcomeMean, b.earlierMean - a.earlierMean]
  const weight = (a.n * b.n) / n
  return {
    n,
    outcomeMean: a.outcomeMean + (byOutcome * b.n) / n,
    earlierMean: a.earlierMean + (byEarlier * b.n) / n,
    outcomeSquares: a.outcomeSquares + b.outcomeSquares + byOutcome ** 2 * weight,
    earlierSquares: a.earlierSquares + b.earlierSquares + byEarlier ** 2 * weight,
    products: a.products + b.products + byOutcome * byEarlier * weight,
  }
}
