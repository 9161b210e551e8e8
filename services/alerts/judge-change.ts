/** A change against the baseline, worked out once for all rules that read the same windows. */
import type { BucketSums } from '../shared/domain/share-interval.ts'
import { bucketResiduals, type BucketResiduals } from '../shared/domain/stats/bucket-residuals.ts'
import { kitagawa } from '../shared/domain/stats/kitagawa.ts'
import { newcombeDifference } from '../shared/domain/stats/newcombe.ts'
import { pairedResiduals, widened } from '../shared/domain/stats/paired-difference.ts'
import { studentTwoSidedP } from '../shared/domain/stats/student-t-distribution.ts'
import { certaintyOf } from './certainty.ts'
import { addAll, divide, sum, type CohortWindow, type JudgedWindows } from './inputs.ts'
import type { Finding } from './judge.ts'
import type { Rule } from './rule.ts'

/** A baseline of fewer windows tells neither its mean nor how it moves. */
const baseWindowsMin = 3

/** `scale`: what the measure is divided by, so that it is a share. */
export function judgeChange(rule: Rule, windows: JudgedWindows, now: CohortWindow, scale: number): Partial<Finding> {
  if (rule.measure === 'rejected_ratio') {
    const days = windows.base.filter((day) => day !== undefined && day.requests > 0) as CohortWindow[]
    return judgeCounts(rule, now, days)
  }
  const { finding, estimate, standardError, degreesOfFreedom } = changeOf(rule, windows, now, scale)
  if (standardError === null || finding.pValue === null || finding.pValue === undefined) {
    return finding
  }
  const { criticalValue, pValue } = certaintyOf(rule, degreesOfFreedom, windows.passed)
  const half = criticalValue * standardError
  return { ...finding, low: estimate - half, high: estimate + half, pValue: pValue(finding.pValue) }
}

/** A change as all rules see it that read these windows; confidence, size and minimums are each rule's own. */
interface Change {
  readonly finding: Partial<Finding>
  /** What is judged, its standard error in the measure's units (null: unknown) and degrees of freedom. */
  readonly estimate: number
  readonly standardError: number | null
  readonly degreesOfFreedom: number
}

const knownChanges = new WeakMap<JudgedWindows, Map<string, Change>>()

function changeOf(rule: Rule, windows: JudgedWindows, now: CohortWindow, scale: number): Change {
  const ofWindows = knownChanges.get(windows) ?? new Map<string, Change>()
  knownChanges.set(windows, ofWindows)
  const known = ofWindows.get(rule.baseline.centre) ?? findChange(rule, windows, now, scale)
  ofWindows.set(rule.baseline.centre, known)
  return known
}

function findChange(rule: Rule, { base, others = [] }: JudgedWindows, now: CohortWindow, scale: number): Change {
  const days = base.filter((day) => day !== undefined && day.requests > 0) as CohortWindow[]
  const today = residualsOf(divide(now.total, scale))
  const before = days.map(({ total }) => residualsOf(divide(total, scale))).filter((day) => day !== null)
  const otherDays = others.map((weekday) =>
    weekday.flatMap(({ requests, hits }) => (requests > 0 ? [hits / requests / scale] : [])),
  )
  const paired =
    today === null || before.length === 0
      ? null
      : pairedResiduals(today, before, { centre: rule.baseline.centre, dayShocks: true, otherDays })
  const wanted = Math.min(baseWindowsMin, rule.baseline.weeks)
  const unknown = { estimate: 0, standardError: null, degreesOfFreedom: 0 }
  if (paired === null || days.length < wanted) {
    const value = paired === null ? null : paired.share * scale
    const insufficient = `${days.length} windows of the baseline hold requests, where ${wanted} are wanted`
    return { ...unknown, finding: { value, baseWindows: days.length, insufficient } }
  }
  const whole: Change = {
    finding: {
      ...{ value: paired.share * scale, baseline: paired.baseline * scale, difference: paired.difference * scale },
      ...{ relativeChange: paired.relativeChange, pValue: paired.pValue, baseWindows: days.length },
    },
    estimate: paired.difference * scale,
    standardError: paired.standardError * scale,
    degreesOfFreedom: paired.degreesOfFreedom,
  }
  const parts = rule.mix === null ? null : decompose(now, days)
  if (parts === null) {
    return whole
  }
  const { rate, mix, shareBefore } = parts
  const shown = { ...whole.finding, mixPart: mix.estimate, ratePart: rate.estimate, pValue: null }
  if (rate.standardError === null) {
    return { ...unknown, finding: { ...shown, insufficient: 'the spread of the rate is unknown' } }
  }
  const sampling = { variance: rate.standardError ** 2, degreesOfFreedom: Math.max(2, paired.bucketsWithRequests) - 1 }
  const { variance, degreesOfFreedom } = widened(sampling, paired.dayShocks, 1 + 1 / days.length)
  if (variance === 0) {
    return { ...unknown, finding: shown }
  }
  const standardError = Math.sqrt(variance)
  return {
    finding: {
      ...shown,
      ...{ difference: rate.estimate, relativeChange: shareBefore > 0 ? rate.estimate / shareBefore : null },
      pValue: studentTwoSidedP(rate.estimate / standardError, degreesOfFreedom),
    },
    ...{ estimate: rate.estimate, standardError, degreesOfFreedom },
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

function decompose(now: CohortWindow, days: readonly CohortWindow[]) {
  const values = new Set([...now.byMix.keys(), ...days.flatMap(({ byMix }) => [...byMix.keys()])])
  const cells = [...values].sort().map((cell) => ({
    cell,
    before: addAll(days.flatMap(({ byMix }) => byMix.get(cell) ?? [])),
    after: now.byMix.get(cell) ?? { requests: [], monetised: [] },
  }))
  return kitagawa(cells)
}
