/** The view `top_intents`: right numbers, and nobody under 11 households can be read or computed. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'

import { printIntents, queryIntents } from '../../../services/report/intents.ts'
import { MIN_HOUSEHOLDS, suppressedCells } from '../../../services/shared/domain/suppression.ts'
import { householdsTogether } from '../../support/nothing-computable.ts'
import { createRandom, randomUsage } from '../../support/random-usage.ts'
import { viewsCase, type IntentUsageRow } from '../../support/views-case.ts'

interface ListedIntent {
  readonly product: string
  readonly country: string
  readonly intent: string
  readonly value_class: string
  readonly taxonomy_version: number
  readonly requests: number | null
  readonly households: number | null
  readonly share: number | null
  readonly suppressed: number
}

test('top_intents: numbers, denominators and suppression on random data', async (t) => {
  const seed = Number(process.env['USAGE_SEED'] ?? randomInt(2 ** 31))
  t.diagnostic(`USAGE_SEED=${seed}`)
  const work = await viewsCase(t)
  const { intents } = randomUsage(createRandom(seed), { households: 250, buckets: 64, secondTaxonomy: true })
  await work.insertIntents(intents)
  for (const by of [[], ['product'], ['product', 'country']] as ('product' | 'country')[][]) {
    const rows = await work.analyst.rows<ListedIntent>(
      `SELECT * FROM ${work.views}.top_intents(from = '2026-01-01', to = '2026-01-31', by = {by:String}, product = '', country = '', value_class = '')
       ORDER BY product, country, intent, value_class, taxonomy_version`,
      { by: by.join(',') },
    )
    assertListed(rows, intents, by)
    const direct = await work.analyst.rows<ListedIntent>(
      `SELECT * FROM ${work.views}.top_intents(from = '2026-01-01', to = '2026-01-31', by = {by:String}, product = '', country = '', value_class = 'direct')
       ORDER BY product, country, intent, value_class, taxonomy_version`,
      { by: by.join(',') },
    )
    assert.deepEqual(
      direct,
      rows.filter((row) => row.value_class === 'direct'),
    )
  }
})

test('the intents report lists at most so many of each class, in one order', async (t) => {
  const work = await viewsCase(t)
  const household_ids = Array.from({ length: 30 }, (_, id) => id)
  await work.insertIntents(
    ['a', 'b', 'c'].flatMap((intent, index) =>
      ['free', 'direct', 'not_a_request'].map((value_class) => ({
        ...{ day: '2026-01-05', product: 'echo', country: 'US', intent, value_class, taxonomy_version: 1 },
        ...{ requests: 10 * (index + 1), household_ids },
      })),
    ),
  )
  const report = await queryIntents(work.analyst, work.database, {
    window: { from: '2026-01-01', to: '2026-01-31', days: 31, note: 'as asked for' },
    parameters: { limit: 2, product: '', country: '', valueClass: '' },
  })
  assert.deepEqual(
    report.rows.map(({ value_class, intent, requests, share }) => [value_class, intent, requests, share]),
    [
      ['direct', 'c', 30, 0.25],
      ['direct', 'b', 20, 20 / 120],
      ['free', 'c', 30, 0.25],
      ['free', 'b', 20, 20 / 120],
      ['not_a_request', 'c', 30, null],
      ['not_a_request', 'b', 20, null],
    ],
  )
  assert.match(printIntents(report), /direct +c +30 +30 +25\.00 %/)
})

function assertListed(
  rows: readonly ListedIntent[],
  intents: readonly IntentUsageRow[],
  by: readonly ('product' | 'country')[],
): void {
  const keyOf = (row: Omit<ListedIntent, 'requests' | 'households' | 'share' | 'suppressed'>) =>
    [row.product, row.country, row.intent, row.value_class, row.taxonomy_version].join('|')
  const cells = new Map<string, { ids: Set<number>; requests: number; row: ListedIntent; parent: string }>()
  for (const row of rows) {
    cells.set(keyOf(row), { ids: new Set(), requests: 0, row, parent: `${row.product}|${row.country}` })
  }
  for (const row of intents) {
    const cell = cells.get(
      keyOf({
        ...row,
        product: by.includes('product') ? row.product : '',
        country: by.includes('country') ? row.country : '',
      }),
    )
    assert.ok(cell !== undefined, 'every intent is listed')
    cell.requests += row.requests
    row.household_ids.forEach((id) => cell.ids.add(id))
  }
  for (const counted of [true, false]) {
    const list = [...cells.values()]
      .filter(({ row }) => (row.value_class !== 'not_a_request') === counted)
      .map((cell) => ({ ...cell, taxonomyVersion: cell.row.taxonomy_version, households: cell.ids.size }))
    const hidden = suppressedCells(list, householdsTogether)
    for (const [index, { row, requests, households }] of list.entries()) {
      const where = `${by.join(',')} ${keyOf(row)}`
      assert.equal(row.suppressed !== 0, hidden[index], where)
      assert.equal(row.requests, hidden[index] === true ? null : requests, where)
      assert.equal(row.households, hidden[index] === true ? null : households, where)
    }
    for (const group of Object.values(Object.groupBy(list, (cell) => `${cell.taxonomyVersion} ${cell.parent}`))) {
      const shown = group!.filter(({ row }) => row.suppressed === 0)
      const gone = group!.filter(({ row }) => row.suppressed !== 0)
      const total = group!.reduce((sum, { requests }) => sum + requests, 0)
      for (const { row, requests } of shown) {
        assert.ok(counted ? Math.abs(row.share! - requests / total) < 1e-12 : row.share === null)
      }
      // requests / share is the list's total, so what is left of it must not be one intent, nor under 11 households.
      if (shown.length > 0 && gone.length > 0) {
        assert.ok(gone.length >= 2 && householdsTogether(gone) >= MIN_HOUSEHOLDS)
      }
    }
  }
}
