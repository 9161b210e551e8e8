import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parse } from 'csv-parse/sync'

import { printPnl } from '../../../../services/impact/pnl/print.ts'
import { tableColumnsMax } from '../../../../services/shared/io/render.ts'
import { documentOf, plainFacts } from '../../../support/pnl-document.ts'

const unknown = plainFacts().effects.map((effect) => ({ ...effect, perOwner: null, whyNone: 'none', upToYear: null }))
const unbounded = plainFacts().effects.map(({ perOwner, ...effect }) => {
  const open = { ...perOwner!, low: -Infinity, high: Infinity }
  return { ...effect, perOwner: open, upToYear: open }
})

test('says both ways to count side by side, and what the figures rest on', () => {
  const said = printPnl(documentOf(plainFacts()), 'product', 'table')
  for (const line of [
    /^profit or loss of a device, 2017-11-01 to 2018-02-28: as claimed \(DSI\)/m,
    /^echo +40 +0 +10\.00 +0\.00 \(-6\.00 to 6\.00\) +month 2 +month 4$/m,
    /^cost of goods +-70\.00 +-2,800\.00 +-70\.00 +-2,800\.00$/m,
    /^downstream margin +30\.00 +1,200\.00 +20\.00 \(14\.00 to 26\.00\) +800\.00 \(560\.00 to 1,040\.00\)$/m,
    /^2017 +40 +40 +-800\.00 +400\.00 /m,
    /^assumed: a sentence of the file$/m,
    /^note: a note$/m,
    /^pays back: .* not discounted, 60 months at most$/m,
  ]) {
    assert.match(said, line)
  }
})

test('by cohort it has a line for each month of activation', () => {
  const said = printPnl(documentOf(plainFacts()), 'cohort', 'table')
  assert.match(said, /^2017-11 +20 +-400\.00 +200\.00 /m)
  assert.match(said, /^2017-12 +20 +-400\.00 +200\.00 /m)
})

for (const [name, effects, cell] of [
  ['an incremental margin that is not known is a dash', unknown, /^profit or loss +10\.00 +400\.00 +- +-$/m],
  [
    'one that nothing bounds has a question mark',
    unbounded,
    /^profit or loss +10\.00 +400\.00 +0\.00 \(\?\) +0\.00 \(\?\)$/m,
  ],
] as const) {
  test(name, () => {
    assert.match(printPnl(documentOf({ ...plainFacts(), effects }), 'product', 'table'), cell)
  })
}

test('a product of few households is named and nothing else', () => {
  const said = printPnl(documentOf(plainFacts('echo', 5)), 'product', 'table')
  assert.match(said, /^echo +suppressed +$|^echo +suppressed$/m)
  assert.doesNotMatch(said, /price/)
})

test('tables fit, also with large sums', () => {
  const facts = plainFacts('echo', 3_000_000)
  for (const by of ['product', 'cohort'] as const) {
    for (const line of printPnl(documentOf(facts), by, 'table')
      .split('\n')
      .filter((one) => / {3}/.test(one))) {
      assert.ok(line.length <= tableColumnsMax, line)
    }
  }
})

test('JSON is the document, and CSV has its figures in micro-units', () => {
  const document = documentOf(plainFacts())
  assert.deepEqual(JSON.parse(printPnl(document, 'product', 'json')), document)
  const rows = parse<Record<string, string>>(printPnl(document, 'cohort', 'csv'), { columns: true })
  const cohorts = document.products[0]!.cohorts
  assert.deepEqual(
    rows.map((row) => [row['cohort'], row['claimed_profit_micros'], row['incremental_profit_low_micros']]),
    cohorts.map(({ cohort, asClaimed, incremental }) => [cohort, asClaimed!.profitMicros, incremental!.profit.low]),
  )
  const [product] = parse<Record<string, string>>(printPnl(document, 'product', 'csv'), { columns: true })
  assert.equal(product!['price_micros'], document.products[0]!.lines!.priceMicros)
  assert.equal(product!['payback_month_incremental'], '4')
})
