import assert from 'node:assert/strict'
import { test } from 'node:test'

import { cupedDifference, cupedTheta } from '../../../../../services/shared/domain/stats/cuped.ts'
import { momentsOf, pairMoments } from '../../../../../services/shared/domain/stats/moments.ts'
import { welchDifference } from '../../../../../services/shared/domain/stats/welch.ts'
import { earnings, hillstromFile, nswFile, readMailing, readTrainees } from '../../../../support/reference-data.ts'
import { sharedDataMissing } from '../../../../support/shared-data.ts'

test('the training experiment on earlier earnings', { skip: sharedDataMissing(nswFile) }, () => {
  const { treated, control } = readTrainees()
  const found = cupedDifference(pairMoments(earnings(treated)), pairMoments(earnings(control)))
  assert.equal(found.estimate.toFixed(3), '1747.134')
})

test('the e-mail experiment on earlier spending', { skip: sharedDataMissing(hillstromFile) }, () => {
  const { men, none } = readMailing()
  const found = cupedDifference(pairMoments(men), pairMoments(none))
  assert.equal(found.estimate.toFixed(6), '0.767438')
  assert.equal(found.standardError!.toFixed(6), '0.145215')
})

test('theta is that of both arms together', () => {
  const [first, second] = [
    pairMoments([
      { outcome: 4, earlier: 1 },
      { outcome: 8, earlier: 3 },
    ]),
    pairMoments([
      { outcome: 1, earlier: 1 },
      { outcome: 5, earlier: 3 },
    ]),
  ]
  assert.equal(cupedTheta(first, second), 2)
  // All of the spread within an arm is explained, so nothing is left to bound it.
  assert.deepEqual(cupedDifference(first, second), {
    ...{ estimate: 3, standardError: null, degreesOfFreedom: null, t: null, pValue: null, low: null, high: null },
  })
})

test('earlier values that are all alike change nothing', () => {
  const [first, second] = [
    [1, 5, 9],
    [2, 3, 7],
  ].map((values) => pairMoments(values.map((outcome) => ({ outcome, earlier: 4 })))) as [never, never]
  const plain = { outcome: 1, earlier: 0 }
  assert.deepEqual(cupedDifference(first, second), welchDifference(momentsOf(first, plain), momentsOf(second, plain)))
})
