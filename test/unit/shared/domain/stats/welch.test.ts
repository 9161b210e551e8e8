import assert from 'node:assert/strict'
import { test } from 'node:test'

import { momentsOfValues } from '../../../../../services/shared/domain/stats/moments.ts'
import { combinedMeans, welchDifference } from '../../../../../services/shared/domain/stats/welch.ts'
import {
  cpsFile,
  earnings,
  hillstromFile,
  nswFile,
  readMailing,
  readTrainees,
} from '../../../../support/reference-data.ts'
import { sharedDataMissing } from '../../../../support/shared-data.ts'

/** Student's sleep data, which R ships; the figures are those that its t.test prints. */
const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

test("Student's sleep data, as R prints it", () => {
  const found = welchDifference(momentsOfValues(first), momentsOfValues(second))
  assert.equal(found.t!.toFixed(4), '-1.8608')
  assert.equal(found.degreesOfFreedom!.toFixed(3), '17.776')
  assert.equal(found.pValue!.toFixed(5), '0.07939')
  assert.equal(found.low!.toFixed(7), '-3.3654832')
  assert.equal(found.high!.toFixed(7), '0.2054832')
})

test('the training experiment and its survey', { skip: sharedDataMissing(nswFile, cpsFile) }, () => {
  const { treated, control, survey } = readTrainees()
  const moments = (rows: typeof treated) => momentsOfValues(earnings(rows).map(({ outcome }) => outcome))
  const experiment = welchDifference(moments(treated), moments(control))
  assert.equal(experiment.estimate.toFixed(4), '1794.3424')
  assert.equal(experiment.standardError!.toFixed(4), '670.9965')
  assert.equal(welchDifference(moments(treated), moments(survey)).estimate.toFixed(3), '-8497.516')
})

test('the e-mail experiment', { skip: sharedDataMissing(hillstromFile) }, () => {
  const { men, women, none } = readMailing()
  const [m, w, n] = [men, women, none].map((units) => momentsOfValues(units.map(({ outcome }) => outcome)))
  const forMen = welchDifference(m!, n!)
  assert.equal(forMen.estimate.toFixed(6), '0.769827')
  assert.equal(forMen.standardError!.toFixed(6), '0.145247')
  assert.equal(forMen.t!.toFixed(5), '5.30014')
  const forWomen = welchDifference(w!, n!)
  assert.equal(forWomen.estimate.toFixed(6), '0.424412')
  assert.equal(forWomen.standardError!.toFixed(6), '0.130333')
})

test('where the spread says nothing there is no interval', () => {
  for (const [a, b] of [
    [[1], [2, 3]],
    [[1], [2]],
    [
      [5, 5],
      [3, 3, 3],
    ],
  ] as const) {
    const found = welchDifference(momentsOfValues(a), momentsOfValues(b))
    assert.deepEqual([found.standardError, found.low, found.high, found.pValue], [null, null, null, null])
  }
  // One arm without spread is still bounded by the other.
  const found = welchDifference(momentsOfValues([5, 5]), momentsOfValues([3, 4]))
  assert.equal(found.degreesOfFreedom, 1)
  assert.throws(() => welchDifference(momentsOfValues([]), momentsOfValues([1, 2])), RangeError)
})

test('a weighted sum of means has the variance of its parts', () => {
  const [a, b] = [momentsOfValues(first), momentsOfValues(second)]
  const found = combinedMeans([
    { ...a, weight: 2 },
    { ...b, weight: 0.5 },
  ])
  assert.equal(found.estimate, 2 * a.mean + 0.5 * b.mean)
  assert.ok(Math.abs(found.standardError! ** 2 - (4 * a.variance + 0.25 * b.variance) / 10) < 1e-12)
})
