import { type BucketSums, HOUSEHOLD_BUCKETS } from '../share-interval.ts'
import { studentQuantile, studentTwoSidedP } from './student-t-distribution.ts'

/**
 * Why a share differs between two periods: because requests moved between cells (mix) or because cells changed (rate).
 *
 * Kitagawa (1955, Journal of the American Statistical Association 50, 1168-1194), without an interaction term: with cell
 * c's weight w = X_c/X and share r = Y_c/X_c,
 *
 *     mix = sum (w_after - w_before) (r_before + r_after)/2,   rate = sum (r_after - r_before) (w_before + w_after)/2
 *
 * and mix + rate is the difference of the shares. A cell with requests in one period only has no change of its own: its
 * share there stands for both, so that it counts as mix.
 *
 * Standard errors by deleting one bucket of households after the other from both periods and all cells at once (the
 * jackknife of Quenouille and Tukey), limits by Student's t with one degree of freedom less than buckets. Measured for
 * broad shares from 300 households: 94 to 96 % coverage of rate and total, 94 to 99 % of mix. For shares about 1 % rate and
 * total cover 95 to 100 %, but mix only 86 to 91 % when it really moved: no alert should rest on it.
 *
 * @param cells each with sums per bucket of both periods; names are the caller's
 * @returns null when a period holds no requests
 * @throws RangeError for sums of unequal length or more buckets than `buckets`
 */
export function kitagawa<C extends string>(
  cells: readonly KitagawaCell<C>[],
  { buckets = HOUSEHOLD_BUCKETS, confidence = 0.95 }: { buckets?: number; confidence?: number } = {},
): Kitagawa<C> | null {
  const sums = cells.map((cell) => ({
    cell: cell.cell,
    before: totalOf(cell.before, buckets),
    after: totalOf(cell.after, buckets),
  }))
  const all = decompose(sums)
  if (all === null) return null

  const replicates = withoutEachBucket(cells, sums, buckets)
  const part = (value: number, of: (parts: Parts) => number) =>
    intervalOf(value, replicates?.map(of) ?? null, confidence)
  return {
    shareBefore: all.shareBefore,
    shareAfter: all.shareAfter,
    total: part(all.total, (parts) => parts.total),
    mix: part(all.mix, (parts) => parts.mix),
    rate: part(all.rate, (parts) => parts.rate),
    cells: cellParts(sums, all),
  }
}

export interface KitagawaCell<C extends string = string> {
  cell: C
  before: BucketSums
  after: BucketSums
}

export interface Part {
  /** A difference of shares, after minus before. */
  estimate: number
  /** All null below 3 buckets with requests, where there is no spread to judge by. */
  standardError: number | null
  low: number | null
  high: number | null
  /** Two-sided, against no difference. */
  pValue: number | null
}

export interface CellPart<C extends string = string> {
  cell: C
  /** The cell's part of all requests. */
  weightBefore: number
  weightAfter: number
  /** null without requests in that period. */
  shareBefore: number | null
  shareAfter: number | null
  /** Against the mean share, so that a cell at the mean has none whatever its weight does. The cells' sum is the mix. */
  mix: number
  rate: number
}

export interface Kitagawa<C extends string = string> {
  shareBefore: number
  shareAfter: number
  total: Part
  mix: Part
  rate: Part
  /** In the order of the input. */
  cells: CellPart<C>[]
}

interface Sum {
  x: number
  y: number
}

interface Pair {
  before: Sum
  after: Sum
}

interface Parts {
  shareBefore: number
  shareAfter: number
  total: number
  mix: number
  rate: number
}

const MIN_BUCKETS_WITH_REQUESTS = 3

function totalOf({ requests, monetised }: BucketSums, buckets: number): Sum {
  if (requests.length > buckets || monetised.length !== requests.length)
    throw new RangeError(
      `expected the same number of request and monetised sums, at most ${buckets}, got ${requests.length} and ${monetised.length}`,
    )
  const sum = { x: 0, y: 0 }
  for (let b = 0; b < requests.length; b++) {
    sum.x += requests[b]!
    sum.y += monetised[b]!
  }
  return sum
}

function decompose(cells: readonly Pair[]): Parts | null {
  const before = { x: 0, y: 0 }
  const after = { x: 0, y: 0 }
  for (const cell of cells) {
    before.x += cell.before.x
    before.y += cell.before.y
    after.x += cell.after.x
    after.y += cell.after.y
  }
  if (before.x === 0 || after.x === 0) return null
  let rate = 0
  for (const cell of cells) rate += rateOf(cell, before.x, after.x)
  const shareBefore = before.y / before.x
  const shareAfter = after.y / after.x
  const total = shareAfter - shareBefore
  return { shareBefore, shareAfter, total, mix: total - rate, rate }
}

function rateOf({ before, after }: Pair, X0: number, X1: number): number {
  if (before.x === 0 || after.x === 0) return 0
  return ((after.y / after.x - before.y / before.x) * (before.x / X0 + after.x / X1)) / 2
}

function cellParts<C extends string>(cells: readonly (Pair & { cell: C })[], all: Parts): CellPart<C>[] {
  const X0 = cells.reduce((sum, { before }) => sum + before.x, 0)
  const X1 = cells.reduce((sum, { after }) => sum + after.x, 0)
  const mean = (all.shareBefore + all.shareAfter) / 2
  return cells.map((pair) => {
    const { cell, before, after } = pair
    const shareBefore = before.x > 0 ? before.y / before.x : null
    const shareAfter = after.x > 0 ? after.y / after.x : null
    const weightBefore = before.x / X0
    const weightAfter = after.x / X1
    const share = ((shareBefore ?? shareAfter ?? mean) + (shareAfter ?? shareBefore ?? mean)) / 2
    const mix = (weightAfter - weightBefore) * (share - mean)
    return { cell, weightBefore, weightAfter, shareBefore, shareAfter, mix, rate: rateOf(pair, X0, X1) }
  })
}

/** The parts with each bucket that has requests left out in turn; null where that leaves too little to judge by. */
function withoutEachBucket(cells: readonly KitagawaCell[], sums: readonly Pair[], buckets: number): Parts[] | null {
  const left = sums.map(() => ({ before: { x: 0, y: 0 }, after: { x: 0, y: 0 } }))
  const replicates: Parts[] = []
  for (let b = 0; b < buckets; b++) {
    let used = 0
    cells.forEach((cell, c) => {
      used += subtract(sums[c]!.before, cell.before, b, left[c]!.before)
      used += subtract(sums[c]!.after, cell.after, b, left[c]!.after)
    })
    if (used === 0) continue
    const parts = decompose(left)
    if (parts === null) return null
    replicates.push(parts)
  }
  return replicates.length < MIN_BUCKETS_WITH_REQUESTS ? null : replicates
}

function subtract(sum: Sum, { requests, monetised }: BucketSums, bucket: number, into: Sum): number {
  const x = requests[bucket] ?? 0
  into.x = sum.x - x
  into.y = sum.y - (monetised[bucket] ?? 0)
  return x
}

function intervalOf(estimate: number, replicates: readonly number[] | null, confidence: number): Part {
  if (replicates === null) return { estimate, standardError: null, low: null, high: null, pValue: null }
  const n = replicates.length
  const mean = replicates.reduce((sum, value) => sum + value, 0) / n
  const squares = replicates.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const standardError = Math.sqrt(((n - 1) / n) * squares)
  const half = studentQuantile(n - 1, confidence) * standardError
  const pValue = standardError === 0 ? null : studentTwoSidedP(estimate / standardError, n - 1)
  return { estimate, standardError, low: estimate - half, high: estimate + half, pValue }
}
