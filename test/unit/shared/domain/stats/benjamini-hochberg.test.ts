import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { benjaminiHochberg } from '../../../../../services/shared/domain/stats/benjamini-hochberg.ts'

test('equals the example of Benjamini and Hochberg (1995): four of fifteen at 5 %', () => {
  const p = [
    ...[0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344],
    ...[0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1],
  ]
  const adjusted = benjaminiHochberg(p)
  assert.equal(adjusted.filter((q) => q <= 0.05).length, 4)
  const first = [0.0015, 0.003, 0.0095, 0.035625, 0.0603]
  first.forEach((q, index) => assert.ok(Math.abs(adjusted[index]! - q) < 1e-12))
  assert.equal(adjusted[14], 1)
})

test('keeps the order of the input and gives ties the same value', () => {
  assert.deepEqual(benjaminiHochberg([0.5, 0.01, 0.5]), [0.5, 0.03, 0.5])
  assert.deepEqual(benjaminiHochberg([]), [])
  assert.deepEqual(benjaminiHochberg([0.2]), [0.2])
})

test('rejects at q exactly what the step-up procedure rejects', () => {
  const p = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(p, fc.constantFrom(0.01, 0.05, 0.2), (values, q) => {
      const sorted = values.toSorted((a, b) => a - b)
      const last = sorted.findLastIndex((value, index) => value * (values.length / (index + 1)) <= q)
      const limit = last < 0 ? -1 : sorted[last]!
      const adjusted = benjaminiHochberg(values)
      values.forEach((value, index) => assert.equal(adjusted[index]! <= q, value <= limit))
      assert.ok(adjusted.every((value, index) => value >= values[index]! && value <= 1))
    }),
  )
})

test('refuses what is no probability, also the NaN of a test that was not made', () => {
  for (const wrong of [-0.1, 1.1, Number.NaN]) assert.throws(() => benjaminiHochberg([0.5, wrong]), /between 0 and 1/)
})
