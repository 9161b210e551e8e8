import assert from 'node:assert/strict'
import { test } from 'node:test'

import { percentileInterval } from '../../../../../services/shared/domain/stats/percentile-interval.ts'

test('takes quantiles of the draws, in any order, between neighbours in proportion', () => {
  const draws = Array.from({ length: 101 }, (_, at) => 100 - at)
  assert.deepEqual(percentileInterval(draws, 0.5), { low: 25, high: 75 })
  assert.deepEqual(percentileInterval([1, 2], 0.5), { low: 1.25, high: 1.75 })
  assert.deepEqual(percentileInterval([7]), { low: 7, high: 7 })
})

test('a limit may be endless', () => {
  assert.deepEqual(percentileInterval([1, Infinity, 1, Infinity], 0.95), { low: 1, high: Infinity })
  assert.deepEqual(percentileInterval([Infinity, Infinity]), { low: Infinity, high: Infinity })
})

test('refuses no draws, and draws that are no numbers', () => {
  assert.throws(() => percentileInterval([]), RangeError)
  assert.throws(() => percentileInterval([1, Number.NaN]), RangeError)
})
