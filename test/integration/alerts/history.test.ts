/** Made histories: the same rows from the same seed, however the days are cut; and each planted change stands in the sums. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { fillAlertHistory, type AlertHistory } from '../../../services/local/alert-history.ts'
import type { HistoryChange } from '../../../services/local/history-changes.ts'
import { demoCohorts, type HistoryCohorts } from '../../../services/local/history-cohorts.ts'
import { queryShare } from '../../../services/report/share.ts'
import { viewsCase, type ViewsCase } from '../../support/views-case.ts'

/** A Monday. */
const firstDay = '2026-01-05'
const day = (index: number) => new Date(Date.parse(firstDay) + index * 86_400_000).toISOString().slice(0, 10)
const small = { ...demoCohorts(firstDay), countries: { US: 1_500, DE: 1_000 } }
const plain = { seed: 7, cohorts: small, changes: [] }

/**
 * Standard errors that a measured figure may be off: a few buyers who ask a lot give strict shares a longer tail than a normal
 * one. All seeds are fixed, so what passes once passes for good.
 */
const sigmas = 5

test('gives the same rows for the same seed, whole or a day at a time, in any order', async (t) => {
  const days = 10
  // A change and a mix in it, so that a day's factors must not depend on the days made beside it.
  const changes: HistoryChange[] = [
    { kind: 'drift', from: day(2), to: day(8), perDay: -0.05 },
    { kind: 'mix', from: day(4), to: day(6), fromProduct: 'echo', toProduct: 'fire_tv', moved: 0.4 },
  ]
  const whole = await filled(t, { ...plain, changes, firstDay, days })
  const apart = await viewsCase(t)
  for (const index of [8, 3, 0, 5, 9, 1, 7, 2, 6, 4]) {
    await fill(apart, { ...plain, changes, firstDay: day(index), days: 1 })
  }
  const other = await filled(t, { ...plain, changes, firstDay, days, seed: 8 })
  const rows = await rowsOf(whole)
  assert.equal(new Set(rows.map((row) => row.day)).size, days)
  assert.deepEqual(await rowsOf(apart), rows)
  assert.notDeepEqual(await rowsOf(other), rows)
})

test('refuses days that have rows, and changes of nobody', async (t) => {
  const work = await filled(t, { ...plain, firstDay, days: 2 })
  await assert.rejects(fill(work, { ...plain, firstDay: day(1), days: 2 }), /has rows of 2026-01-06 already/)
  const france: HistoryChange = { kind: 'volume', from: firstDay, to: firstDay, country: 'FR', factor: 2 }
  await assert.rejects(fill(work, { ...plain, changes: [france], firstDay: day(5), days: 1 }), /lives in FR/)
  await assert.rejects(fill(work, { ...plain, firstDay: '2026-02-30', days: 1 }), /not 2026-02-30/)
  await fill(work, { ...plain, firstDay: day(2), days: 1 })
})

test('has the shares, requests and households of the model where nothing changes', async (t) => {
  const days = 28
  const cohorts = { ...small, countries: { US: 20_000, DE: 20_000 } }
  const work = await filled(t, { seed: 11, cohorts, changes: [], firstDay, days, noise: 0 })
  const sums = await sumsBy(work, 'product')
  for (const { product, broad, strict } of cohorts.products) {
    const { requests, direct, monetised } = sums.get(product)!
    const households = 40_000 * weightOf(cohorts, product)
    // Shares of requests are means of tastes weighted by rates: the log-normal's weights leave H / exp(sigma^2) households,
    // because over 28 days nothing else varies as much.
    const effective = households / Math.exp(1.297 ** 2)
    // 3 % of households with Beta(1, 2), whose mean square is 1/6, and Beta(3p, 3(1 - p)), whose variance is p(1 - p) / 4.
    const strictVariance = strict / 2 - strict ** 2
    const close = [
      [`strict share of ${product}`, direct / requests, strict, Math.sqrt(strictVariance / effective)],
      [
        `broad share of ${product}`,
        monetised / requests,
        broad,
        Math.sqrt((strictVariance + (broad * (1 - broad)) / 4) / effective),
      ],
      [
        `requests of ${product} per household and day`,
        requests / households / days,
        0.6 * 10 * Math.exp(1.297 ** 2 / 2),
        (0.6 * 10 * Math.exp(1.297 ** 2 / 2)) / Math.sqrt(effective),
      ],
    ] as const
    for (const [what, measured, expected, error] of close) {
      assertNear(t, what, { measured, expected, error })
    }
  }
  const { rows } = await queryShare(work.analyst, work.database, {
    window: { from: firstDay, to: day(days - 1), days, note: '' },
    parameters: { by: [], product: '', cohort: '', country: '', plans: 'any' },
  })
  // Active at least once in 28 days is nearly everyone; uniqCombined64 counts to about half a per cent.
  assert.ok(Math.abs(rows[0]!.households! / 40_000 - 1) < 0.02, `${rows[0]!.households} households`)
  assert.equal(rows[0]!.broad_quality, 'ok')
  const byDay = [...(await sumsBy(work, 'day')).values()].map(({ requests }) => requests)
  const others = { usage_by_product_daily: "value_class != 'not_a_request'", households_by_cohort_daily: 'true' }
  for (const [table, where] of Object.entries(others)) {
    const sums = await work.pipeline.rows<{ requests: number }>(
      `SELECT sum(o.requests) AS requests FROM ${work.database}.${table} AS o WHERE ${where} GROUP BY day ORDER BY day`,
    )
    assert.deepEqual(
      byDay,
      sums.map(({ requests }) => requests),
      `${table} counts the same requests`,
    )
  }
})

