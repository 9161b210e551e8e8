import { windowMs, type Rule, type WindowLength } from './rule.ts'

/** Windows are UTC. A week starts on Monday: 1970-01-05 was one. */
const firstMondayMs = 4 * 86_400_000
const weekMs = windowMs.week

/** Days that a drift chart looks back on: history for the first residual (70), and as many again to add up. */
export const driftDays = 140

/** The start of the window that holds this moment. */
export function windowStart(length: WindowLength, atMs: number): number {
  const origin = length === 'week' ? firstMondayMs : 0
  return Math.floor((atMs - origin) / windowMs[length]) * windowMs[length] + origin
}

/** Starts of the windows that a rule compares with, the latest first: the same weekday and hour of earlier weeks. */
export function baseStarts(rule: Rule, startMs: number): number[] {
  switch (rule.condition.kind) {
    case 'threshold':
      // Compared with nothing: this one only says which cohorts there are, so that one that is silent now is missed.
      return [startMs - weekMs]
    case 'change':
      return Array.from({ length: rule.baseline.weeks }, (_, week) => startMs - (week + 1) * weekMs)
    case 'drift':
      return Array.from({ length: driftDays - 1 }, (_, day) => startMs - (day + 1) * windowMs.day)
  }
}

/**
 * Starts of earlier windows that tell how much windows move from one to the next, weekday by weekday: the other weekdays of the
 * baseline's weeks, at the same hour. The last six days are left out: a change that goes on for a few days would hide itself.
 */
export function otherStarts({ condition, baseline, measure, window, soFar }: Rule, startMs: number): number[][] {
  if (condition.kind !== 'change' || measure === 'rejected_ratio' || window === 'week' || soFar === 'week') {
    return []
  }
  return [1, 2, 3, 4, 5, 6].map((day) =>
    Array.from({ length: baseline.weeks }, (_, week) => startMs - (week + 1) * weekMs - day * windowMs.day),
  )
}

/** The windows that are judged together up to the one that starts then: itself, and with `soFar` those before it in the longer one. */
export function stepsUpTo({ window, soFar }: Rule, startMs: number): number[] {
  const first = soFar === null ? startMs : windowStart(soFar, startMs)
  return Array.from(
    { length: (startMs - first) / windowMs[window] + 1 },
    (_, step) => startMs - step * windowMs[window],
  )
}

/** Every window that the rule's window is judged by, itself the first. */
export function inputStarts(rule: Rule, startMs: number): number[] {
  const compared = [startMs, ...baseStarts(rule, startMs), ...otherStarts(rule, startMs).flat()]
  const back = stepsUpTo(rule, startMs).map((step) => startMs - step)
  return compared.flatMap((start) => back.map((ms) => start - ms))
}

/** The window as people name it; with `soFar` the longer one, and how far it is judged. */
export function judgedName({ window, soFar }: Rule, startMs: number): string {
  if (soFar === null) {
    return windowName(window, startMs)
  }
  const end = new Date(startMs + windowMs[window]).toISOString()
  return `${windowName(soFar, windowStart(soFar, startMs))}, up to ${end.slice(0, 10)} ${end.slice(11, 16)}`
}

/** `2026-03-01` for a day, `2026-03-02 to 2026-03-08` for a week, `2026-03-01 14:00` for an hour. */
export function windowName(length: WindowLength, startMs: number): string {
  const text = new Date(startMs).toISOString()
  if (length === 'hour') {
    return `${text.slice(0, 10)} ${text.slice(11, 16)}`
  }
  const last = new Date(startMs + windowMs.week - 1).toISOString().slice(0, 10)
  return length === 'day' ? text.slice(0, 10) : `${text.slice(0, 10)} to ${last}`
}
