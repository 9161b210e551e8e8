import type { Cell, CohortWindow, WindowInput } from '../../services/alerts/inputs.ts'
import { byCohort } from '../../services/alerts/inputs.ts'
import type { Rule } from '../../services/alerts/rule.ts'
import { baseStarts, otherStarts } from '../../services/alerts/windows.ts'
import { createRandom } from './random-usage.ts'

/** Sunday 2026-03-01, a day that has the six same weekdays of its baseline behind it in these tests. */
export const judgedDay = Date.parse('2026-03-01')

/** A cell of 64 buckets with `perBucket` requests each, of which about `share` are hits; every bucket has its own habit. */
export function makeCell({
  cohort = [],
  mix = '',
  share,
  perBucket = 200,
  households = 640,
  seed = 1,
}: {
  cohort?: readonly string[]
  mix?: string
  share: number
  perBucket?: number
  households?: number
  seed?: number
}): Cell {
  const random = createRandom(seed)
  const requests = Array.from({ length: 64 }, () => Math.round(perBucket * (0.9 + 0.2 * random())))
  const hits = requests.map((count, bucket) => {
    const habit = 0.8 + (0.4 * ((bucket * 7) % 64)) / 63
    return Math.round(count * share * habit * (0.98 + 0.04 * random()))
  })
  return { cohort, mix, households, requests, hits }
}

/** All that a window is judged by; `cellsOf` makes the cells of a week's windows, `week` 0 is the one judged. */
export function makeInputs(rule: Rule, cellsOf: (week: number) => readonly Cell[]): Map<number, WindowInput> {
  const of = (week: number, startMs: number) =>
    [startMs, { startMs, origin: 'seen' as const, cells: cellsOf(week) }] as const
  const weekly = [baseStarts(rule, judgedDay), ...otherStarts(rule, judgedDay)]
  return new Map([of(0, judgedDay), ...weekly.flatMap((starts) => starts.map((start, week) => of(week + 1, start)))])
}

/** The only cohort of a window, as `judge` takes it. */
export function cohortWindow(cells: readonly Cell[]): CohortWindow | undefined {
  return byCohort({ startMs: 0, origin: 'seen', cells }).values().next().value
}
