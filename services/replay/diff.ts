import { shareBounds, type BucketSums } from '../shared/domain/share-interval.ts'
import { suppressedCells } from '../shared/domain/suppression.ts'
import { differenceLimits, type Moved } from './difference-interval.ts'

export const sides = ['strict', 'broad'] as const
export type Side = (typeof sides)[number]

/** Requests in the denominator, and those of them that count as monetised. */
export type Counts = { readonly requests: number } & Readonly<Record<Side, number>>

/** What one database holds of a range: per cell and bucket, and per cell and intent. */
export interface CellRows {
  /** Values of the dimensions asked for, in their order. */
  readonly key: readonly string[]
  readonly households: number
  readonly buckets: readonly (Counts & { readonly bucket: number })[]
  readonly intents: readonly (Counts & { readonly intent: string })[]
}

/** A share under two definitions of the same requests. Shares lie between 0 and 1. */
export interface SideDifference {
  readonly before: number | null
  readonly after: number | null
  readonly difference: number | null
  /** 95 % of the difference; null where the data can't carry it. */
  readonly low: number | null
  readonly high: number | null
  /** `same`: no request is counted otherwise; `insufficient`: too few households are behind those that are. */
  readonly quality: 'ok' | 'same' | 'insufficient'
}

/** What one intent adds to the differences of its cell. */
export interface Contribution {
  readonly intent: string
  readonly before: Counts
  readonly after: Counts
  /** They add up to the cell's differences exactly, but for the rounding of doubles. */
  readonly strict: number
  readonly broad: number
}

export interface DiffCell {
  readonly key: readonly string[]
  /** A cell under 11 households, or one that would give such a cell away: it shows nothing. */
  readonly suppressed: boolean
  readonly households: number | null
  readonly before: Counts | null
  readonly after: Counts | null
  readonly strict: SideDifference | null
  readonly broad: SideDifference | null
  /** Intents that moved either share, the largest first. */
  readonly intents: readonly Contribution[]
}

/** Compares what two databases hold of one range, cell by cell: `after` minus `before`. */
export function diffCells(before: readonly CellRows[], after: readonly CellRows[]): DiffCell[] {
  const nameOf = ({ key }: CellRows) => JSON.stringify(key)
  const [was, is] = [
    new Map(before.map((cell) => [nameOf(cell), cell])),
    new Map(after.map((cell) => [nameOf(cell), cell])),
  ]
  const names = [...new Set([...was.keys(), ...is.keys()])].sort()
  const pairs = names.map((name) => {
    const key = JSON.parse(name) as string[]
    return { key, was: was.get(name) ?? emptyCell(key), is: is.get(name) ?? emptyCell(key) }
  })
  const hidden = suppressedCells(
    pairs.map((pair) => ({
      taxonomyVersion: 0,
      parent: pair.key[0] ?? '',
      households: Math.max(pair.was.households, pair.is.households),
    })),
  )
  return pairs.map((pair, index) => (hidden[index] === true ? hiddenCell(pair.key) : diffCell(pair)))
}

const emptyCell = (key: readonly string[]): CellRows => ({ key, households: 0, buckets: [], intents: [] })

function hiddenCell(key: readonly string[]): DiffCell {
  return {
    ...{ key, suppressed: true, households: null, before: null, after: null, strict: null, broad: null, intents: [] },
  }
}

function diffCell({ key, was, is }: { key: readonly string[]; was: CellRows; is: CellRows }): DiffCell {
  const [before, after] = [sumOf(was.buckets), sumOf(is.buckets)]
  return {
    ...{ key, suppressed: false, households: Math.max(was.households, is.households), before, after },
    strict: sideDifference('strict', was, is),
    broad: sideDifference('broad', was, is),
    intents: contributions(was, is, { before, after }),
  }
}

/**
 * The difference of two shares of the same requests under two definitions, with its interval (`differenceLimits`). Where fewer
 * than 3 effective households are behind the requests that are counted otherwise, the spread would rest on one or two
 * people: no interval, by the rule of `shareInterval`.
 */
function sideDifference(side: Side, was: CellRows, is: CellRows): SideDifference {
  const [before, after] = [bucketSums(side, was), bucketSums(side, is)]
  const [x0, y0, x1, y1] = [before.requests, before.monetised, after.requests, after.monetised].map(total) as [
    number,
    number,
    number,
    number,
  ]
  const shares = { before: x0 > 0 ? y0 / x0 : null, after: x1 > 0 ? y1 / x1 : null }
  if (shares.before === null || shares.after === null) {
    return { ...shares, difference: null, low: null, high: null, quality: 'insufficient' }
  }
  const difference = shares.after - shares.before
  if (isCountedAlike(side, was, is)) {
    return { ...shares, difference, low: null, high: null, quality: 'same' }
  }
  const limits =
    contributingHouseholds(before, after) < contributingLeast
      ? null
      : differenceLimits(before, after, movedIntents(side, was, is, (shares.before + shares.after) / 2))
  const { low, high } = limits ?? { low: null, high: null }
  return { ...shares, difference, low, high, quality: limits === null ? 'insufficient' : 'ok' }
}