test('holds each planted change with its size, and nothing else', async (t) => {
  const days = 35
  const cohorts = { ...small, countries: { US: 20_000, DE: 20_000 } }
  const week2 = { from: day(7), to: day(13) }
  const week4 = { from: day(21), to: day(27) }
  const driftDays = 28
  const changes: HistoryChange[] = [
    { kind: 'broad_share', ...week2, country: 'DE', factor: 0.8 },
    { kind: 'mix', ...week2, country: 'US', fromProduct: 'echo', toProduct: 'fire_tv', moved: 0.4 },
    { kind: 'missing', day: day(16) },
    { kind: 'missing', day: day(17), country: 'DE', product: 'ring' },
    { kind: 'volume', ...week4, country: 'DE', product: 'ring', factor: 0.5 },
    { kind: 'strict_share', ...week4, country: 'DE', factor: 0.5 },
    { kind: 'drift', from: day(7), to: day(6 + driftDays), country: 'US', product: 'kindle', perDay: -0.004 },
  ]
  const base = await filled(t, { seed: 3, cohorts, changes: [], firstDay, days })
  const changed = await filled(t, { seed: 3, cohorts, changes, firstDay, days })
  // Households, days and shock are the same in both, so a ratio of shares is off by the Poisson numbers alone.
  const compare = async (where: string) => {
    const [before, after] = [await sumsOf(base, where), await sumsOf(changed, where)]
    return {
      ...{ before, after },
      broad: after.monetised / after.requests / (before.monetised / before.requests),
      broadError: Math.sqrt(1 / before.monetised + 1 / after.monetised),
      strict: after.direct / after.requests / (before.direct / before.requests),
      strictError: Math.sqrt(1 / before.direct + 1 / after.direct),
      volume: after.requests / before.requests,
      volumeError: Math.sqrt(1 / before.requests + 1 / after.requests),
    }
  }
  const within = ({ from, to }: { from: string; to: string }, rest: string) =>
    `day BETWEEN '${from}' AND '${to}' AND ${rest}`

  await t.test('a drop of the broad share, the strict share as it was', async (t) => {
    for (const product of ['echo', 'fire_tv', 'kindle', 'ring']) {
      const found = await compare(within(week2, `country = 'DE' AND product = '${product}'`))
      assert.equal(found.after.direct, found.before.direct)
      // The direct requests stay, which the others make up for as if they were the model's part of the broad share: a sixth on
      // echo, where 10,000 households are 10 % or so off, which is 0.4 points of the drop.
      const error = Math.hypot(found.broadError, product === 'echo' ? 0.004 : 0.0005)
      assertNear(t, `broad share of ${product} in DE`, { measured: found.broad, expected: 0.8, error })
    }
  })

  await t.test('a mix that moves requests and leaves shares within a product', async (t) => {
    const echo = await compare(within(week2, "country = 'US' AND product = 'echo'"))
    const tv = await compare(within(week2, "country = 'US' AND product = 'fire_tv'"))
    const all = await compare(within(week2, "country = 'US'"))
    assertNear(t, 'requests on echo', { measured: echo.volume, expected: 0.6, error: echo.volumeError })
    const expected = 1 + (0.4 * echo.before.requests) / tv.before.requests
    assertNear(t, 'requests on fire_tv', { measured: tv.volume, expected, error: expected * tv.volumeError })
    assertNear(t, 'requests in US', { measured: all.volume, expected: 1, error: all.volumeError })
    assertNear(t, 'broad share of echo', { measured: echo.broad, expected: 1, error: echo.broadError })
    // Those who came have tastes of their own: 10,000 echo households with weight 0.4 beside 4,000 with weight 1.
    const effective = (10_000 * 0.4 + 4_000) ** 2 / (10_000 * 0.16 + 4_000) / Math.exp(1.297 ** 2)
    const [there, before] = [effective, 4_000 / Math.exp(1.297 ** 2)]
    const error = Math.sqrt((0.35 * 0.65) / 4 / there + (0.35 * 0.65) / 4 / before) / 0.35
    assertNear(t, 'broad share of fire_tv', { measured: tv.broad, expected: 1, error })
    assert.ok(all.broad > 1.2, `the share over all products rose by ${all.broad}`)
  })

  await t.test('days without rows', async () => {
    for (const table of ['usage_by_cohort_daily', 'households_by_cohort_daily']) {
      const rows = await changed.pipeline.rows<{ day: string; ring: number }>(
        `SELECT toString(day) AS day, countIf(country = 'DE' AND product = 'ring') AS ring
         FROM ${changed.database}.${table} GROUP BY day ORDER BY day`,
      )
      const there = Array.from({ length: days }, (_, index) => day(index)).filter((each) => each !== day(16))
      assert.deepEqual(
        rows.map((row) => row.day),
        there,
      )
      assert.deepEqual(
        rows.filter((row) => row.ring === 0).map((row) => row.day),
        [day(17)],
      )
    }
  })

  await t.test('half of the requests, half of the strict share, the broad share as it was', async (t) => {
    const ring = await compare(within(week4, "country = 'DE' AND product = 'ring'"))
    assertNear(t, 'requests on ring', { measured: ring.volume, expected: 0.5, error: ring.volumeError })
    const germany = await compare(within(week4, "country = 'DE' AND product != 'ring'"))
    assertNear(t, 'strict share in DE', { measured: germany.strict, expected: 0.5, error: germany.strictError })
    assertNear(t, 'broad share in DE', { measured: germany.broad, expected: 1, error: germany.broadError })
  })

  await t.test('a drift, compounded from its first day on', async (t) => {
    const where = `product = 'kindle' AND country = 'US' AND day BETWEEN '${day(7)}' AND '${day(6 + driftDays)}'`
    const [before, after] = [await sumsBy(base, 'day', where), await sumsBy(changed, 'day', where)]
    const points = [...after].map(([each, sums]) => ({
      x: (Date.parse(each) - Date.parse(day(6))) / 86_400_000,
      y: Math.log(sums.monetised / sums.requests / (before.get(each)!.monetised / before.get(each)!.requests)),
      error: 1 / sums.monetised + 1 / before.get(each)!.monetised,
    }))
    assert.equal(points.length, driftDays - 1)
    // The line through no change on the day before, by least squares.
    const squares = points.reduce((sum, { x }) => sum + x * x, 0)
    const measured = points.reduce((sum, { x, y }) => sum + x * y, 0) / squares
    const error = Math.sqrt(points.reduce((sum, { x, error }) => sum + x * x * error, 0)) / squares
    // As above, the direct requests (a thirtieth of kindle's) stay.
    assertNear(t, 'drift a day', { measured, expected: Math.log(0.996), error: Math.hypot(error, 0.00002) })
  })

  await t.test('elsewhere, the rows of the base', async () => {
    const untouched = `NOT (country = 'DE' AND (day BETWEEN '${day(7)}' AND '${day(13)}' OR day BETWEEN '${day(21)}' AND '${day(27)}'
        OR day = '${day(17)}' AND product = 'ring'))
      AND NOT (country = 'US' AND product IN ('echo', 'fire_tv') AND day BETWEEN '${day(7)}' AND '${day(13)}')
      AND NOT (country = 'US' AND product = 'kindle' AND day BETWEEN '${day(7)}' AND '${day(6 + driftDays)}')
      AND day != '${day(16)}'`
    const same = await digest(base, untouched)
    assert.ok(same.rows > 100_000, `${same.rows} rows`)
    assert.deepEqual(await digest(changed, untouched), same)
  })
})

