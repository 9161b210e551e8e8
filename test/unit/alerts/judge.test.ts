import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Cell, CohortWindow } from '../../../services/alerts/inputs.ts'
import { judge, type Finding } from '../../../services/alerts/judge.ts'
import type { Rule } from '../../../services/alerts/rule.ts'
import { holds } from '../../../services/alerts/state.ts'
import { newcombeDifference, wilsonOfCount } from '../../../services/shared/domain/stats/newcombe.ts'
import { cohortWindow, makeCell } from '../../support/alert-windows.ts'
import { makeRule } from '../../support/alert-rules.ts'

/** The finding of one cohort; `cellsOf` makes the cells of a week's windows, week 0 is now, and none makes windows without data. */
function judged(rule: Rule, cellsOf: (week: number) => readonly Cell[]): Finding {
  const weeks = Array.from({ length: rule.baseline.weeks }, (_, week) => cohortWindow(cellsOf(week + 1)))
  const others = new Array(6).fill(weeks.filter((week) => week !== undefined)) as CohortWindow[][]
  return judge(rule, { now: cohortWindow(cellsOf(0)), base: weeks, others })
}

const near = (actual: number | null, expected: number, within: number) =>
  assert.ok(actual !== null && Math.abs(actual - expected) <= within, `${actual} is not ${expected} ± ${within}`)

test('finds a fall by a fifth, with its size and an interval that holds it', () => {
  const finding = judged(makeRule({}), (week) => [makeCell({ share: week === 0 ? 0.24 : 0.3, seed: week })])
  assert.equal(finding.insufficient, null)
  near(finding.relativeChange, -0.2, 0.02)
  near(finding.difference, -0.06, 0.005)
  assert.ok(finding.low! < -0.06 && finding.high! > -0.06 && finding.high! < 0, `${finding.low} to ${finding.high}`)
  assert.ok(finding.pValue! < 0.001)
  assert.deepEqual([finding.baseWindows, finding.mixPart, finding.households], [6, null, 640])
})

/** Echo earns 6 %, Fire TV 35 %; `moved` of Echo's requests are made on Fire TV. */
const products = (week: number, moved: number, rate = 1): Cell[] => [
  makeCell({ mix: 'echo', share: 0.06 * rate, perBucket: 300 * (1 - moved), seed: 2 * week + 1 }),
  makeCell({ mix: 'fire_tv', share: 0.35 * rate, perBucket: 100 + 300 * moved, seed: 2 * week + 2 }),
]

test('a shift of the mix with equal rates has a rate part near 0 and does not hold, though the whole changes', () => {
  const whole = makeRule({ condition: { kind: 'change', direction: 'either', least: 0.1, unit: 'relative' } })
  const rate = { ...whole, mix: 'product' } as const
  const cellsOf = (week: number) => products(week, week === 0 ? 0.4 : 0)

  const untold = judged(whole, cellsOf)
  assert.ok(untold.relativeChange! > 0.5, 'the raw share rises by more than half')
  assert.ok(holds(whole, untold, untold.pValue))

  const told = judged(rate, cellsOf)
  near(told.ratePart, 0, 0.003)
  near(told.mixPart! + told.ratePart!, untold.difference!, 0.003)
  assert.equal(told.difference, told.ratePart, 'what is judged is the rate')
  assert.equal(holds(rate, told, told.pValue), false)
})

test('a fall of all rates holds beside a mix that hides it', () => {
  const rule = makeRule({ mix: 'product' })
  const finding = judged(rule, (week) => products(week, week === 0 ? 0.1 : 0, week === 0 ? 0.8 : 1))
  assert.ok(finding.mixPart! > 0, `mix ${finding.mixPart}`)
  assert.ok(finding.relativeChange! < -0.15, `rate ${finding.relativeChange}`)
  assert.ok(holds(rule, finding, finding.pValue))
})

for (const [weeks, windows, isKnown] of [
  [6, 2, false],
  [6, 3, true],
  [2, 1, false],
  [2, 2, true],
] as const) {
  test(`a baseline of ${windows} windows with requests out of ${weeks} is ${isKnown ? 'enough' : 'insufficient'}`, () => {
    const finding = judged(makeRule({ baseline: { weeks, centre: 'mean' } }), (week) =>
      week <= windows ? [makeCell({ share: 0.3, seed: week })] : [],
    )
    assert.equal(finding.insufficient === null, isKnown, finding.insufficient ?? 'known')
    assert.equal(finding.baseWindows, windows)
    if (!isKnown) {
      assert.match(finding.insufficient!, new RegExp(`^${windows} windows of the baseline`))
      assert.equal(finding.pValue, null)
    }
  })
}

for (const [what, over, cell, says] of [
  ['no requests', {}, [], /^no requests$/],
  ['a household too few', { minimumHouseholds: 641 }, [makeCell({ share: 0.3 })], /^640 households, where 641/],
  ['just enough households', { minimumHouseholds: 640 }, [makeCell({ share: 0.3 })], null],
  ['a request too few', { minimumRequests: 101 }, [onePerBucket(100)], /^100 requests, where 101/],
  ['just enough requests', { minimumRequests: 100 }, [onePerBucket(100)], null],
] as const) {
  test(`${what} ${says === null ? 'is judged' : 'is insufficient'}`, () => {
    const rule = makeRule({ minimumRequests: 0, condition: threshold('above', 0.5), ...over })
    const finding = judge(rule, { now: cohortWindow(cell), base: [] })
    if (says === null) {
      assert.equal(finding.insufficient, null)
    } else {
      assert.match(finding.insufficient!, says)
    }
  })
}

