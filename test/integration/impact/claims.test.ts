/** `impact claims` on the tables as they are, and the check of `audit` that its credits conserve the margin. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readClaimedByCohort } from '../../../services/impact/read-claims.ts'
import { findCreditFaults } from '../../../services/shared/pipeline/audit-credits.ts'
import { creditedOrders } from '../../../services/shared/pipeline/credit-sql.ts'
import { cliEnvironment } from '../../support/cli.ts'
import { creditModel, type CreditCase } from '../../support/credit-model.ts'
import { ecosystemCase } from '../../support/ecosystem-case.ts'
import type { DeviceRow, OrderRow } from '../../support/ecosystem-rows.ts'
import { randomEcosystem } from '../../support/random-ecosystem.ts'
import { createRandom } from '../../support/random-usage.ts'
import { runVerbHere } from '../../support/verb-here.ts'

test('the report', async (t) => {
  const work = await ecosystemCase(t)
  const { stack, database, pipeline } = work
  const env = { ...cliEnvironment(stack), CLICKHOUSE_DATABASE: database }
  const claims = (...words: string[]) => runVerbHere(['impact', 'claims', ...words], env)

  await t.test('says so where no orders are stored', async () => {
    const { code, stderr } = await claims()
    assert.equal(code, 2)
    assert.match(stderr, /no orders are stored yet; classify the stream ecosystem-orders first/)
  })

  const world = randomEcosystem(createRandom(5), { households: 150 })
  await work.fill(world)
  const model = creditModel(world)
  const days = ['--from', world.from, '--to', world.to]

  await t.test('refuses to add up two currencies, or one that is not there', async () => {
    const several = await claims(...days)
    assert.equal(several.code, 2)
    assert.match(several.stderr, /several currencies and nothing here converts; name one with --currency: USD, EUR/)
    const none = await claims(...days, '--currency', 'GBP')
    assert.equal(none.code, 2)
    assert.match(none.stderr, /no orders in GBP from 2020-01-11 to 2020-04-10; there are some in USD, EUR/)
  })

  await t.test('adds up to the margin of all orders under each method, whatever it is split by', async () => {
    const margin = [...model.keys()].reduce((sum, { marginMicros }) => sum + BigInt(marginMicros), 0n)
    for (const by of ['product', 'line', 'cohort_month', 'line,year']) {
      const { stdout, code } = await claims(...days, '--currency', 'USD', '--by', by, '--format', 'json')
      assert.equal(code, 0)
      const report = JSON.parse(stdout) as Report
      assert.equal(report.totals.marginMicros, String(margin))
      assert.deepEqual(Object.values(report.totals.creditMicros), Array(3).fill(String(margin)), by)
      assert.deepEqual(
        report.otherCurrencies.map(({ currency }) => currency),
        ['EUR'],
      )
    }
  })

  await t.test('is what the definitions say of each product', async () => {
    const { stdout } = await claims(...days, '--currency', 'USD', '--format', 'json')
    const { rows } = JSON.parse(stdout) as Report
    assert.deepEqual(
      rows.map(({ product }) => product),
      ['echo', 'fire_tv', 'kindle', 'nobodys', 'ring', ''],
    )
    for (const { product, figures } of rows) {
      const credited = [...model.values()]
      const of = (method: 'lastTouch' | 'equalSplit' | 'shapley') =>
        String(credited.reduce((sum, one) => sum + (one[method].get(product) ?? 0n), 0n))
      assert.deepEqual(
        figures.creditMicros,
        { last_touch: of('lastTouch'), equal_split: of('equalSplit'), shapley: of('shapley') },
        product,
      )
      const [owners, others] = marginsByOwning(world, { orders: [...model.keys()], product })
      assert.equal(figures.owners, product === '' ? null : owners.length)
      if (product === 'nobodys' || product === '') {
        assert.equal(figures.naive, null)
      } else {
        near(figures.naive!.estimate, mean(owners) - mean(others))
        near(
          figures.naive!.standardError,
          Math.sqrt(variance(owners) / owners.length + variance(others) / others.length),
        )
      }
    }
  })

  await t.test('claims by cohort and year add up to those by product', async () => {
    const question = { from: world.from, to: world.to, currency: 'USD' }
    const cells = await readClaimedByCohort({ clickHouse: pipeline, database }, question)
    const { stdout } = await claims(...days, '--currency', 'USD', '--format', 'json')
    for (const { product, figures } of (JSON.parse(stdout) as Report).rows.filter((row) => row.product !== '')) {
      const ours = cells.filter((cell) => cell.product === product)
      const sum = (of: (cell: (typeof cells)[number]) => bigint) =>
        String(ours.reduce((total, cell) => total + of(cell), 0n))
      assert.equal(
        sum(({ claimedMicros }) => claimedMicros),
        figures.claimedMicros,
      )
      assert.equal(
        sum(({ creditMicros }) => creditMicros.shapley),
        figures.creditMicros.shapley,
      )
      assert.ok(ours.every(({ year, cohortMonth }) => year === 2020 && /^(20(19|20)-\d\d)?$/.test(cohortMonth)))
    }
  })
})

test('audit finds an order whose credits are not its margin, one that is not credited and one that is twice', async (t) => {
  const work = await ecosystemCase(t)
  const { database, pipeline } = work
  await work.fill(randomEcosystem(createRandom(3), { households: 20 }))
  const deps = { clickHouse: pipeline, database, topic: 'ecosystem-orders' }
  const sound = creditedOrders(database)
  const broken = 'toUInt32(toString(event_id)) = 4'
  assert.deepEqual(await findCreditFaults(deps), [])
  const found = async (statement: string) => {
    const faults = await findCreditFaults(deps, statement)
    return faults.map(({ kind, where, found: told }) => `${kind} ${where}: ${told.replaceAll(/ -?\d+/g, ' n')}`)
  }
  const weights = `arrayMap(credit -> credit + (${broken}), shapley_micros) AS shapley_micros`
  for (const [statement, told] of [
    [`SELECT * REPLACE (${weights}) FROM (${sound})`, 'last_touch n, equal_split n, shapley n'],
    [`SELECT * FROM (${sound}) WHERE NOT ${broken}`, 'none'],
    [
      `SELECT * FROM (${sound}) ARRAY JOIN if(${broken}, [1, 2], [1]) AS time`,
      '2 times last_touch n, equal_split n, shapley n',
    ],
  ] as const) {
    assert.deepEqual(await found(statement), [`credit_differs ecosystem-orders/0:4: ${told}`])
  }
})

/** Margin in the window of each household that owns the product on the last day, and of each other one that is known. */
function marginsByOwning(world: CreditCase, { orders, product }: { orders: readonly OrderRow[]; product: string }) {
  const owns = ({ activatedOn, returnedOn = '9999', ...device }: DeviceRow) =>
    device.product === product && activatedOn <= world.to && returnedOn > world.to
  const owners = new Set(world.devices.filter(owns).map(({ household }) => household))
  const known = new Set([...world.orders, ...world.devices].map(({ household }) => household))
  world.drawn.forEach((household) => known.add(household))
  const marginOf = (household: number) =>
    orders.reduce((sum, order) => sum + (order.household === household ? order.marginMicros : 0), 0)
  const margins = [...known].map((household) => ({ household, margin: marginOf(household) }))
  return [true, false].map((isOwner) =>
    margins.filter(({ household }) => owners.has(household) === isOwner).map(({ margin }) => margin),
  ) as [number[], number[]]
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const variance = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1)
const near = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) <= 1e-9 * Math.abs(expected), `${found} instead of ${expected}`)

interface Report {
  readonly rows: readonly { product: string; figures: Figures }[]
  readonly totals: Figures & { marginMicros: string }
  readonly otherCurrencies: readonly { currency: string }[]
}

interface Figures {
  readonly claimedMicros: string
  readonly creditMicros: Record<'last_touch' | 'equal_split' | 'shapley', string>
  readonly owners: number | null
  readonly naive: { estimate: number; standardError: number } | null
}
