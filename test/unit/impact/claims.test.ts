import assert from 'node:assert/strict'
import { test } from 'node:test'

import { rowsOf, totalsOf } from '../../../services/impact/claims.ts'
import { claimSumsOf, naiveOf } from '../../support/claim-sums.ts'

const credits = (last: bigint, equal: bigint, shapley: bigint) => ({
  creditMicros: { last_touch: last, equal_split: equal, shapley },
})
const all = claimSumsOf({
  ...{ product: '', orders: 30, marginMicros: 100n, claimedMicros: 150n, contestedMicros: 150n, distinctMicros: 60n },
  ...credits(40n, 40n, 90n),
})
const echo = claimSumsOf({
  ...{ product: 'echo', claimedMicros: 90n, contestedMicros: 150n, distinctMicros: 60n },
  ...credits(50n, 35n, 4n),
})
const ring = claimSumsOf({ product: 'ring', claimedMicros: 60n, ...credits(10n, 25n, 6n) })

test('totals: credits and what is uncredited are the margin of all orders, claims may be more', () => {
  const totals = totalsOf([all, echo, ring])!
  assert.deepEqual(totals.creditMicros, { last_touch: 100n, equal_split: 100n, shapley: 100n })
  assert.equal(totals.marginMicros, 100n)
  assert.equal(totals.claimedMicros, 150n)
  assert.equal(totals.overClaimFactor, 2.5)
  assert.equal(totals.orders, 30)
})

test('totals of several lines are of all of them', () => {
  const split = [all, echo, ring].flatMap((one) => [
    { ...one, line: 'ads' },
    { ...one, line: 'music' },
  ])
  const totals = totalsOf(split)!
  assert.equal(totals.marginMicros, 200n)
  assert.equal(totals.creditMicros.shapley, 200n)
  assert.equal(totals.claims.given_back, 10)
})

test('there are no totals under 11 households, and none without orders', () => {
  assert.equal(totalsOf([{ ...all, households: 10 }, echo]), null)
  assert.equal(totalsOf([]), null)
})

test('no factor where refunds leave no margin that is claimed', () => {
  for (const distinctMicros of [0n, -5n]) {
    assert.equal(totalsOf([{ ...all, distinctMicros }])!.overClaimFactor, null)
  }
})

test('rows are products, then what is uncredited', () => {
  const rows = rowsOf([all, echo, ring], naiveOf({ echo: 500, ring: 300 }), [])
  assert.deepEqual(
    rows.map(({ product, figures }) => [product, figures?.owners, figures?.naive?.estimate]),
    [
      ['echo', 500, 12_300_000],
      ['ring', 300, 12_300_000],
      ['', null, undefined],
    ],
  )
})

test('a row under 11 households is hidden, and the smallest other one, which would give it away', () => {
  const kindle = claimSumsOf({ product: 'kindle', households: 10 })
  const rows = rowsOf(
    [all, echo, kindle, { ...ring, households: 90 }],
    naiveOf({ echo: 500, kindle: 10, ring: 300 }),
    [],
  )
  assert.deepEqual(
    rows.map(({ product, figures }) => [product, figures === null]),
    [
      ['echo', false],
      ['kindle', true],
      ['ring', true],
      ['', false],
    ],
  )
})

test('few owners hide a row, too, but not that there are none', () => {
  const hidden = (owners: number) =>
    rowsOf([all, echo, ring], naiveOf({ echo: owners, ring: 300 }), [])[0]!.figures === null
  assert.deepEqual([0, 1, 10, 11].map(hidden), [false, true, true, false])
})

test('a product that is owned and that no order says anything of has a row', () => {
  const rows = rowsOf([all, echo], naiveOf({ echo: 500, fire_tv: 40 }), [])
  const [, fireTv] = rows
  assert.equal(fireTv!.product, 'fire_tv')
  assert.deepEqual([fireTv!.figures!.claimedMicros, fireTv!.figures!.owners], [0n, 40])
  assert.equal(rowsOf([all, echo], naiveOf({ echo: 500, fire_tv: 40 }), ['line']).length, 2)
})
