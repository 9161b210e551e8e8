import assert from 'node:assert/strict'
import { test } from 'node:test'

import { rowsOf, totalsOf, type ClaimsReport } from '../../../services/impact/claims.ts'
import { printClaims } from '../../../services/impact/print-claims.ts'
import { tableColumnsMax } from '../../../services/shared/io/render.ts'
import { claimSumsOf, naiveOf } from '../../support/claim-sums.ts'

const large = 9_007_199_254_740_993n
const sums = [
  claimSumsOf({
    ...{ product: '', orders: 30, marginMicros: large, claimedMicros: 2n * large },
    ...{ contestedMicros: 2n * large, distinctMicros: large },
    creditMicros: { last_touch: 1n, equal_split: 1n, shapley: large },
  }),
  claimSumsOf({
    ...{ product: 'echo', claimedMicros: 2n * large, contestedMicros: 2n * large, distinctMicros: large },
    creditMicros: { last_touch: large - 1n, equal_split: large - 1n, shapley: 0n },
  }),
  claimSumsOf({ product: 'kindle' }),
]
const report: ClaimsReport = {
  ...{ from: '2020-01-01', to: '2020-12-31', currency: 'USD', by: [] },
  ...{ rows: rowsOf(sums, naiveOf({ echo: 500, kindle: 20 }), []), totals: totalsOf(sums) },
  refunds: { ordersRefundedTwice: 1_234, withoutOrder: 5 },
  otherCurrencies: [{ currency: 'QQQ', lines: 3, marginMicros: -1_500_000n }],
}

test('the table says whose figure is whose, and that it is observational', () => {
  const said = printClaims(report, 'table')
  for (const line of [
    /^claims on margin, 2020-01-01 to 2020-12-31 \(UTC\), USD bn, more in USD each; observational$/m,
    /^echo +500 +12\.30 \(11\.00 to 13\.60\) +18\.0 +2\.00 +9\.0 +9\.0 +0\.0$/m,
    /^uncredited +0\.0 +0\.0 +9\.0$/m,
    /^all +18\.0 +2\.00 +9\.0 +9\.0 +9\.0$/m,
    /margin of 30 lines of orders and refunds, 9,007,199,254\.740993 USD, to the micro-unit/,
    /1,234 lines of orders were taken back more than once; every refund counts/,
    /5 refunds are of no order that is stored/,
    /left out, because nothing here converts: 3 lines in QQQ, margin -1\.50/,
  ]) {
    assert.match(said, line)
  }
})

test('every line of the tables fits, split by all there is', () => {
  const by = ['cohort_month', 'line', 'year'] as const
  const split = sums.map((one) => ({ ...one, line: 'security_plan', year: '2020' }))
  const rows = rowsOf(split, naiveOf({ echo: 500, kindle: 20 }), by)
  const [tables] = printClaims({ ...report, by, rows }, 'table').split('\nmore: ')
  for (const line of tables!.split('\n')) {
    assert.ok(line.length <= tableColumnsMax, `${line.length}: ${line}`)
  }
  assert.match(tables!, /never owned/)
})

test('JSON keeps sums exact, as text, and hidden rows have no figures', () => {
  const hidden = { ...report, rows: report.rows.map((row) => ({ ...row, figures: null })), totals: null }
  const told = JSON.parse(printClaims(report, 'json')) as { rows: { figures: { claimedMicros: string } | null }[] }
  assert.equal(told.rows[0]!.figures!.claimedMicros, String(2n * large))
  const none = JSON.parse(printClaims(hidden, 'json')) as typeof told & { totals: null; notes: string[] }
  assert.deepEqual([none.rows[0]!.figures, none.totals], [null, null])
  assert.ok(none.notes.some((note) => note.startsWith('hidden: ')))
  assert.match(printClaims(hidden, 'table'), /^echo +hidden/m)
})

test('CSV has a line for each row, as wide as the head', () => {
  for (const one of [report, { ...report, rows: report.rows.map((row) => ({ ...row, figures: null })) }]) {
    const lines = printClaims(one, 'csv').trimEnd().split('\r\n')
    assert.equal(lines.length, 1 + report.rows.length + 1)
    assert.deepEqual(new Set(lines.map((line) => line.split(',').length)), new Set([lines[0]!.split(',').length]))
  }
  assert.match(printClaims(report, 'csv'), /^product,echo,USD,false,100,18014398509481986,2,9007199254740992,/m)
})
