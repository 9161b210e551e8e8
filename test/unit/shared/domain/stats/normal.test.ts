import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { normalCdf, normalQuantile } from '../../../../../services/shared/domain/stats/normal.ts'

// Abramowitz & Stegun tables 26.1 and 26.2, and erfc to more digits for the tail.
const printed: [z: number, probability: number][] = [
  [0, 0.5],
  [0.5, 0.691462461274013],
  [1, 0.841344746068543],
  [-1, 0.158655253931457],
  [2.5, 0.993790334674224],
  [3, 0.99865010196837],
  [-3.5, 2.326290790355e-4],
  [-6, 9.865876450377e-10],
  [-10, 7.619853024160527e-24],
]

for (const [z, probability] of printed) {
  test(`gives the printed probability below ${z}`, () => {
    assert.ok(Math.abs(normalCdf(z) / probability - 1) < 1e-11, `${normalCdf(z)}`)
  })
}

test('gives 0 and 1 at the ends and NaN for what is no number', () => {
  assert.deepEqual([normalCdf(-Infinity), normalCdf(Infinity), normalCdf(Number.NaN)], [0, 1, Number.NaN])
  assert.deepEqual([normalQuantile(0), normalQuantile(1)], [-Infinity, Infinity])
  assert.ok(Math.abs(normalQuantile(0.5)) < 1e-15)
})

test('has no seam where the series hands over to the fraction', () => {
  for (const z of [-3, 3]) assert.ok(Math.abs(normalCdf(z + 1e-9) - normalCdf(z - 1e-9) - 2e-9 * 0.00443184841) < 1e-14)
})

test('finds the usual quantiles', () => {
  const usual: [p: number, z: number][] = [
    [0.95, 1.6448536269514722],
    [0.975, 1.959963984540054],
    [0.995, 2.5758293035489004],
    [1e-10, -6.361340902404056],
  ]
  for (const [p, z] of usual) assert.ok(Math.abs(normalQuantile(p) - z) < 1e-12, `${p}: ${normalQuantile(p)}`)
})

test('the quantile is the inverse of the probability, in the far tail as well', () => {
  fc.assert(
    fc.property(fc.double({ min: -37, max: 6, noNaN: true }), (z) => {
      // Above 0 the probability itself is near 1 and has fewer digits of its distance from it.
      const tolerance = z > 0 ? 1e-15 * Math.exp((z * z) / 2) * 10 + 1e-12 : 1e-10
      assert.ok(Math.abs(normalQuantile(normalCdf(z)) - z) < tolerance, `${z}: ${normalQuantile(normalCdf(z))}`)
    }),
  )
})

test('refuses what is no probability', () => {
  for (const p of [-0.1, 1.1, Number.NaN]) assert.throws(() => normalQuantile(p), /between 0 and 1, got/)
})
