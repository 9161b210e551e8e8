import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Finding } from '../../../services/alerts/judge.ts'
import type { Rule } from '../../../services/alerts/rule.ts'
import { nextState, statusOf, untouched, type AlertState } from '../../../services/alerts/state.ts'
import { makeRule } from '../../support/alert-rules.ts'

const finding = (over: Partial<Finding> = {}): Finding => ({
  ...{ households: 1_000, requests: 50_000, value: 0.3, low: null, high: null, baseline: 0.3, difference: 0 },
  ...{ relativeChange: 0, mixPart: null, ratePart: null, pValue: 0.5, baseWindows: 6, drift: null, insufficient: null },
  ...over,
})
const fallen = (relativeChange: number) => finding({ relativeChange, difference: relativeChange * 0.3 })

/** Feeds one window after the other, each with its adjusted p-value, and says what the alert showed. */
function follow(rule: Rule, windows: readonly (readonly [Finding, number | null])[]): string[] {
  let state: AlertState = untouched
  return windows.map(([found, p], index) => {
    state = nextState(rule, state, found, p, index + 1)
    return statusOf(state)
  })
}

const sure = 0.001
const unsure = 0.2
const none = finding({ insufficient: 'no requests' })

for (const [name, over, windows, shown] of [
  ['fires at once when the condition holds', {}, [[fallen(-0.2), sure]], ['firing']],
  ['does not fire for a change that may be chance', {}, [[fallen(-0.2), unsure]], ['inactive']],
  ['does not fire for a change that is sure and small', {}, [[fallen(-0.09), sure]], ['inactive']],
  ['fires at exactly the least change', {}, [[fallen(-0.1), sure]], ['firing']],
  ['does not fire the other way', {}, [[fallen(0.5), sure]], ['inactive']],
  [
    'is pending until the condition has held for its windows',
    { forWindows: 3 },
    [
      [fallen(-0.2), sure],
      [fallen(-0.2), sure],
      [fallen(-0.2), sure],
    ],
    ['pending', 'pending', 'firing'],
  ],
  [
    'begins to count anew after a window in which it did not hold',
    { forWindows: 2 },
    [
      [fallen(-0.2), sure],
      [fallen(0), sure],
      [fallen(-0.2), sure],
      [fallen(-0.2), sure],
    ],
    ['pending', 'inactive', 'pending', 'firing'],
  ],
  [
    'goes on firing until the value has come back by the hysteresis',
    { hysteresis: 0.2 },
    [
      [fallen(-0.2), sure],
      [fallen(-0.085), unsure],
      [fallen(-0.081), unsure],
      [fallen(-0.079), sure],
      [fallen(0), sure],
    ],
    ['firing', 'firing', 'firing', 'resolved', 'inactive'],
  ],
  [
    'keeps firing for the windows it was told to',
    { keepFiringForWindows: 2 },
    [
      [fallen(-0.2), sure],
      [fallen(0), sure],
      [fallen(0), sure],
      [fallen(0), sure],
    ],
    ['firing', 'firing', 'firing', 'resolved'],
  ],
  [
    'shows that it does not know, and is what it was before once it knows again',
    { forWindows: 2 },
    [
      [fallen(-0.2), sure],
      [none, null],
      [fallen(-0.2), sure],
      [none, null],
      [fallen(-0.2), sure],
      [none, null],
      [fallen(0), sure],
    ],
    ['pending', 'insufficient_data', 'firing', 'insufficient_data', 'firing', 'insufficient_data', 'resolved'],
  ],
] as const) {
  test(name, () => {
    assert.deepEqual(follow(makeRule(over), windows as readonly (readonly [Finding, number | null])[]), shown)
  })
}

test('keeps the start of a firing while it can not be known', () => {
  const rule = makeRule({})
  const fires = nextState(rule, untouched, fallen(-0.2), sure, 7)
  const unknown = nextState(rule, fires, none, null, 8)
  const again = nextState(rule, unknown, fallen(-0.2), sure, 9)
  assert.deepEqual([fires.startsAtMs, unknown.startsAtMs, again.startsAtMs], [7, 7, 7])
})

test('a threshold fires only beyond it and for sure, and rests when the value is back by the hysteresis', () => {
  const rule = makeRule({ condition: { kind: 'threshold', side: 'above', value: 0.05 }, hysteresis: 0.2 })
  const shown = follow(rule, [
    [finding({ value: 0.06 }), unsure],
    [finding({ value: 0.06 }), sure],
    [finding({ value: 0.045 }), unsure],
    [finding({ value: 0.04 }), sure],
  ])
  assert.deepEqual(shown, ['inactive', 'firing', 'firing', 'resolved'])
})

test("a drift fires on the chart's signal in its direction", () => {
  const rule = makeRule({ condition: { kind: 'drift', direction: 'drop', k: 0.5, h: 8 } })
  const drifted = (signal: 'rise' | 'fall' | null) => finding({ drift: { high: 0, low: 0, signal } })
  assert.deepEqual(
    follow(rule, [
      [drifted('rise'), null],
      [drifted('fall'), null],
      [drifted(null), null],
    ]),
    ['inactive', 'firing', 'resolved'],
  )
})

test('an alert of a cohort that has vanished fires for as long as its baseline lasts, and is then resolved', () => {
  const rule = makeRule({})
  const silent = Array.from({ length: 43 }, () => [none, null] as const)
  const shown = follow(rule, [[fallen(-0.2), sure], ...silent])
  assert.deepEqual(shown.slice(-2), ['insufficient_data', 'resolved'])
  const interrupted = [...silent.slice(0, 42), [fallen(-0.2), sure] as const, ...silent.slice(0, 42)]
  assert.equal(follow(rule, [[fallen(-0.2), sure], ...interrupted]).at(-1), 'insufficient_data', 'counted anew')
})
