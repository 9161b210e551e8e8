import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { WindowInput } from '../../../services/alerts/inputs.ts'
import { panelOf } from '../../../services/alerts/panel.ts'
import { inputStarts, judgedName, otherStarts, stepsUpTo } from '../../../services/alerts/windows.ts'
import { makeRule } from '../../support/alert-rules.ts'
import { judgedDay, makeCell, makeInputs } from '../../support/alert-windows.ts'

const dayMs = 86_400_000
const rule = makeRule({ by: ['country'] })

test('rules that read the same windows share a panel, others and other windows do not', () => {
  const inputs = makeInputs(rule, (week) => [makeCell({ cohort: ['DE'], share: 0.3, seed: week })])
  const panel = panelOf(rule, judgedDay, inputs)
  assert.equal(panelOf(makeRule({ by: ['country'], confidence: 0.95 }), judgedDay, inputs), panel)
  assert.notEqual(panelOf(makeRule({ baseline: { weeks: 4, centre: 'mean' } }), judgedDay, inputs), panel)
  const threshold = makeRule({ condition: { kind: 'threshold', side: 'below', value: 0.1 } })
  assert.notEqual(panelOf(threshold, judgedDay, inputs), panel)
  const [start, input] = [...inputs].at(-1)!
  inputs.set(start, { ...input, cells: [] })
  assert.notEqual(panelOf(rule, judgedDay, inputs), panel, 'one window is another object')
})

test('a panel holds the judged window, six same weekdays, and the other weekdays but the last six days', () => {
  const [cohort] = panelOf(
    rule,
    judgedDay,
    makeInputs(rule, (week) => [makeCell({ cohort: ['DE'], share: 0.3, seed: week })]),
  )
  const { now, base, others } = cohort!.windows
  assert.deepEqual(
    [now!.households, base.length, others!.map((weekday) => weekday.length)],
    [640, 6, [6, 6, 6, 6, 6, 6]],
  )
  const back = otherStarts(rule, judgedDay)
    .flat()
    .map((start) => (judgedDay - start) / dayMs)
  assert.deepEqual([Math.min(...back), Math.max(...back), new Set(back).size], [8, 48, 36])
  assert.ok(back.every((days) => days % 7 !== 0))
})

/** Windows of a day with one cell each: DE asks by two products, FR on the last day alone. */
function days(starts: readonly number[], last: number): Map<number, WindowInput> {
  return new Map(
    starts.map((startMs) => {
      const cell = (country: string, mix: string, requests: number, households: number) => ({
        ...{ cohort: [country], mix, households, requests: [requests, 2 * requests], hits: [1, 2] },
      })
      const cells = [
        cell('DE', 'echo', 10, 5),
        ...(startMs === last ? [cell('DE', 'ring', 20, 5), cell('FR', 'echo', 1, 1)] : []),
      ]
      return [startMs, { startMs, origin: 'seen' as const, cells }]
    }),
  )
}

test('a week so far adds its days up, and the same days of earlier weeks', () => {
  const week = makeRule({ by: ['country'], window: 'day', soFar: 'week', baseline: { weeks: 2, centre: 'mean' } })
  // Sunday 2026-03-01 is the last day of its week, Wednesday the third of the next.
  const wednesday = judgedDay + 3 * dayMs
  assert.equal(stepsUpTo(week, judgedDay).length, 7)
  assert.deepEqual(
    stepsUpTo(week, wednesday).map((start) => (start - judgedDay) / dayMs),
    [3, 2, 1],
  )
  const starts = inputStarts(week, wednesday)
  assert.deepEqual(
    starts.map((start) => (start - judgedDay) / dayMs),
    [3, 2, 1, -4, -5, -6, -11, -12, -13],
  )
  const [de, fr] = panelOf(week, wednesday, days(starts, wednesday))
  const { now, base, others, passed } = de!.windows
  assert.deepEqual([now!.requests, now!.hits, now!.households, passed], [3 * 30 + 60, 12, 5, 3 / 7])
  assert.deepEqual([...(now!.total.requests as Float64Array)], [50, 100])
  assert.deepEqual([...now!.byMix].map(([mix, { requests }]) => [mix, requests[0]]), [['ring', 20], ['echo', 30]].sort().reverse().reverse()) // prettier-ignore
  assert.deepEqual([base.map((one) => one!.requests), others], [[90, 90], []])
  assert.deepEqual([fr!.cohort, fr!.windows.now!.requests, fr!.windows.base], [['FR'], 3, [undefined, undefined]])
  assert.equal(judgedName(week, wednesday), '2026-03-02 to 2026-03-08, up to 2026-03-05 00:00')
})
