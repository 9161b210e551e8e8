import assert from 'node:assert/strict'
import { test } from 'node:test'

import { sampleRatio, sampleRatioPMin } from '../../../../../services/shared/domain/stats/sample-ratio.ts'

const even = { first: 1, second: 1 }

test('821,588 against 815,482 of an even lot: the published 1.8e-6', () => {
  // Kohavi, Tang & Xu 2020, "Trustworthy online controlled experiments", chapter 3.
  const { pValue, passes } = sampleRatio({ first: 821_588, second: 815_482 }, even)
  assert.equal(pValue.toExponential(1), '1.8e-6')
  assert.equal(passes, false)
})

test('is chi-squared of counts against shares', () => {
  const { expectedFirst, chiSquared, pValue } = sampleRatio({ first: 60, second: 40 }, even)
  assert.deepEqual([expectedFirst, chiSquared], [50, 4])
  assert.equal(pValue.toFixed(5), '0.04550')
  // Shares need not add up to 1: who is in neither arm does not count.
  const uneven = sampleRatio({ first: 950, second: 50 }, { first: 190_000, second: 10_000 })
  assert.deepEqual([uneven.chiSquared, uneven.pValue, uneven.passes], [0, 1, true])
})

test('refuses from p = 0.001 down', () => {
  // z = 3.2905 is p = 0.001: of 10,000 by an even lot 164.5 more than half.
  const above = sampleRatio({ first: 5_164, second: 4_836 }, even)
  const below = sampleRatio({ first: 5_165, second: 4_835 }, even)
  assert.ok(above.pValue > sampleRatioPMin && above.passes, String(above.pValue))
  assert.ok(below.pValue < sampleRatioPMin && !below.passes, String(below.pValue))
})

test('a missing arm fails, nothing at all is no ratio', () => {
  assert.equal(sampleRatio({ first: 1_000, second: 0 }, even).passes, false)
  assert.throws(() => sampleRatio({ first: 0, second: 0 }, even), RangeError)
  assert.throws(() => sampleRatio({ first: 1, second: 1 }, { first: 1, second: 0 }), RangeError)
})
