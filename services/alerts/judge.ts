import { shareBounds, wilson, type BucketSums } from '../shared/domain/share-interval.ts'
import { driftChart } from '../shared/domain/stats/drift.ts'
import { kitagawa } from '../shared/domain/stats/kitagawa.ts'
import { newcombeDifference, wilsonOfCount } from '../shared/domain/stats/newcombe.ts'
import { bucketResiduals, type BucketResiduals } from '../shared/domain/stats/bucket-residuals.ts'
import { pairedResiduals, widened } from '../shared/domain/stats/paired-difference.ts'
import { studentQuantile, studentTwoSidedP } from '../shared/domain/stats/student-t-distribution.ts'
import { addAll, sum, type CohortWindow } from './inputs.ts'
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

/** A cohort's windows: the one judged, its baseline with the latest first, and others that tell how much they move. */
export interface JudgedWindows {
  readonly now: CohortWindow | undefined
  readonly base: readonly (CohortWindow | undefined)[]
  /** By weekday; none where there are no such windows. */
  readonly others?: readonly (readonly CohortWindow[])[]
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
      return { ...known, ...judgeThreshold(rule, scaled(now), scale, rule.condition.value) }
    case 'change':
      return { ...known, ...judgeChange(rule, { ...windows, now }, scale) }
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

/** A baseline of fewer windows tells neither its mean nor how it moves. */
const baseWindowsMin = 3

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

function judgeThreshold(rule: Rule, sums: BucketSums, scale: number, threshold: number): Partial<Finding> {
  if (rule.measure === 'rejected_ratio') {
    // Messages are no households' habit: counted as they are.
    const trials = sum(sums.requests)
    const { estimate, low, high } = wilsonOfCount({ events: sum(sums.monetised), trials }, rule.confidence)
    return { value: estimate, low, high, pValue: scoreP(estimate, threshold, trials, Infinity) }
  }
  const { share, effectiveRequests, degreesOfFreedom, low } = shareBounds(sums)
  if (share === null || low === null) {
    return { value: share === null ? null : share * scale, insufficient: 'fewer than 3 buckets of households' }
  }
  const t = studentQuantile(degreesOfFreedom, rule.confidence)
  const bounds = wilson(share, effectiveRequests, t)
  return {
    ...{ value: share * scale, low: bounds.low * scale, high: bounds.high * scale },
    pValue: scoreP(share, threshold / scale, effectiveRequests, degreesOfFreedom),
  }
}

/** Wilson's test, the inverse of his interval: the spread is that of the threshold. */
function scoreP(share: number, threshold: number, n: number, degreesOfFreedom: number): number {
  const t = (share - threshold) / Math.sqrt((threshold * (1 - threshold)) / n)
  return studentTwoSidedP(t, degreesOfFreedom)
}

function judgeChange(
  rule: Rule,
  { now, base, others = [] }: JudgedWindows & { readonly now: CohortWindow },
  scale: number,
): Partial<Finding> {
  const days = base.filter((day) => day !== undefined && day.requests > 0) as CohortWindow[]
  if (rule.measure === 'rejected_ratio') {
    return judgeCounts(rule, now, days)
  }
  const today = residualsOf(divide(now.total, scale))
  const before = days.map(({ total }) => residualsOf(divide(total, scale))).filter((day) => day !== null)
  const otherDays = others.map((weekday) =>
    weekday.flatMap(({ requests, hits }) => (requests > 0 ? [hits / requests / scale] : [])),
  )
  const { confidence, baseline } = rule
  const paired =
    today === null || before.length === 0
      ? null
      : pairedResiduals(today, before, { confidence, centre: baseline.centre, dayShocks: true, otherDays })
  const wanted = Math.min(baseWindowsMin, rule.baseline.weeks)
  if (paired === null || days.length < wanted) {
    const value = paired === null ? null : paired.share * scale
    return {
      ...{ value, baseWindows: days.length },
      insufficient: `${days.length} windows of the baseline hold requests, where ${wanted} are wanted`,
    }
  }
  const whole: Partial<Finding> = {
    ...{ value: paired.share * scale, baseline: paired.baseline * scale, difference: paired.difference * scale },
    ...{ relativeChange: paired.relativeChange, pValue: paired.pValue, baseWindows: days.length },
    ...{ low: times(paired.low, scale), high: times(paired.high, scale) },
  }
  const parts = rule.mix === null ? null : decompose(now, days, rule.confidence)
  if (parts === null) {
    return whole
  }
  const { rate, mix, shareBefore } = parts
  const shown = { ...whole, mixPart: mix.estimate, ratePart: rate.estimate }
  if (rate.standardError === null) {
    return { ...shown, pValue: null, insufficient: 'the spread of the rate is unknown' }
  }
  const sampling = { variance: rate.standardError ** 2, degreesOfFreedom: Math.max(2, paired.bucketsWithRequests) - 1 }
  const { variance, degreesOfFreedom } = widened(sampling, paired.dayShocks, 1 + 1 / days.length)
  if (variance === 0) {
    return { ...shown, pValue: null }
  }
  const half = studentQuantile(degreesOfFreedom, rule.confidence) * Math.sqrt(variance)
  return {
    ...shown,
    ...{ difference: rate.estimate, relativeChange: shareBefore > 0 ? rate.estimate / shareBefore : null },
    ...{ low: rate.estimate - half, high: rate.estimate + half },
    pValue: studentTwoSidedP(rate.estimate / Math.sqrt(variance), degreesOfFreedom),
  }
}

/** A window's residuals serve in the baselines of six others, and of every rule that reads the same sums. */
const knownResiduals = new WeakMap<BucketSums, BucketResiduals | null>()

function residualsOf(sums: BucketSums): BucketResiduals | null {
  const known = knownResiduals.get(sums) ?? bucketResiduals(sums)
  knownResiduals.set(sums, known)
  return known
}

/** Messages against those of the baseline together: Newcombe's interval, and the p-value of its width at this confidence. */
function judgeCounts(rule: Rule, now: CohortWindow, days: readonly CohortWindow[]): Partial<Finding> {
  const before = addAll(days.map(({ total }) => total))
  const first = { events: sum(now.total.monetised), trials: now.requests }
  const second = { events: sum(before.monetised), trials: sum(before.requests) }
  const value = first.events / first.trials
  if (days.length === 0) {
    return { value, insufficient: 'no window of the baseline holds messages' }
  }
  const { estimate, low, high } = newcombeDifference(first, second, rule.confidence)
  const pooled = (first.events + second.events) / (first.trials + second.trials)
  const spread = Math.sqrt(pooled * (1 - pooled) * (1 / first.trials + 1 / second.trials))
  const baseline = second.events / second.trials
  return {
    ...{ value, baseline, difference: estimate, low, high, baseWindows: days.length },
    relativeChange: baseline > 0 ? estimate / baseline : null,
    pValue: spread === 0 ? null : studentTwoSidedP(estimate / spread, Infinity),
  }
}

function decompose(now: CohortWindow, days: readonly CohortWindow[], confidence: number) {
  const values = new Set([...now.byMix.keys(), ...days.flatMap(({ byMix }) => [...byMix.keys()])])
  const cells = [...values].sort().map((cell) => ({
    cell,
    before: addAll(days.flatMap(({ byMix }) => byMix.get(cell) ?? [])),
    after: now.byMix.get(cell) ?? { requests: [], monetised: [] },
  }))
  return kitagawa(cells, { confidence })
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

function divide(sums: BucketSums, scale: number): BucketSums {
  return scale === 1 ? sums : { requests: sums.requests, monetised: Array.from(sums.monetised, (hits) => hits / scale) }
}

function times(value: number | null, scale: number): number | null {
  return value === null ? null : value * scale
}
