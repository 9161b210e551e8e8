import assert from 'node:assert/strict'
import { test } from 'node:test'

import { betaSlices } from '../../../services/local/beta-slices.ts'

test('has the mean of the distribution exactly and its spread nearly, from near nothing to near all', () => {
  for (const p of [0.01, 0.05, 0.2, 0.35, 0.5, 0.8, 0.99]) {
    const values = betaSlices(3 * p, 3 * (1 - p), 1_024)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    assert.ok(Math.abs(mean - p) < 1e-9, `mean of ${p}: ${mean}`)
    const spread = Math.sqrt(variance / ((p * (1 - p)) / 4))
    assert.ok(spread < 1 && spread > 0.998, `spread of ${p}: ${spread}`)
    assert.ok(
      values.every((value, index) => value >= 0 && value <= 1 && value >= (values[index - 1] ?? 0) - 1e-9),
      `${p} ascends within 0 and 1`,
    )
  }
})

test('equals the slices of distributions with a closed form', () => {
  // Beta(1, 1) is uniform; the slices of Beta(1, 2) follow from its quantile 1 - sqrt(1 - u).
  betaSlices(1, 1, 4).forEach((value, index) => assert.ok(Math.abs(value - (index + 0.5) / 4) < 1e-6, `${value}`))
  const moment = (u: number) => u - 1 + (2 / 3) * (1 - u) ** 1.5
  betaSlices(1, 2, 4).forEach((value, index) => {
    const expected = 4 * (moment(0.25 * (index + 1)) - moment(0.25 * index))
    assert.ok(Math.abs(value - expected) < 1e-5, `slice ${index}: ${value}, not ${expected}`)
  })
})
