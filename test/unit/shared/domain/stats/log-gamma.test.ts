import assert from 'node:assert/strict'
import { test } from 'node:test'

import { logGamma } from '../../../../../services/shared/domain/stats/log-gamma.ts'

test('is the logarithm of factorials, and of the root of pi at a half', () => {
  let factorial = 1
  for (let n = 1; n <= 100; n++) {
    assert.ok(Math.abs(logGamma(n) - Math.log(factorial)) <= 1e-13 * Math.max(1, Math.log(factorial)), `${n}`)
    factorial *= n
  }
  assert.ok(Math.abs(logGamma(0.5) - Math.log(Math.PI) / 2) < 1e-13)
})
