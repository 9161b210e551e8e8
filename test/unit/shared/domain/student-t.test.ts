import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Confidence, studentT } from '../../../../services/shared/domain/student-t.ts'

// Printed tables of Student's t, two-sided.
const printed: [degreesOfFreedom: number, confidence: Confidence, t: number, tolerance: number][] = [
  [2, 0.95, 4.3027, 0.00005],
  [3, 0.95, 3.1824, 0.004],
  [10, 0.95, 2.2281, 0.0001],
  [63, 0.95, 1.9983, 0.0001],
  [Infinity, 0.95, 1.96, 0.0001],
  [2, 0.9, 2.92, 0.00005],
  [63, 0.9, 1.6694, 0.0001],
  [2, 0.99, 9.9248, 0.00005],
  [63, 0.99, 2.6561, 0.0001],
]

for (const [degreesOfFreedom, confidence, t, tolerance] of printed) {
  test(`agrees with the printed table at ${degreesOfFreedom} degrees of freedom and ${confidence * 100} %`, () => {
    assert.ok(Math.abs(studentT(degreesOfFreedom, confidence) - t) <= tolerance)
  })
}

// The errors that the docstring states, against an inverse by numerical integration.
const errors: [from: number, confidence: Confidence, error: number][] = [
  [2.001, 0.95, 0.033],
  [2.5, 0.95, 0.01],
  [4, 0.95, 0.001],
  [2.001, 0.99, 0.41],
  [2.5, 0.99, 0.13],
  [4, 0.99, 0.011],
]

for (const [from, confidence, error] of errors) {
  test(`is below the true value by at most ${error} from ${from} degrees of freedom on at ${confidence * 100} %`, () => {
    for (const degreesOfFreedom of [from, from + 0.05, from + 0.4, from + 3, from + 20]) {
      const below = exactStudentT(degreesOfFreedom, confidence) - studentT(degreesOfFreedom, confidence)
      assert.ok(below > -0.0001 && below <= error, `${below} below at ${degreesOfFreedom}`)
    }
  })
}

test('refuses fewer than 2 degrees of freedom', () => {
  assert.throws(() => studentT(1.99), /at least 2 degrees of freedom, got 1.99/)
  assert.throws(() => studentT(Number.NaN), RangeError)
})

/** With T = sqrt(df) tan(angle) the density is a power of the cosine, so the two sides are a quotient of integrals. */
function exactStudentT(degreesOfFreedom: number, confidence: number): number {
  const wanted = confidence * integrateCosine(Math.PI / 2, degreesOfFreedom - 1)
  let low = 0
  let high = Math.PI / 2
  for (let step = 0; step < 32; step++) {
    const middle = (low + high) / 2
    if (integrateCosine(middle, degreesOfFreedom - 1) < wanted) low = middle
    else high = middle
  }
  return Math.sqrt(degreesOfFreedom) * Math.tan(low)
}

/** Simpson's rule. */
function integrateCosine(to: number, power: number): number {
  const steps = 2_000
  let sum = 0
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2
    sum += weight * Math.max(0, Math.cos((i * to) / steps)) ** power
  }
  return (sum * to) / steps / 3
}