function onePerBucket(requests: number): Cell {
  const counts = Array.from({ length: 50 }, () => requests / 50)
  return { cohort: [], mix: '', households: 640, requests: counts, hits: counts.map((count) => count / 2) }
}

function threshold(side: 'below' | 'above', value: number): Rule['condition'] {
  return { kind: 'threshold', side, value }
}

test('requests per household above 1 are judged in their own units', () => {
  const rule = makeRule({ measure: 'requests_per_household', minimumRequests: 0 })
  const finding = judged(rule, (week) => [perHousehold(week === 0 ? 6 : 8, week)])
  near(finding.value, 6, 0.2)
  near(finding.baseline, 8, 0.2)
  near(finding.difference, -2, 0.3)
  near(finding.relativeChange, -0.25, 0.03)
  assert.ok(finding.low! < -2 && finding.high! > -2 && finding.high! < 0, `${finding.low} to ${finding.high}`)
  assert.ok(holds(rule, finding, finding.pValue))
})

test('a limit on requests per household holds only where they are surely below', () => {
  const rule = makeRule({ measure: 'requests_per_household', minimumRequests: 0, condition: threshold('below', 7) })
  const below = judge(rule, { now: cohortWindow([perHousehold(6, 1)]), base: [] })
  near(below.value, 6, 0.2)
  assert.ok(below.low! < 6 && below.high! > 6 && holds(rule, below, below.pValue), JSON.stringify(below))
  const above = judge(rule, { now: cohortWindow([perHousehold(8, 1)]), base: [] })
  assert.equal(holds(rule, above, above.pValue), false)
})

/** Ten households a bucket that ask about so often. */
function perHousehold(requests: number, seed: number): Cell {
  const { requests: asked } = makeCell({ share: 0, perBucket: 10 * requests, seed })
  return { cohort: [], mix: '', households: 640, requests: asked.map(() => 10), hits: asked }
}

test('a rejected ratio is compared by Newcombe with all messages of its baseline', () => {
  const rule = makeRule({
    measure: 'rejected_ratio',
    ...{ minimumHouseholds: 0, minimumRequests: 100 },
    condition: { kind: 'change', direction: 'rise', least: 0.5, unit: 'relative' },
  })
  const finding = judged(rule, (week) => [messages(week === 0 ? 30 : 10, 1_000)])
  const expected = newcombeDifference({ events: 30, trials: 1_000 }, { events: 60, trials: 6_000 }, 0.99)
  assert.deepEqual(
    [finding.value, finding.difference, finding.low, finding.high],
    [0.03, expected.estimate, expected.low, expected.high],
  )
  near(finding.baseline, 0.01, 1e-12)
  assert.ok(holds(rule, finding, finding.pValue))
})

test('a limit on the rejected ratio has the interval of Wilson, and a p-value that agrees with it', () => {
  const rule = makeRule({ measure: 'rejected_ratio', minimumHouseholds: 0, condition: threshold('above', 0.01) })
  for (const [rejected, isSure] of [
    [15, false],
    [30, true],
  ] as const) {
    const finding = judge(rule, { now: cohortWindow([messages(rejected, 1_000)]), base: [] })
    const { low, high } = wilsonOfCount({ events: rejected, trials: 1_000 }, 0.99)
    assert.deepEqual([finding.low, finding.high], [low, high])
    assert.equal(low > 0.01, isSure)
    assert.equal(holds(rule, finding, finding.pValue), isSure)
  }
})

function messages(rejected: number, all: number): Cell {
  return { cohort: [], mix: '', households: 0, requests: [all], hits: [rejected] }
}

/** 64 buckets of 20 households that ask about so often a day. */
function asking(times: number): CohortWindow {
  const requests = new Array<number>(64).fill(20)
  const monetised = requests.map((households, bucket) => Math.round(households * times * (0.9 + 0.2 * (bucket / 63))))
  const total = { requests, monetised }
  const hits = monetised.reduce((all, count) => all + count, 0)
  return { households: 1_280, requests: 1_280, hits, total, byMix: new Map([['', total]]) }
}

for (const [limit, times, side, fires] of [
  [7.5, 3, 'below', true],
  [7.5, 3, 'above', false],
  [8, 3, 'below', true],
  [20, 10, 'below', true],
  [2, 10, 'above', true],
  [10_000, 3, 'above', false],
  [0.5, 3, 'below', false],
] as const) {
  test(`${times} requests per household ${fires ? 'are' : 'are not'} surely ${side} ${limit}`, () => {
    const condition = { kind: 'threshold', side, value: limit } as const
    const rule = makeRule({ measure: 'requests_per_household', condition, minimumRequests: 0 })
    const finding = judge(rule, { now: asking(times), base: [] })
    assert.ok(finding.pValue !== null && finding.pValue >= 0 && finding.pValue <= 1, `p-value ${finding.pValue}`)
    assert.equal(holds(rule, finding, finding.pValue), fires)
  })
}