const contributingLeast = 3

/** Whether no sum differs, of any intent and of any bucket. */
function isCountedAlike(side: Side, was: CellRows, is: CellRows): boolean {
  const [before, after] = [bucketSums(side, was), bucketSums(side, is)]
  return (
    before.requests.every((x, b) => x === after.requests[b] && before.monetised[b] === after.monetised[b]) &&
    pairIntents(was, is).every((pair) => {
      return pair.before.requests === pair.after.requests && pair.before[side] === pair.after[side]
    })
  )
}

function movedIntents(side: Side, was: CellRows, is: CellRows, share: number): Moved[] {
  return pairIntents(was, is).flatMap(({ before, after }) => {
    const [x, y] = [after.requests - before.requests, after[side] - before[side]]
    const requests = Math.max(Math.abs(x), Math.abs(y))
    return requests === 0 ? [] : { requests, weight: (y - share * x) / requests }
  })
}

/** Effective households behind the requests that are counted otherwise, from what the buckets gain and lose. */
function contributingHouseholds(before: BucketSums, after: BucketSums): number {
  const moved = Array.from(before.requests, (x, b) =>
    Math.max(Math.abs(after.requests[b]! - x), Math.abs(after.monetised[b]! - before.monetised[b]!)),
  )
  const requests = moved.map((count, b) => Math.max(count, before.requests[b]!, after.requests[b]!))
  return shareBounds({ requests, monetised: moved }).contributingHouseholds
}

/**
 * What each intent adds to a difference of shares. With means over both sides, R' of the shares and X' of the denominators,
 *
 *     Y1/X1 - Y0/X0 = sum over intents of ((y1 - y0) - R' (x1 - x0)) / X'
 *
 * exactly, because Y1 - Y0 = X' (R1 - R0) + R' (X1 - X0). An intent that is counted alike adds nothing, also where others leave
 * the denominator; one that leaves it unmonetised lifts the share.
 */
function contributions(
  was: CellRows,
  is: CellRows,
  { before, after }: { before: Counts; after: Counts },
): Contribution[] {
  const middle = (before.requests + after.requests) / 2
  const addedBy = (side: Side, { before: b, after: a }: IntentPair) => {
    const share = (before[side] / before.requests + after[side] / after.requests) / 2
    return (a[side] - b[side] - share * (a.requests - b.requests)) / middle
  }
  if (before.requests === 0 || after.requests === 0) {
    return []
  }
  return pairIntents(was, is)
    .map((pair) => ({ ...pair, strict: addedBy('strict', pair), broad: addedBy('broad', pair) }))
    .filter(({ strict, broad }) => strict !== 0 || broad !== 0)
    .sort((a, b) => sizeOf(b) - sizeOf(a) || (a.intent < b.intent ? -1 : 1))
}

const sizeOf = ({ strict, broad }: Contribution) => Math.max(Math.abs(strict), Math.abs(broad))

interface IntentPair {
  readonly intent: string
  readonly before: Counts
  readonly after: Counts
}

function pairIntents(was: CellRows, is: CellRows): IntentPair[] {
  const [before, after] = [was, is].map(({ intents }) => new Map(intents.map((one) => [one.intent, countsOf(one)])))
  return [...new Set([...before!.keys(), ...after!.keys()])].map((intent) => ({
    ...{ intent, before: before!.get(intent) ?? nothing, after: after!.get(intent) ?? nothing },
  }))
}

const nothing: Counts = { requests: 0, strict: 0, broad: 0 }
const countsOf = ({ requests, strict, broad }: Counts): Counts => ({ requests, strict, broad })

function sumOf(rows: readonly Counts[]): Counts {
  return rows.reduce(
    (sum, { requests, strict, broad }) => ({
      ...{ requests: sum.requests + requests, strict: sum.strict + strict, broad: sum.broad + broad },
    }),
    nothing,
  )
}

const bucketCount = 64

function bucketSums(side: Side, { buckets }: CellRows): { requests: number[]; monetised: number[] } {
  const sums = { requests: new Array<number>(bucketCount).fill(0), monetised: new Array<number>(bucketCount).fill(0) }
  for (const row of buckets) {
    sums.requests[row.bucket]! += row.requests
    sums.monetised[row.bucket]! += row[side]
  }
  return sums
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