test('shocks all shares of a day alike, by the noise that is asked for', async (t) => {
  const days = 70
  const cohorts = { ...small, countries: { US: 4_000 } }
  const [calm, noisy] = [
    await filled(t, { seed: 5, cohorts, changes: [], firstDay, days, noise: 0 }),
    await filled(t, { seed: 5, cohorts, changes: [], firstDay, days, noise: 0.1 }),
  ]
  const [before, after] = [await sumsBy(calm, 'day'), await sumsBy(noisy, 'day')]
  const shocks = [...after].map(([each, { monetised }]) => monetised / before.get(each)!.monetised - 1)
  const measured = Math.sqrt(shocks.reduce((sum, shock) => sum + shock ** 2, 0) / days)
  assertNear(t, 'standard deviation of the day shocks', { measured, expected: 0.1, error: 0.1 / Math.sqrt(2 * days) })
})

interface Sums {
  readonly requests: number
  readonly direct: number
  readonly monetised: number
}

const sumsSql = `sum(u.requests) AS requests, sumIf(u.requests, value_class = 'direct') AS direct,
  sumIf(u.requests, value_class IN ('direct', 'assisted', 'entitlement')) AS monetised`

async function sumsBy(work: ViewsCase, by: string, where = '1'): Promise<Map<string, Sums>> {
  const rows = await work.pipeline.rows<Sums & { key: string }>(
    `SELECT toString(${by}) AS key, ${sumsSql} FROM ${work.database}.usage_by_cohort_daily AS u
     WHERE value_class != 'not_a_request' AND (${where}) GROUP BY key ORDER BY key`,
  )
  return new Map(rows.map(({ key, ...sums }) => [key, sums]))
}

