/** The view `usage_share`: the formula to 1e-6, its masks, and that nobody under 11 households can be read or computed. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { describe, test } from 'node:test'

import { queryShare, type ShareParameters, type ShareRow } from '../../../services/report/share.ts'
import { shareInterval } from '../../../services/shared/domain/share-interval.ts'
import { MIN_HOUSEHOLDS, suppressedCells } from '../../../services/shared/domain/suppression.ts'
import { viewsDatabase } from '../../../services/shared/io/settings.ts'
import { assertNothingComputable, householdsTogether } from '../../support/nothing-computable.ts'
import { createRandom, randomUsage } from '../../support/random-usage.ts'
import { shareVectors } from '../../support/share-vectors.ts'
import { viewsCase, type UsageRow, type ViewsCase } from '../../support/views-case.ts'

const all = { product: '', cohort: '', country: '', plans: 'any' }
const january = { from: '2026-01-01', to: '2026-01-31', days: 31, note: '' }
const place = {
  ...{ day: '2026-01-05', cohort_month: '2025-12-01', country: 'US', plans: '' },
  taxonomy_version: 1,
}

test('equals the reference vectors, and the TypeScript masks of them, to 1e-6', async (t) => {
  const work = await viewsCase(t)
  await work.insertUsage(
    shareVectors.flatMap(({ requests, monetised }, vector) =>
      requests.flatMap((x, bucket) => {
        // Twenty households a bucket, so that nothing is suppressed.
        const household_ids = Array.from({ length: 20 }, (_, index) => vector * 10_000 + bucket * 20 + index)
        const row = { ...place, product: `vector${vector}`, bucket, household_ids }
        const y = monetised[bucket]!
        return [
          { ...row, value_class: 'direct', requests: y },
          { ...row, value_class: 'free', requests: x - y },
        ].filter((one) => one.requests > 0)
      }),
    ),
  )
  const { rows } = await queryShare(work.analyst, work.database, {
    window: january,
    parameters: { ...all, by: ['product'] },
  })
  assert.equal(rows.length, shareVectors.length)
  for (const [index, row] of rows.entries()) {
    const { name, requests, monetised, share, low, high } = shareVectors[index]!
    const shown = shareInterval({ requests, monetised })
    assertClose(row.strict_share, share, name)
    assertClose(row.strict_high, high, name)
    assertClose(row.strict_low, shown.low === null ? null : low, name)
    assert.equal(row.strict_quality, shown.quality, name)
    assertClose(row.broad_share, share, name)
    assertClose(row.broad_high, high, name)
  }
})

test('not_a_request is in no denominator, failed and unclassified requests are', async (t) => {
  const work = await viewsCase(t)
  const counts = { direct: 1, assisted: 2, entitlement: 3, free: 10, unclassified: 4, not_a_request: 1_000 }
  await work.insertUsage(
    Object.entries(counts).flatMap(([value_class, requests]) =>
      Array.from({ length: 20 }, (_, bucket) => ({
        ...{ ...place, product: 'echo', value_class, requests, bucket, household_ids: [bucket, bucket + 100] },
      })),
    ),
  )
  const { rows } = await queryShare(work.analyst, work.database, { window: january, parameters: { ...all, by: [] } })
  assert.deepEqual(
    rows.map(({ requests, households, strict_share, broad_share }) => [
      requests,
      households,
      strict_share,
      broad_share,
    ]),
    [[400, 40, 0.05, 0.3]],
  )
})

test('a question in which cohorts play no part reads the small roll-up, any other the one by cohort', async (t) => {
  const work = await viewsCase(t)
  const ids = (bucket: number) => [bucket, bucket + 100]
  await work.insertUsage(
    Array.from({ length: 20 }, (_, bucket) => ({
      ...{ ...place, product: 'echo', value_class: 'free', requests: 1, bucket, household_ids: ids(bucket) },
    })),
  )
  // Ten times as much in one of them tells them apart.
  await work.pipeline.command(
    `INSERT INTO ${work.database}.usage_by_product_daily SELECT * REPLACE(requests * 9 AS requests)
     FROM ${work.database}.usage_by_product_daily`,
    {},
    { insert_deduplicate: 0 },
  )
  const small: Partial<ShareParameters>[] = [{}, { by: ['product', 'day'] }, { product: 'echo' }, { by: ['day'] }]
  const cohorts: Partial<ShareParameters>[] = [
    ...[{ by: ['cohort_month'] }, { by: ['product', 'country'] }, { by: ['plans', 'day'] }],
    ...[{ cohort: '2025-12' }, { country: 'US' }, { plans: '' }, { product: 'echo', country: 'US' }],
  ] as const
  for (const [asked, requests] of [
    ...small.map((one) => [one, 200] as const),
    ...cohorts.map((one) => [one, 20] as const),
  ]) {
    const { rows } = await queryShare(work.analyst, work.database, {
      window: january,
      parameters: { ...all, by: [], ...asked },
    })
    assert.deepEqual(
      rows.map((row) => row.requests),
      [requests],
      JSON.stringify(asked),
    )
  }
})

describe('on random data', () => {
  const seed = Number(process.env['USAGE_SEED'] ?? randomInt(2 ** 31))

  test('equals the TypeScript in figures, masks and suppression; nothing small can be computed', async (t) => {
    t.diagnostic(`USAGE_SEED=${seed}`)
    const random = createRandom(seed)
    const work = await viewsCase(t)
    const seen = { cells: 0, hidden: 0, hiddenBeside: 0, qualities: new Set<string>() }
    for (const [round, households] of [30, 120, 600].entries()) {
      const options = { households, buckets: round === 1 ? 3 : 64, secondTaxonomy: round !== 0 }
      const { usage } = randomUsage(random, options)
      await work.emptyUsage()
      await work.insertUsage(usage)
      for (const parameters of asked) {
        await assertAsInTypeScript(work, usage, parameters, seen)
      }
      // Blanks and empty names in `by` change nothing: the first dimension is the parent still, in which small cells are protected.
      const [plain, odd] = await Promise.all(
        ['product,cohort_month', ', product,,cohort_month,'].map((by) =>
          work.analyst.rows(
            `SELECT product, cohort_month, taxonomy_version, suppressed FROM ${viewsDatabase(work.database)}.usage_share(
               from = {from:Date}, to = {to:Date}, by = {by:String}, product = '', cohort = '', country = '', plans = 'any')
             ORDER BY ALL`,
            { from: january.from, to: january.to, by },
          ),
        ),
      )
      assert.ok(plain!.length > 0)
      assert.deepEqual(odd, plain)
    }
    assert.ok(seen.hidden > 20 && seen.hiddenBeside > 0 && seen.cells > 5 * seen.hiddenBeside, JSON.stringify(seen))
    assert.deepEqual(seen.qualities, new Set(['ok', 'wide', 'insufficient']))
  })
})

const asked: readonly ShareParameters[] = [
  { ...all, by: [] },
  { ...all, by: ['product'] },
  { ...all, by: ['product', 'cohort_month'] },
  { ...all, by: ['country', 'plans', 'product'] },
  { ...all, by: ['day', 'country'] },
  { ...all, by: ['product', 'cohort_month', 'country', 'plans', 'day'] },
  { ...all, by: ['cohort_month'], product: 'echo', plans: '' },
  { ...all, by: ['product'], cohort: '2025-12', country: 'US' },
  // Each dimension and filter by itself: they say which roll-up is read.
  { ...all, by: ['product', 'day'], product: 'echo' },
  { ...all, by: ['cohort_month'] },
  { ...all, by: ['country'] },
  { ...all, by: ['plans'] },
  { ...all, by: [], cohort: '2025-12' },
  { ...all, by: [], country: 'US' },
  { ...all, by: [], plans: '' },
]

interface ExpectedCell {
  readonly keys: readonly string[]
  readonly parent: string
  readonly taxonomyVersion: number
  readonly x: Float64Array
  readonly strict: Float64Array
  readonly broad: Float64Array
  readonly ids: Set<number>
  households: number
}

const dimensions = ['product', 'cohort_month', 'country', 'plans', 'day'] as const

async function assertAsInTypeScript(
  work: ViewsCase,
  usage: readonly UsageRow[],
  parameters: ShareParameters,
  seen: { cells: number; hidden: number; hiddenBeside: number; qualities: Set<string> },
): Promise<void> {
  const { rows } = await queryShare(work.analyst, work.database, { window: january, parameters })
  const cells = expectedCells(usage, parameters)
  const hidden = suppressedCells(cells, householdsTogether)
  const where = JSON.stringify(parameters)
  assert.deepEqual(
    rows.map((row) => [...dimensions.map((name) => row[name]), row.taxonomy_version]),
    cells.map(({ keys, taxonomyVersion }) => [...keys, taxonomyVersion]),
    where,
  )
  assert.deepEqual(
    rows.map((row) => row.suppressed !== 0),
    hidden,
    where,
  )
  for (const [index, cell] of cells.entries()) {
    const row = rows[index]!
    seen.cells++
    if (hidden[index] === true) {
      seen.hidden++
      seen.hiddenBeside += cell.households >= MIN_HOUSEHOLDS ? 1 : 0
      assert.ok(
        figures.every((name) => row[name] === null),
        where,
      )
    } else {
      assertFigures(row, cell, where)
      seen.qualities.add(row.strict_quality!)
    }
  }
  assertNothingComputable(cells, hidden, where)
}

const figures = [
  ...(['requests', 'households', 'strict_share', 'strict_low', 'strict_high', 'strict_quality'] as const),
  ...(['broad_share', 'broad_low', 'broad_high', 'broad_quality'] as const),
] as const

function expectedCells(
  usage: readonly UsageRow[],
  { by, product, cohort, country, plans }: ShareParameters,
): ExpectedCell[] {
  const cells = new Map<string, ExpectedCell>()
  for (const row of usage) {
    const isAsked =
      row.value_class !== 'not_a_request' &&
      (product === '' || row.product === product) &&
      (country === '' || row.country === country) &&
      (plans === 'any' || row.plans === plans) &&
      (cohort === '' || row.cohort_month === `${cohort}-01`)
    if (!isAsked) {
      continue
    }
    const values = { ...row, cohort_month: row.cohort_month.slice(0, 7) }
    const keys = dimensions.map((name) => (by.includes(name) ? values[name] : ''))
    const key = [...keys, row.taxonomy_version].join('|')
    const cell: ExpectedCell = cells.get(key) ?? {
      ...{ keys, parent: by[0] === undefined ? '' : values[by[0]], taxonomyVersion: row.taxonomy_version },
      ...{ x: new Float64Array(64), strict: new Float64Array(64), broad: new Float64Array(64) },
      ...{ ids: new Set<number>(), households: 0 },
    }
    cells.set(key, cell)
    cell.x[row.bucket]! += row.requests
    cell.strict[row.bucket]! += row.value_class === 'direct' ? row.requests : 0
    cell.broad[row.bucket]! += ['direct', 'assisted', 'entitlement'].includes(row.value_class) ? row.requests : 0
    row.household_ids.forEach((id) => cell.ids.add(id))
    cell.households = cell.ids.size
  }
  const order = ({ keys, taxonomyVersion }: ExpectedCell) => [...keys, String(taxonomyVersion)].join('\0')
  return [...cells.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

function assertFigures(row: ShareRow, cell: ExpectedCell, where: string): void {
  assert.equal(row.households, cell.households, where)
  assert.ok(cell.households >= MIN_HOUSEHOLDS, where)
  assert.equal(
    row.requests,
    cell.x.reduce((sum, one) => sum + one, 0),
    where,
  )
  for (const kind of ['strict', 'broad'] as const) {
    const expected = shareInterval({ requests: cell.x, monetised: cell[kind] })
    assert.equal(row[`${kind}_quality`], expected.quality, where)
    assertClose(row[`${kind}_share`], expected.share, where)
    assertClose(row[`${kind}_low`], expected.low, where)
    assertClose(row[`${kind}_high`], expected.high, where)
  }
}

function assertClose(found: number | null, wanted: number | null, where: string): void {
  assert.ok(
    found === wanted || (found !== null && wanted !== null && Math.abs(found - wanted) < 1e-6),
    `${where}: ${found} is not ${wanted}`,
  )
}
