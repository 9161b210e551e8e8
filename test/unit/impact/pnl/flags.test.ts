import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parsePnlFlags } from '../../../../services/impact/pnl/flags.ts'
import { complaintOf } from '../../../support/fault-of.ts'

test('a file is enough', () => {
  assert.deepEqual(parsePnlFlags('a.yaml', {}), { assumptions: 'a.yaml', by: 'product', format: 'table' })
})

for (const [file, given, sentence] of [
  ['', {}, '<assumptions> is no path'],
  ['a', { by: 'country' }, '--by must be product or cohort'],
  ['a', { from: '2017-02-30' }, '--from must be a day'],
  ['a', { from: '2018-01-01', to: '2017-01-01' }, '--from 2018-01-01 is a day after --to 2017-01-01'],
  ['a', { currency: 'dollar' }, '--currency must be three capital letters as USD'],
  ['a', { product: 'x'.repeat(65) }, '--product must be at most 64 characters'],
  ['a', { format: 'xml' }, '--format must be table, json, csv'],
] as const) {
  test(`refuses ${JSON.stringify(given)}: ${sentence}`, () => {
    const said = complaintOf('usage_invalid', () => parsePnlFlags(file, given))
    assert.ok(said.startsWith(`impact pnl: ${sentence}`), said)
  })
}
