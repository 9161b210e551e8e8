import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseClaimsFlags } from '../../../services/impact/claims-flags.ts'

test('needs nothing, and product is always a dimension', () => {
  assert.deepEqual(parseClaimsFlags({}), { by: [], format: 'table' })
  assert.deepEqual(parseClaimsFlags({ by: 'product,line, year,line' }).by, ['line', 'year'])
})

for (const [given, sentence] of [
  [{ by: 'country' }, '--by has no dimension country; there are product, cohort_month, line, year'],
  [{ currency: 'usd' }, '--currency must be three capital letters as USD'],
  [{ from: '2020-02-30' }, '--from must be a day as 2026-03-31'],
  [{ from: '2020-02-03', to: '2020-02-02' }, '--from 2020-02-03 is a day after --to 2020-02-02'],
  [{ format: 'xml' }, '--format must be table, json, csv'],
] as const) {
  test(`refuses ${JSON.stringify(given)}`, () => {
    assert.throws(() => parseClaimsFlags(given), { message: `impact claims: ${sentence}` })
  })
}
