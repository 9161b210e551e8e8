import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createThrottle } from '../../../services/replay/throttle.ts'

test('spreads what comes at once over its time, and lets the first through', () => {
  const throttle = createThrottle({ perSecond: () => 1_000, nowMs: () => 0 })
  assert.deepEqual([throttle.book(500), throttle.book(2_000), throttle.book(1)], [0, 500, 2_500])
})

test('does not make up for a quiet time', () => {
  let now = 0
  const throttle = createThrottle({ perSecond: () => 1_000, nowMs: () => now })
  throttle.book(1_000)
  now = 60_000
  assert.deepEqual([throttle.book(1_000), throttle.book(1_000)], [0, 1_000])
})

test('follows a rate that changes', () => {
  let rate = 1_000
  const throttle = createThrottle({ perSecond: () => rate, nowMs: () => 0 })
  throttle.book(1_000)
  rate = 100
  assert.deepEqual([throttle.book(100), throttle.book(1)], [1_000, 2_000])
})
