import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fiellerInterval, ratioVariance } from '../../../../../services/shared/domain/stats/fieller.ts'
import { normalQuantile } from '../../../../../services/shared/domain/stats/normal.ts'
import { createRandom } from '../../../../support/random-usage.ts'

const parts = {
  ...{ numerator: 6, denominator: 3, numeratorVariance: 1, denominatorVariance: 0.25, covariance: 0.2 },
  degreesOfFreedom: Infinity,
}

test('its limits are where a - r b is just told from 0', () => {
  const { low, high } = fiellerInterval(parts)!
  for (const limit of [low, high]) {
    const variance = 1 - 2 * limit * 0.2 + limit ** 2 * 0.25
    assert.ok(Math.abs(Math.abs(6 - limit * 3) / Math.sqrt(variance) - 1.959963984540054) < 1e-9, String(limit))
  }
  assert.ok(low < 2 && 2 < high)
})

test('a denominator that is known only scales', () => {
  const { low, high } = fiellerInterval({ ...parts, denominatorVariance: 0, covariance: 0 })!
  assert.ok(Math.abs(low - (6 - 1.959963984540054) / 3) < 1e-9)
  assert.ok(Math.abs(high - (6 + 1.959963984540054) / 3) < 1e-9)
  assert.ok(Math.abs(ratioVariance({ ...parts, denominatorVariance: 0, covariance: 0 }) - 1 / 9) < 1e-12)
})

test('a negative denominator mirrors', () => {
  const { low, high } = fiellerInterval(parts)!
  const mirrored = fiellerInterval({ ...parts, denominator: -3, covariance: -0.2 })!
  assert.ok(Math.abs(mirrored.low + high) < 1e-12 && Math.abs(mirrored.high + low) < 1e-12)
})

test('a denominator that can be 0 bounds nothing', () => {
  for (const denominator of [0, 0.5, 0.97, -0.97])
    assert.equal(fiellerInterval({ ...parts, denominator }), null, String(denominator))
  assert.notEqual(fiellerInterval({ ...parts, denominator: 0.99 }), null)
})

test('holds the ratio in 95 % of draws, also where the denominator is 3 standard errors from 0', () => {
  const seed = 1
  const random = createRandom(seed)
  const normal = () => normalQuantile(random())
  const draws = 4_000
  let held = 0
  for (let draw = 0; draw < draws; draw++) {
    const shared = normal()
    const numerator = 2 + 0.6 * shared + 0.8 * normal()
    const denominator = 3 + shared
    const found = fiellerInterval({
      ...{ numerator, denominator, numeratorVariance: 1, denominatorVariance: 1, covariance: 0.6 },
      degreesOfFreedom: Infinity,
    })
    // Unbounded intervals hold everything but what Fieller's excludes in between; counted as holding.
    held += found === null || (found.low <= 2 / 3 && 2 / 3 <= found.high) ? 1 : 0
  }
  const coverage = (100 * held) / draws
  assert.ok(coverage > 94 && coverage < 97, `${coverage} % with seed ${seed}`)
})
