import assert from 'node:assert/strict'
import { test } from 'node:test'

import { effectOf, yearsOf } from '../../../../services/impact/pnl/effects.ts'

const estimate = (estimateMicros: number, lowMicros: number | null, highMicros: number | null) => ({
  ...{ estimateMicros, lowMicros, highMicros },
  ...{ standardErrorMicros: null, degreesOfFreedom: null, credibility: null },
})
const none = {
  ...{ intentionToTreat: null, intentionToTreatCuped: null, exposureScaled: null, exposureScaledCuped: null },
  ...{ placebo: null, naive: null, differenceInDifferences: null, regressionAdjusted: null },
}

test('a report’s years are whole but for the first and the last', () => {
  assert.deepEqual(yearsOf({ from: '2017-03-05', to: '2019-06-30' }), [
    { year: 2017, from: '2017-03-05', to: '2017-12-31' },
    { year: 2018, from: '2018-01-01', to: '2018-12-31' },
    { year: 2019, from: '2019-01-01', to: '2019-06-30' },
  ])
  assert.deepEqual(yearsOf({ from: '2017-03-05', to: '2017-03-05' }), [
    { year: 2017, from: '2017-03-05', to: '2017-03-05' },
  ])
})

test('the effect is exposure-scaled, with CUPED where there is a time before', () => {
  const plain = { ...none, exposureScaled: estimate(5, 1, 9) }
  assert.deepEqual(effectOf({ refusal: null, estimates: plain }).perOwner, { micros: 5, low: 1, high: 9 })
  const cuped = { ...plain, exposureScaledCuped: estimate(6, 4, 8) }
  assert.deepEqual(effectOf({ refusal: null, estimates: cuped }).perOwner, { micros: 6, low: 4, high: 8 })
})

test('bounds that the data do not set are infinite', () => {
  const estimates = { ...none, exposureScaled: estimate(5, null, null) }
  assert.deepEqual(effectOf({ refusal: null, estimates }).perOwner, { micros: 5, low: -Infinity, high: Infinity })
})

test('without an estimate the reason is told', () => {
  assert.deepEqual(effectOf({ refusal: { code: 'no_holdout', says: 'nobody is held out' }, estimates: none }), {
    perOwner: null,
    whyNone: 'nobody is held out',
  })
  assert.match(effectOf({ refusal: null, estimates: none }).whyNone!, /as many own it/)
})
