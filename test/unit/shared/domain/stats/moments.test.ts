import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import {
  mergeMoments,
  momentsOf,
  momentsOfValues,
  noUnits,
  pairMoments,
} from '../../../../../services/shared/domain/stats/moments.ts'

const units = fc.array(
  fc.record({ outcome: fc.integer({ min: -1e9, max: 1e9 }), earlier: fc.integer({ min: -1e9, max: 1e9 }) }),
)

test('moments of parts merge to those of the whole', () => {
  fc.assert(
    fc.property(fc.array(units, { maxLength: 5 }), (parts) => {
      const merged = mergeMoments(parts.map(pairMoments))
      const whole = pairMoments(parts.flat())
      assert.equal(merged.n, whole.n)
      for (const name of ['outcomeMean', 'earlierMean'] as const) near(merged[name], whole[name], 1e9)
      for (const name of ['outcomeSquares', 'earlierSquares', 'products'] as const)
        near(merged[name], whole[name], 1e18 * whole.n)
    }),
  )
})

test('nobody is nothing, and adds nothing', () => {
  assert.deepEqual(pairMoments([]), noUnits)
  assert.deepEqual(mergeMoments([]), noUnits)
  const one = pairMoments([{ outcome: 3, earlier: 2 }])
  assert.deepEqual(mergeMoments([noUnits, one, noUnits]), one)
})

test('a combination of outcome and earlier value has the moments of its values', () => {
  const rows = [
    { outcome: 3, earlier: 1 },
    { outcome: 5, earlier: 4 },
    { outcome: 10, earlier: 2 },
  ]
  const plain = momentsOfValues(rows.map(({ outcome, earlier }) => 2 * outcome - 3 * earlier))
  const combined = momentsOf(pairMoments(rows), { outcome: 2, earlier: -3 })
  assert.equal(combined.n, 3)
  near(combined.mean, plain.mean, 1)
  near(combined.variance, plain.variance, 1)
  assert.deepEqual(momentsOfValues([1, 2, 3, 4]), { n: 4, mean: 2.5, variance: 5 / 3 })
})

test('one unit has no variance', () => {
  assert.ok(Number.isNaN(momentsOfValues([7]).variance))
})

test('a small spread of large sums keeps its digits', () => {
  const { variance } = momentsOfValues([1e15 + 1, 1e15 + 2, 1e15 + 3])
  assert.equal(variance, 1)
})

function near(found: number, expected: number, scale: number): void {
  assert.ok(Math.abs(found - expected) <= 1e-12 * scale, `${found} is not ${expected}`)
}
