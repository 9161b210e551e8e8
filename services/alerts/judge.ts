import { shareBounds, wilson, type BucketSums, type ShareBounds } from '../shared/domain/share-interval.ts'
import { driftChart } from '../shared/domain/stats/drift.ts'
import { wilsonOfCount } from '../shared/domain/stats/newcombe.ts'
import { studentTwoSidedP } from '../shared/domain/stats/student-t-distribution.ts'
import { certaintyOf } from './certainty.ts'
import { divide, sum, type CohortWindow, type JudgedWindows } from './inputs.ts'
import { judgeChange } from './judge-change.ts'
import type { Rule } from './rule.ts'

/** The numbers of one cohort in one window: what the annotations, `explain` and the table of transitions show. */
export interface Finding {
  readonly households: number
  readonly requests: number
  /** The measure: a share, a ratio, or requests per household. Null where there is nothing to divide by. */
  readonly value: number | null
  /** Interval of the value (threshold), or of the difference (change), at the rule's confidence. */
  readonly low: number | null
  readonly high: number | null
  readonly baseline: number | null
  /** What is judged against the baseline: of the rate alone where the rule tells the mix apart. */
  readonly difference: number | null
  readonly relativeChange: number | null
  readonly mixPart: number | null
  readonly ratePart: number | null
  readonly pValue: number | null
  /** Windows of the baseline with requests. */
  readonly baseWindows: number
  /** CUSUM sums of the last day, in standard errors; a drift alone. */
  readonly drift: { readonly high: number; readonly low: number; readonly signal: 'rise' | 'fall' | null } | null
  /** Why it can't be judged, or null. */
  readonly insufficient: string | null
}

/**
 * Judges a cohort's window by its sums and those of its baseline (`null`: nothing there). Pure: the same sums give the same numbers.
 *
 * - A threshold: score test of the share against it on an effective number of requests (`shareBounds`), so it agrees with the
 *   interval that is shown.
 * - A change: paired by bucket against the same weekdays (`pairedDifference`). Where the rule names a mix dimension, only the
 *   rate part of Kitagawa's decomposition is judged; its variance is the jackknife's and the day-to-day movement tau^2 of the
 *   whole.
 * - A drift: the CUSUM chart of the last days (`driftChart`).
 */
export function judge(rule: Rule, windows: JudgedWindows): Finding {
  const { now, base } = windows
  const known = { ...nothing, households: now?.households ?? 0, requests: requestsOf(rule, now) }
  const few = tooFew(rule, now)
  if (now === undefined || few !== null) {
    return { ...known, insufficient: few }
  }
  const scale = scaleOf(rule, [now, ...base])
  const scaled = (window: CohortWindow): BucketSums => divide(window.total, scale)
  switch (rule.condition.kind) {
    case 'threshold':
      return { ...known, ...judgeThreshold(rule, { ...windows, sums: scaled(now) }, scale, rule.condition.value) }
    case 'change':
      return { ...known, ...judgeChange(rule, windows, now, scale) }
    case 'drift':
      return {
        ...known,
        ...judgeDrift(
          scaled(now),
          base.map((day) => day && scaled(day)),
          scale,
          rule.condition,
        ),
      }
  }
}

/**
 * The chart starts anew after a signal, or one drift would keep its sum high for months after its end. While the drift lasts the
 * signals come every few days, so each stands for two weeks: one drift is one page.
 */
const signalStandsDays = 14

function judgeDrift(
  now: BucketSums,
  base: readonly (BucketSums | undefined)[],
  scale: number,
  { k, h }: { k: number; h: number },
): Partial<Finding> {
  const days = [now, ...base].reverse().map((day) => day ?? null)
  const chart = driftChart(days, { k, h, afterSignal: 'reset' })
  const last = chart.at(-1)!
  const value = (shareBounds(now).share ?? 0) * scale
  if (last.residual === null) {
    return { value, insufficient: 'not enough days for a drift chart' }
  }
  const weekdays = [7, 14, 21, 28].flatMap((back) => shareOf(base[back - 1]) ?? [])
  const baseline = weekdays.length === 0 ? null : (sum(weekdays) / weekdays.length) * scale
  const signal = chart.slice(-signalStandsDays).findLast((day) => day.signal !== null)?.signal ?? null
  return { value, baseline, drift: { high: last.high, low: last.low, signal } }
}

