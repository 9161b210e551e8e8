import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { normalCdf } from '../../../../../services/shared/domain/stats/normal.ts'
import {
  studentQuantile,
  studentTwoSidedP,
} from '../../../../../services/shared/domain/stats/student-t-distribution.ts'

// Closed forms: 1 and 2 degrees of freedom for all t, 3 and 4 as in Abramowitz & Stegun 26.7.3 and 26.7.4.
const closed: [degreesOfFreedom: number, p: (t: number) => number][] = [
  [1, (t) => 1 - (2 / Math.PI) * Math.atan(t)],
  [2, (t) => 1 - t / Math.sqrt(2 + t * t)],
  [3, (t) => 1 - (2 / Math.PI) * (Math.atan(t / Math.sqrt(3)) + (t * Math.sqrt(3)) / (3 + t * t))],
  [4, (t) => 1 - (t / Math.sqrt(4 + t * t)) * (1 + 2 / (4 + t * t))],
]

for (const [degreesOfFreedom, p] of closed) {
  test(`equals the closed form at ${degreesOfFreedom} degrees of freedom`, () => {
    for (const t of [0, 0.01, 0.5, 1, 2, 2.776, 5, 30])
      assert.ok(Math.abs(studentTwoSidedP(t, degreesOfFreedom) - p(t)) < 1e-12, `t ${t}`)
  })
}

test('equals the integral of the density at fractional degrees of freedom', () => {
  for (const degreesOfFreedom of [2.3, 5.7, 63, 200.5])
    for (const t of [0.3, 1.7, 2.66, 4]) {
      const p =
        1 -
        integrateCosine(Math.atan(t / Math.sqrt(degreesOfFreedom)), degreesOfFreedom - 1) /
          integrateCosine(Math.PI / 2, degreesOfFreedom - 1)
      assert.ok(Math.abs(studentTwoSidedP(t, degreesOfFreedom) - p) < 1e-9, `${degreesOfFreedom} ${t}`)
    }
})

test('becomes the normal distribution without a step', () => {
  for (const t of [0.5, 2, 4]) {
    const normal = 2 * normalCdf(-t)
    assert.equal(studentTwoSidedP(t, Infinity), normal)
    assert.ok(Math.abs(studentTwoSidedP(t, 1e6) - normal) < 1e-6)
  }
})

test('knows no sign, and gives 0 for what can not be', () => {
  assert.equal(studentTwoSidedP(-2.5, 7), studentTwoSidedP(2.5, 7))
  assert.equal(studentTwoSidedP(0, 7), 1)
  assert.equal(studentTwoSidedP(Infinity, 7), 0)
  assert.throws(() => studentTwoSidedP(Number.NaN, 7), RangeError)
  assert.throws(() => studentTwoSidedP(1, 0), /at 0 degrees of freedom/)
})

const table: [degreesOfFreedom: number, confidence: number, t: number][] = [
  [1, 0.95, 12.7062047364],
  [2, 0.99, 9.92484320092],
  [5, 0.9, 2.01504837333],
  [5, 0.99, 4.03214298356],
  [63, 0.99, 2.65614504],
  [63, 0.95, 1.99834054],
  [30, 0.999, 3.64595863504],
  [Infinity, 0.95, 1.95996398454],
]

for (const [degreesOfFreedom, confidence, t] of table) {
  test(`finds the printed critical value at ${degreesOfFreedom} degrees of freedom and ${confidence}`, () => {
    const found = studentQuantile(degreesOfFreedom, confidence)
    assert.ok(Math.abs(found - t) < 1e-7, `${found}`)
  })
}

test('the critical value has the p-value that it was asked for', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 500, noNaN: true }),
      fc.double({ min: 1e-9, max: 0.999, noNaN: true }),
      (degreesOfFreedom, alpha) => {
        const p = studentTwoSidedP(studentQuantile(degreesOfFreedom, 1 - alpha), degreesOfFreedom)
        assert.ok(Math.abs(p - alpha) < 1e-9 * alpha + 1e-15, `${p} instead of ${alpha} at ${degreesOfFreedom}`)
      },
    ),
  )
})

test('refuses a confidence of 0 or 1', () => {
  assert.throws(() => studentQuantile(5, 1), /confidence 1/)
  assert.throws(() => studentQuantile(5, 0), RangeError)
  assert.throws(() => studentQuantile(Number.NaN, 0.95), RangeError)
})

/** With T = sqrt(df) tan(angle) the density is a power of the cosine; Simpson's rule. */
function integrateCosine(to: number, power: number): number {
  const steps = 20_000
  let sum = 0
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2
    sum += weight * Math.max(0, Math.cos((i * to) / steps)) ** power
  }
  return (sum * to) / steps / 3
}
