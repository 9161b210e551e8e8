import type { Finding } from './judge.ts'
import { windowMs, type Rule } from './rule.ts'

/**
 * The states of one alert, a cohort under a rule. What can't be known is never "ok": the alert then shows `insufficient_data`,
 * and whether it fired or was pending before stands until it is known again.
 */
export interface AlertState {
  readonly phase: 'inactive' | 'pending' | 'firing'
  readonly known: boolean
  /** Windows in a row in which the condition held. */
  readonly held: number
  /** Windows since the condition held for the last time, while it fires. */
  readonly quiet: number
  /** End of the window in which it began to fire. */
  readonly startsAtMs: number | null
  /** Windows in a row that could not be known. */
  readonly unknown: number
  /** It fired and was resolved in the window before this one; shown once. */
  readonly resolved: boolean
}

export const statuses = ['inactive', 'pending', 'firing', 'resolved', 'insufficient_data', 'lagging'] as const
export type Status = (typeof statuses)[number]

export const untouched: AlertState = {
  ...{ phase: 'inactive', known: true, held: 0, quiet: 0, startsAtMs: null, unknown: 0, resolved: false },
}

export function statusOf(state: AlertState): Status {
  return !state.known ? 'insufficient_data' : state.phase === 'inactive' && state.resolved ? 'resolved' : state.phase
}

/** What one window makes of an alert. `adjustedP` is the finding's p-value after Benjamini and Hochberg over the rule's cohorts. */
export function nextState(
  rule: Rule,
  before: AlertState,
  finding: Finding,
  adjustedP: number | null,
  endMs: number,
): AlertState {
  if (finding.insufficient !== null) {
    const unknown = before.unknown + 1
    return unknown > forgottenAfter(rule)
      ? rested(before.phase === 'firing')
      : { ...before, known: false, unknown, resolved: false }
  }
  const firing = before.phase === 'firing'
  if (firing ? stillHolds(rule, finding) : holds(rule, finding, adjustedP)) {
    const held = before.held + 1
    return firing || held >= rule.forWindows
      ? { ...untouched, phase: 'firing', held, startsAtMs: before.startsAtMs ?? endMs }
      : { ...untouched, phase: 'pending', held }
  }
  if (firing && before.quiet < rule.keepFiringForWindows) {
    return { ...before, known: true, unknown: 0, held: 0, quiet: before.quiet + 1 }
  }
  return rested(firing)
}

/** `untouched` itself where nothing is to be shown: who keeps states knows it by that. */
function rested(fired: boolean): AlertState {
  return fired ? { ...untouched, resolved: true } : untouched
}

/** Windows of the weeks that a baseline has: of a cohort that was silent for as long nothing is known any more, and it fires no longer. */
function forgottenAfter(rule: Rule): number {
  return (rule.baseline.weeks * windowMs.week) / windowMs[rule.window]
}

/** Whether the condition holds beyond doubt: in size, and at the rule's confidence. */
export function holds(rule: Rule, finding: Finding, adjustedP: number | null): boolean {
  const { condition } = rule
  if (condition.kind === 'drift') {
    return goesTheWay(condition.direction, signOf(finding.drift?.signal ?? null))
  }
  const sure = adjustedP !== null && adjustedP <= 1 - rule.confidence
  return sure && reaches(condition, finding, 1)
}

/** A firing alert rests when the estimate has come back by the rule's hysteresis; noise about the threshold does not resolve it. */
function stillHolds(rule: Rule, finding: Finding): boolean {
  const { condition } = rule
  return condition.kind === 'drift' ? holds(rule, finding, null) : reaches(condition, finding, 1 - rule.hysteresis)
}

/** Whether the estimate lies beyond the threshold, or that part of the least change, on the side that was asked for. */
function reaches(condition: Exclude<Rule['condition'], { kind: 'drift' }>, finding: Finding, part: number): boolean {
  if (condition.kind === 'threshold') {
    const { side, value: threshold } = condition
    return (
      finding.value !== null &&
      (side === 'below' ? finding.value < threshold * (2 - part) : finding.value > threshold * part)
    )
  }
  const change = condition.unit === 'relative' ? finding.relativeChange : finding.difference
  return (
    change !== null && goesTheWay(condition.direction, Math.sign(change)) && Math.abs(change) >= condition.least * part
  )
}

function goesTheWay(direction: 'drop' | 'rise' | 'either', sign: number): boolean {
  return sign !== 0 && (direction === 'either' || (direction === 'rise') === sign > 0)
}

function signOf(signal: 'rise' | 'fall' | null): number {
  return signal === null ? 0 : signal === 'rise' ? 1 : -1
}
