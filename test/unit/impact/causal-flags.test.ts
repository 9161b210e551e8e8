import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseCausalFlags } from '../../../services/impact/causal-flags.ts'

test('takes products once each, and all of them when none is named', () => {
  assert.deepEqual(parseCausalFlags({}), { product: [], format: 'table' })
  assert.deepEqual(parseCausalFlags({ product: ['echo', 'ring', 'echo'] }).product, ['echo', 'ring'])
})

for (const [given, says] of [
  [{ product: ['Echo'] }, '--product must be names of a-z, 0-9 and _'],
  [{ product: [''] }, '--product must be names of a-z, 0-9 and _'],
  [{ line: 'e-books' }, '--line must be a name of a-z, 0-9 and _, at most 32 characters'],
  [{ currency: 'usd' }, '--currency must be three capital letters as USD'],
  [{ from: '2021-02-30' }, '--from must be a day as 2026-03-31'],
  [{ from: '2021-03-01', to: '2021-02-01' }, '--from 2021-03-01 is a day after --to 2021-02-01'],
  [{ format: 'csv' }, '--format must be table or json'],
] as const)
  test(`refuses: ${says}`, () => {
    assert.throws(() => parseCausalFlags(given), { message: `impact causal: ${says}`, code: 'usage_invalid' })
  })
