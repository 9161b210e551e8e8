import assert from 'node:assert/strict'
import { test } from 'node:test'

import { documentOf, plainFacts } from '../../../support/pnl-document.ts'

test('sums are whole micro-units as text, and costs are taken off', () => {
  const [echo] = documentOf(plainFacts()).products
  const { lines, asClaimed, incremental } = echo!
  assert.deepEqual(lines, {
    priceMicros: '2000000000',
    costOfGoodsMicros: '2800000000',
    freightMicros: '400',
    returnsMicros: '0',
    costToServeMicros: '0',
    deviceAloneMicros: '-800000400',
  })
  assert.deepEqual(asClaimed, { downstreamMicros: '1200000000', profitMicros: '399999600' })
  // 40 owners at the end of each year for 10 each, and the bounds of both years together are those of the second.
  assert.deepEqual(incremental!.downstream, { micros: '800000000', low: '560000000', high: '1040000000' })
  assert.deepEqual(incremental!.profit, { micros: '-400', low: '-240000400', high: '239999600' })
  assert.deepEqual(echo!.perDevice!.incremental, { micros: -10, low: -6_000_010, high: 5_999_990 })
})

test('months end in the total, a life in what a device comes to', () => {
  const [echo] = documentOf(plainFacts()).products
  assert.deepEqual(
    echo!.cumulative.map(({ month }) => month),
    ['2017-11', '2017-12', '2018-01', '2018-02'],
  )
  assert.equal(echo!.cumulative.at(-1)!.asClaimedMicros, echo!.asClaimed!.profitMicros)
  assert.deepEqual(echo!.cumulative.at(-1)!.incremental, echo!.incremental!.profit)
  assert.deepEqual(
    echo!.life.map(({ month }) => month),
    [1, 2, 3, 4],
  )
  assert.equal(echo!.seenMonths, 4)
})

test('a product of fewer than 11 households shows nothing', () => {
  const [echo] = documentOf(plainFacts('echo', 5)).products
  assert.deepEqual(
    { ...echo, years: [], cohorts: [] },
    {
      ...{ product: 'echo', suppressed: true, devices: null, returned: null, lines: null, asClaimed: null },
      ...{ incremental: null, perDevice: null, paybackMonth: null, seenMonths: 4 },
      ...{ years: [], cohorts: [], cumulative: [], life: [] },
    },
  )
  assert.ok(echo!.cohorts.every(({ suppressed }) => suppressed) && echo!.years.every(({ suppressed }) => suppressed))
})

test('a cohort of fewer than 11 households is hidden, and the one that would give it away', () => {
  const facts = plainFacts()
  const [large, small] = facts.sales
  const sales = [large!, { ...small!, households: 3, devices: 3 }, { ...large!, cohort: small!.cohort + 1 }]
  const [echo] = documentOf({ ...facts, sales }).products
  assert.deepEqual(
    echo!.cohorts.map(({ suppressed }) => suppressed),
    [true, true, false],
  )
  assert.equal(echo!.cohorts[1]!.lines, null)
  assert.equal(echo!.suppressed, false)
})

test('a year of few new households is hidden, and one without any is of its owners', () => {
  const facts = plainFacts()
  const [echo] = documentOf(facts).products
  assert.deepEqual(
    echo!.years.map(({ suppressed, owners }) => [suppressed, owners]),
    [
      [false, 40],
      [false, 40],
    ],
  )
  const late = { ...facts.sales[0]!, cohort: facts.sales[0]!.cohort + 2, households: 3, devices: 3 }
  const [few] = documentOf({ ...facts, sales: [...facts.sales, late] }).products
  assert.deepEqual(
    few!.years.map(({ suppressed }) => suppressed),
    [true, true],
  )
})
