import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { spread } from '../../../../services/impact/pnl/spread.ts'

test('parts are in proportion and cut to the micro-unit', () => {
  assert.deepEqual(spread(100n, [1n, 1n, 1n]), [33n, 33n, 34n])
  assert.deepEqual(spread(-100n, [1n, 1n, 1n]), [-33n, -33n, -34n])
  assert.deepEqual(spread(7n, [0n, 5n, 0n]), [0n, 7n, 0n])
})

test('parts add up to the sum exactly, have its sign, and differ from their share by less than one', () => {
  const micros = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n })
  const weights = fc
    .array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 60 })
    .filter((list) => list.some((weight) => weight > 0n))
  fc.assert(
    fc.property(micros, weights, (sum, list) => {
      const parts = spread(sum, list)
      const all = list.reduce((total, weight) => total + weight, 0n)
      assert.equal(
        parts.reduce((total, part) => total + part, 0n),
        sum,
      )
      parts.forEach((part, at) => {
        const off = part * all - sum * list[at]!
        assert.ok(off < all && -off < all && part * sum >= 0n, `${part} of ${sum}`)
      })
    }),
  )
})
