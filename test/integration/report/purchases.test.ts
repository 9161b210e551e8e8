/** The view `purchases`: right sums, and nobody under 11 households can be read or computed. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'

import { MIN_HOUSEHOLDS, suppressedCells } from '../../../services/shared/domain/suppression.ts'
import { assertNothingComputable, householdsTogether } from '../../support/nothing-computable.ts'
import { createRandom, randomUsage } from '../../support/random-usage.ts'
import { viewsCase, type PurchaseRow } from '../../support/views-case.ts'

interface Listed {
  readonly product: string
  readonly cohort_month: string
  readonly country: string
  readonly plans: string
  readonly day: string
  readonly currency: string
  readonly taxonomy_version: number
  readonly purchases: number | null
  readonly amount: string | null
  readonly households: number | null
  readonly suppressed: number
}

const dimensions = ['product', 'cohort_month', 'country', 'plans', 'day'] as const
const currencies: Record<string, string> = { US: 'USD', GB: 'GBP' }

const asked: readonly (readonly (typeof dimensions)[number][])[] = [
  ...[[], ['product'], ['plans', 'product'], ['cohort_month', 'country'], ['day', 'plans']],
  [...dimensions],
] as const

test('sums and suppression on random data, per currency', async (t) => {
  const seed = Number(process.env['USAGE_SEED'] ?? randomInt(2 ** 31))
  t.diagnostic(`USAGE_SEED=${seed}`)
  const work = await viewsCase(t)
  const { usage } = randomUsage(createRandom(seed), { households: 400, buckets: 64, secondTaxonomy: true })
  const purchases = usage
    .filter(({ value_class }) => value_class === 'direct' || value_class === 'assisted')
    .map(({ bucket: _, requests, ...row }): PurchaseRow => {
      const currency = currencies[row.country] ?? 'EUR'
      return { ...row, currency, purchases: requests, amount_micros: requests * 1_250_000 }
    })
  await work.insertPurchases(purchases)
  const seen = { cells: 0, hidden: 0, hiddenBeside: 0 }
  for (const by of asked) {
    const rows = await work.analyst.rows<Listed>(
      `SELECT * REPLACE(toString(amount) AS amount) FROM ${work.views}.purchases(from = '2026-01-01', to = '2026-01-31',
         by = {by:String}, product = '', cohort = '', country = '', plans = 'any')
       ORDER BY product, cohort_month, country, plans, day, currency, taxonomy_version`,
      { by: by.join(',') },
    )
    assertListed(rows, purchases, by, seen)
  }
  assert.ok(seen.hidden > 20 && seen.hiddenBeside > 0 && seen.cells > seen.hidden, JSON.stringify(seen))
})

test('purchases: money per currency, never summed over two; a small cell hides another of its currency', async (t) => {
  const work = await viewsCase(t)
  const ids = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index)
  const row = { day: '2026-01-05', cohort_month: '2025-12-01', plans: '', value_class: 'direct', taxonomy_version: 1 }
  const bought = (product: string, country: string, currency: string, household_ids: number[]) => ({
    ...{ ...row, product, country, currency, household_ids },
    ...{ purchases: household_ids.length, amount_micros: household_ids.length * 1_500_000 },
  })
  await work.insertPurchases([
    bought('echo', 'US', 'USD', ids(0, 40)),
    bought('ring', 'US', 'USD', ids(50, 20)),
    bought('kindle', 'US', 'USD', ids(100, 3)),
    bought('echo', 'DE', 'EUR', ids(200, 15)),
  ])
  const rows = await work.analyst.rows<Record<string, unknown>>(
    `SELECT product, currency, purchases, toString(amount) AS amount, households, suppressed
     FROM ${work.views}.purchases(from = '2026-01-01', to = '2026-01-31', by = 'product', product = '', cohort = '', country = '', plans = 'any')
     ORDER BY currency, product`,
  )
  const hidden = { purchases: null, amount: null, households: null, suppressed: 1 }
  assert.deepEqual(rows, [
    { product: 'echo', currency: 'EUR', purchases: 15, amount: '22.5', households: 15, suppressed: 0 },
    { product: 'echo', currency: 'USD', purchases: 40, amount: '60', households: 40, suppressed: 0 },
    { product: 'kindle', currency: 'USD', ...hidden },
    { product: 'ring', currency: 'USD', ...hidden },
  ])
})

function assertListed(
  rows: readonly Listed[],
  purchases: readonly PurchaseRow[],
  by: readonly (typeof dimensions)[number][],
  seen: { cells: number; hidden: number; hiddenBeside: number },
): void {
  const shown = (row: Record<(typeof dimensions)[number], string>) =>
    dimensions.map((name) => (!by.includes(name) ? '' : name === 'cohort_month' ? row[name].slice(0, 7) : row[name]))
  const keyOf = (row: PurchaseRow | Listed) => [...shown(row), row.currency, row.taxonomy_version].join('|')
  const cells = new Map(
    rows.map((row) => {
      const total = `${row.taxonomy_version} ${row.currency}`
      const keys = shown(row)
      const parent = by.length === 0 ? '' : keys[dimensions.indexOf(by[0]!)]!
      return [keyOf(row), { row, total, keys, parent, ids: new Set<number>(), bought: 0, micros: 0 }]
    }),
  )
  for (const row of purchases) {
    const cell = cells.get(keyOf(row))
    assert.ok(cell !== undefined, `${keyOf(row)} is listed`)
    cell.bought += row.purchases
    cell.micros += row.amount_micros
    row.household_ids.forEach((id) => cell.ids.add(id))
  }
  // A total is of one currency and one taxonomy, as two currencies are never summed.
  for (const [name, total] of Map.groupBy(cells.values(), (cell) => cell.total)) {
    const list = total.map((cell) => ({ ...cell, taxonomyVersion: 1, households: cell.ids.size }))
    const hidden = suppressedCells(list, householdsTogether)
    for (const [index, { row, bought, micros, households }] of list.entries()) {
      const { purchases: sum, amount, households: count, suppressed } = row
      assert.deepEqual(
        { sum, amount: amount === null ? null : Number(amount), count, suppressed },
        hidden[index] === true
          ? { sum: null, amount: null, count: null, suppressed: 1 }
          : { sum: bought, amount: micros / 1e6, count: households, suppressed: 0 },
        `${by.join(',')}: ${keyOf(row)}`,
      )
      seen.cells++
      seen.hidden += suppressed
      seen.hiddenBeside += suppressed === 1 && households >= MIN_HOUSEHOLDS ? 1 : 0
    }
    assertNothingComputable(list, hidden, `${by.join(',')} of ${name}`)
  }
}
