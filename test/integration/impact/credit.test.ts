/** The credit of orders on the tables as they are, beside a second implementation that goes by the definitions alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createClickHouse } from '../../../services/shared/io/clickhouse.ts'
import { creditedOrders, creditMethods, creditSettings } from '../../../services/shared/pipeline/credit-sql.ts'
import { creditModel, type CreditCase, type CreditedOrder, type Credits } from '../../support/credit-model.ts'
import { ecosystemRows } from '../../support/ecosystem-rows.ts'
import { randomEcosystem } from '../../support/random-ecosystem.ts'
import { createRandom } from '../../support/random-usage.ts'
import { viewsCase, type ViewsCase } from '../../support/views-case.ts'

test('credits conserve the margin of every order and are those of the definitions, of random orders, refunds and claims', async (t) => {
  const work = await viewsCase(t)
  const empty = emptier(t, work)
  for (let seed = 1; seed <= 12; seed++) {
    await empty()
    const world = randomEcosystem(createRandom(seed), { households: 12 * seed })
    const found = await creditsOf(work, world)
    const expected = creditModel(world)
    assert.equal(found.size, expected.size, `seed ${seed}`)
    for (const [order, credited] of expected) {
      const told = found.get(world.orders.indexOf(order))!
      const where = `seed ${seed}, order ${world.orders.indexOf(order)}`
      assert.deepEqual(told, credited, where)
      for (const credits of [told.lastTouch, told.equalSplit, told.shapley]) {
        assert.equal(sum(credits), BigInt(order.marginMicros), where)
      }
    }
  }
})

/** Credits by place of the order in the case; the places of orders are their offsets, because they are inserted first. */
async function creditsOf({ pipeline, database }: ViewsCase, world: CreditCase): Promise<Map<number, CreditedOrder>> {
  const rows = ecosystemRows({ clickHouse: pipeline, database })
  await rows.orders(world.orders)
  await rows.devices(world.devices)
  await rows.arms(
    world.drawn.map((household) => ({
      ...{ household, experiment: 'any', product: 'echo', arm: 'holdout', shareMillionths: 50_000 },
      ...{ fromDay: world.from, toDay: world.to },
    })),
  )
  const micros = creditMethods.map(
    (method) => `${method}_products, arrayMap(credit -> toString(credit), ${method}_micros) AS ${method}_texts`,
  )
  const found = await pipeline.rows<Record<string, string[]> & { at: number; fates: string[] }>(
    `SELECT toUInt32(toString(event_id)) AS at, claims.2 AS fates, ${micros.join(', ')} FROM (${creditedOrders(database)})`,
    { from: world.from, to: world.to, currency: 'USD' },
    creditSettings,
  )
  return new Map(
    found.map((row) => {
      const of = (method: string): Credits =>
        new Map(
          row[`${method}_products`]!.map(
            (product, at) => [product, BigInt(row[`${method}_texts`]![at]!)] as const,
          ).filter(([, credit]) => credit !== 0n),
        )
      return [
        row.at,
        { lastTouch: of('last_touch'), equalSplit: of('equal_split'), shapley: of('shapley'), claims: row.fates },
      ]
    }),
  )
}

function emptier(t: { after(clean: () => Promise<void>): void }, { stack, database }: ViewsCase) {
  const steward = createClickHouse({
    ...{ url: stack.clickhouseUrl, user: 'steward', password: stack.secrets.stewardPassword },
  })
  t.after(() => steward.close())
  return async () => {
    for (const table of ['ecosystem_orders', 'device_activations', 'experiment_arms']) {
      await steward.command(`TRUNCATE TABLE ${database}.${table}`)
    }
  }
}

const sum = (credits: Credits) => [...credits.values()].reduce((total, credit) => total + credit, 0n)