function shareOf(day: BucketSums | undefined): number | null {
  return day === undefined ? null : shareBounds(day).share
}

const nothing: Finding = {
  ...{ households: 0, requests: 0, value: null, low: null, high: null, baseline: null, difference: null },
  ...{ relativeChange: null, mixPart: null, ratePart: null, pValue: null, baseWindows: 0, drift: null },
  insufficient: null,
}

function tooFew(rule: Rule, now: CohortWindow | undefined): string | null {
  if (now === undefined || now.requests === 0) {
    return 'no requests'
  }
  if (now.households < rule.minimumHouseholds && rule.measure !== 'rejected_ratio') {
    return `${now.households} households, where ${rule.minimumHouseholds} are wanted`
  }
  const requests = requestsOf(rule, now)
  return requests < rule.minimumRequests
    ? `${requests} ${rule.measure === 'rejected_ratio' ? 'messages' : 'requests'}, where ${rule.minimumRequests} are wanted`
    : null
}

/** A ratio is of requests (or messages); requests per household are of households, and requests are what is counted. */
function requestsOf(rule: Rule, window: CohortWindow | undefined): number {
  if (window === undefined) {
    return 0
  }
  return rule.measure === 'requests_per_household' ? sum(window.total.monetised) : window.requests
}

function judgeThreshold(
  rule: Rule,
  { sums, passed }: Pick<JudgedWindows, 'passed'> & { readonly sums: BucketSums },
  scale: number,
  threshold: number,
): Partial<Finding> {
  if (rule.measure === 'rejected_ratio') {
    // Messages are no households' habit: counted as they are.
    const trials = sum(sums.requests)
    const { estimate, low, high } = wilsonOfCount({ events: sum(sums.monetised), trials }, rule.confidence)
    return { value: estimate, low, high, pValue: scoreP(estimate, threshold, trials, Infinity) }
  }
  const { share, effectiveRequests, degreesOfFreedom, low } = boundsOf(sums)
  if (share === null || low === null) {
    return { value: share === null ? null : share * scale, insufficient: 'fewer than 3 buckets of households' }
  }
  const { criticalValue, pValue } = certaintyOf(rule, degreesOfFreedom, passed)
  const bounds = wilson(share, effectiveRequests, criticalValue)
  return {
    ...{ value: share * scale, low: bounds.low * scale, high: bounds.high * scale },
    pValue: pValue(scoreP(share, threshold / scale, effectiveRequests, degreesOfFreedom)),
  }
}

/** Wilson's test, the inverse of his interval: the spread is that of the threshold. */
function scoreP(share: number, threshold: number, n: number, degreesOfFreedom: number): number {
  const t = (share - threshold) / Math.sqrt((threshold * (1 - threshold)) / n)
  return studentTwoSidedP(t, degreesOfFreedom)
}

/** The bounds of a window are the same for every threshold. */
const knownBounds = new WeakMap<BucketSums, ShareBounds>()

function boundsOf(sums: BucketSums): ShareBounds {
  const known = knownBounds.get(sums) ?? shareBounds(sums)
  knownBounds.set(sums, known)
  return known
}

/** Requests per household are above 1; the formulas of shares want 0 to 1, and are linear. A power of two divides exactly. */
function scaleOf(rule: Rule, windows: readonly (CohortWindow | undefined)[]): number {
  if (rule.measure !== 'requests_per_household') {
    return 1
  }
  // A threshold is a share as well, and one of 1 or more has no spread to test with.
  let most = rule.condition.kind === 'threshold' ? Math.max(1, 2 * rule.condition.value) : 1
  for (const window of windows) {
    for (let bucket = 0; bucket < (window?.total.requests.length ?? 0); bucket++) {
      most = Math.max(most, window!.total.monetised[bucket]! / Math.max(1, window!.total.requests[bucket]!))
    }
  }
  return 2 ** Math.ceil(Math.log2(most))
}