async function sumsOf(work: ViewsCase, where: string): Promise<Sums> {
  return (await sumsBy(work, '1', where)).get('1')!
}

async function digest(work: ViewsCase, where: string): Promise<{ rows: number; hash: string }> {
  const [found] = await work.pipeline.rows<{ rows: number; hash: string }>(
    `SELECT count() AS rows, toString(groupBitXor(cityHash64(*))) AS hash
     FROM (SELECT * FROM ${work.database}.usage_by_cohort_daily FINAL WHERE ${where})`,
  )
  return found!
}

/** A day's rows of both tables as numbers that change with any of them. */
function rowsOf({ pipeline, database }: ViewsCase) {
  return pipeline.rows<{ day: string }>(
    `SELECT day, usage, usage_rows, households, requests FROM
     (SELECT day, toString(groupBitXor(cityHash64(*))) AS usage, count() AS usage_rows
      FROM (SELECT * FROM ${database}.usage_by_cohort_daily FINAL) GROUP BY day) AS a
     JOIN
     (SELECT day, sum(h.requests) AS requests, groupArray((product, cohort_month, country, plans, h.requests, people)) AS households
      FROM (SELECT * EXCEPT households, finalizeAggregation(households) AS people
            FROM ${database}.households_by_cohort_daily FINAL ORDER BY product, cohort_month, country, plans) AS h
      GROUP BY day) AS b
     USING day ORDER BY day`,
  )
}

async function filled(t: TestContext, history: Omit<AlertHistory, 'database'>): Promise<ViewsCase> {
  const work = await viewsCase(t)
  await fill(work, history)
  return work
}

function fill({ pipeline, database }: ViewsCase, history: Omit<AlertHistory, 'database'>): Promise<void> {
  return fillAlertHistory(pipeline, { ...history, database })
}

function weightOf({ products }: HistoryCohorts, product: string): number {
  const all = products.reduce((sum, { weight }) => sum + weight, 0)
  return products.find((each) => each.product === product)!.weight / all
}

function assertNear(
  t: TestContext,
  what: string,
  { measured, expected, error }: { measured: number; expected: number; error: number },
) {
  const line = `${what}: ${measured.toPrecision(5)}, expected ${expected.toPrecision(5)}, ${((measured - expected) / error).toFixed(1)} standard errors of ${error.toPrecision(2)} off`
  t.diagnostic(line)
  assert.ok(Math.abs(measured - expected) <= sigmas * error, line)
}
