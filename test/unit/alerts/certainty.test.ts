import assert from 'node:assert/strict'
import { test } from 'node:test'

import { certaintyOf } from '../../../services/alerts/certainty.ts'
import { confidenceSequence } from '../../../services/shared/domain/stats/confidence-sequence.ts'
import { studentQuantile, studentTwoSidedP } from '../../../services/shared/domain/stats/student-t-distribution.ts'
import { makeRule } from '../../support/alert-rules.ts'
import { broad } from '../../support/usage-model.ts'
import { peekingRate } from '../../statistics/peeking.ts'

const once = makeRule({})
const hourly = makeRule({ window: 'hour', soFar: 'day' })

test('a window that is judged once keeps the quantile and p-value of Student', () => {
  const { criticalValue, pValue } = certaintyOf(once, 35)
  assert.equal(criticalValue, studentQuantile(35, 0.99))
  assert.equal(pValue(0.02), 0.02)
})

test('one that is judged while it fills has the limits of a confidence sequence, wider for few degrees of freedom', () => {
  const half = (passed: number) =>
    confidenceSequence({ estimate: 0, standardError: 1, n: passed }, { alpha: 0.01, tunedFor: 1 }).high
  for (const passed of [1 / 24, 0.5, 1]) {
    const many = certaintyOf(hourly, 1e9, passed).criticalValue
    assert.ok(Math.abs(many / half(passed) - 1) < 1e-6, `${many} after ${passed}`)
    assert.ok(certaintyOf(hourly, 35, passed).criticalValue > many)
  }
  assert.ok(half(1 / 24) > half(0.5) && half(0.5) > half(1))
  assert.ok(half(1) / studentQuantile(1e9, 0.99) < 1.6)
})

test('limits and p-value agree: where the interval ends at 0 the p-value is one minus the confidence', () => {
  for (const df of [5, 35, 1e9]) {
    const { criticalValue, pValue } = certaintyOf(hourly, df, 0.5)
    const at = (t: number) => pValue(studentTwoSidedP(t, df))
    assert.ok(Math.abs(at(criticalValue) / 0.01 - 1) < 1e-3, `${at(criticalValue)} with ${df} degrees of freedom`)
    assert.ok(at(criticalValue * 1.01) < 0.01 && at(criticalValue * 0.99) > 0.01)
  }
  assert.equal(certaintyOf(hourly, 35, 0.5).pValue(0), 0)
  assert.equal(certaintyOf(hourly, 35, 0.5).pValue(1), 1)
})

test('eight looks a day are wrong no more often than promised, and find a fall by a fifth', (t) => {
  const scenario = { share: broad(0.3), households: 500 }
  const still = peekingRate({ ...scenario, change: 0 }, { draws: 200, seed: 20_267 })
  const fall = peekingRate({ ...scenario, change: -0.2 }, { draws: 30, seed: 20_267 })
  t.diagnostic(`seed 20267: ${JSON.stringify({ still, fall })}`)
  assert.ok(still.sequence.percent <= 1, `${still.sequence.percent} % of days`)
  assert.ok(still.single.percent > still.sequence.percent, `${still.single.percent} % by the interval of a single look`)
  assert.ok(fall.sequence.percent >= 80, `${fall.sequence.percent} %`)
})
