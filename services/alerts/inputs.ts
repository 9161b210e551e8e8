/** What a rule is judged by: sums per bucket of households, for each cohort and window. Pure data, no reading. */
import type { BucketSums } from '../shared/domain/share-interval.ts'
import type { Rule } from './rule.ts'

/** One value of the mix dimension in one cohort and window. */
export interface Cell {
  /** Values of the rule's `by`, in its order. */
  readonly cohort: readonly string[]
  /** Value of the mix dimension; empty where the rule has none. */
  readonly mix: string
  /** Households of the whole cohort in the window, not of this cell. */
  readonly households: number
  /** Denominators by bucket: requests, households or messages. */
  readonly requests: readonly number[]
  /** Numerators by bucket. */
  readonly hits: readonly number[]
}

/** Where a window's cells come from: kept by the tick that saw them first, or read from the tables now. */
export type Origin = 'seen' | 'tables'

export interface WindowInput {
  readonly startMs: number
  readonly origin: Origin
  readonly cells: readonly Cell[]
}

/** Which sums a rule reads; rules that ask for the same share them. */
export interface Series {
  readonly key: string
  readonly measure: Rule['measure']
  readonly filter: Rule['filter']
  readonly by: Rule['by']
  readonly mix: Rule['mix']
  readonly window: Rule['window']
}

export function seriesOf({ measure, filter, by, mix, window }: Rule): Series {
  const named = Object.entries(filter).sort(([left], [right]) => (left < right ? -1 : 1))
  return { key: JSON.stringify([measure, named, by, mix, window]), measure, filter, by, mix, window }
}

/** A cohort's cells of one window, one a mix value, and all of them together. */
export interface CohortWindow {
  readonly households: number
  readonly requests: number
  readonly hits: number
  readonly total: BucketSums
  readonly byMix: ReadonlyMap<string, BucketSums>
}

/** A cohort's windows: the one judged, its baseline with the latest first, and others that tell how much windows move. */
export interface JudgedWindows {
  readonly now: CohortWindow | undefined
  readonly base: readonly (CohortWindow | undefined)[]
  /** By weekday; none where there are no such windows. */
  readonly others?: readonly (readonly CohortWindow[])[]
  /** Part of the rule's longer window that has passed, above 0 and at most 1 (`Rule.soFar`); 1 when left out. */
  readonly passed?: number
}

/** Cohorts by their key, `cohortKey`. A window is in the baseline of many others and of many rules: it is taken apart once. */
export function byCohort(input: WindowInput | undefined): ReadonlyMap<string, CohortWindow> {
  if (input === undefined) {
    return new Map()
  }
  const known = takenApart.get(input) ?? takeApart(input)
  takenApart.set(input, known)
  return known
}

const takenApart = new WeakMap<WindowInput, ReadonlyMap<string, CohortWindow>>()

function takeApart(input: WindowInput): ReadonlyMap<string, CohortWindow> {
  const cells = Map.groupBy(input.cells, ({ cohort }) => cohortKey(cohort))
  return new Map(
    [...cells].map(([key, own]) => {
      const total = own.length === 1 ? sumsOf(own[0]!) : addAll(own.map(sumsOf))
      const byMix = new Map(own.map((cell) => [cell.mix, sumsOf(cell)]))
      const [requests, hits] = [sum(total.requests), sum(total.monetised)]
      return [key, { households: own[0]!.households, requests, hits, total, byMix }]
    }),
  )
}

export function cohortKey(cohort: readonly string[]): string {
  return JSON.stringify(cohort)
}

export function addAll(all: readonly BucketSums[]): BucketSums {
  const buckets = Math.max(0, ...all.map(({ requests }) => requests.length))
  const requests = new Float64Array(buckets)
  const monetised = new Float64Array(buckets)
  for (const one of all) {
    for (let bucket = 0; bucket < one.requests.length; bucket++) {
      requests[bucket]! += one.requests[bucket]!
      monetised[bucket]! += one.monetised[bucket]!
    }
  }
  return { requests, monetised }
}

export function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let index = 0; index < values.length; index++) {
    total += values[index]!
  }
  return total
}

function sumsOf({ requests, hits }: Cell): BucketSums {
  return { requests, monetised: hits }
}

export function divide(sums: BucketSums, scale: number): BucketSums {
  return scale === 1 ? sums : { requests: sums.requests, monetised: Array.from(sums.monetised, (hits) => hits / scale) }
}
