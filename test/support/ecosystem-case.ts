import { createClickHouse } from '../../services/shared/io/clickhouse.ts'
import { creditedOrders, creditMethods, creditSettings } from '../../services/shared/pipeline/credit-sql.ts'
import type { CreditCase, CreditedOrder, Credits } from './credit-model.ts'
import { ecosystemRows } from './ecosystem-rows.ts'
import { viewsCase, type ViewsCase } from './views-case.ts'

/** A database of one test's own whose orders, devices and experiments are those of a case, and only those. */
export interface EcosystemCase extends ViewsCase {
  /** Takes away what was there. The first order gets offset 0 and event id 0, the next 1, and so on. */
  fill(world: CreditCase): Promise<void>
}

export async function ecosystemCase(t: Parameters<typeof viewsCase>[0]): Promise<EcosystemCase> {
  const work = await viewsCase(t)
  const { stack, database, pipeline } = work
  const password = stack.secrets.stewardPassword
  const steward = createClickHouse({ url: stack.clickhouseUrl, user: 'steward', password })
  t.after(() => steward.close())
  return {
    ...work,
    async fill(world) {
      for (const table of ['ecosystem_orders', 'device_activations', 'experiment_arms']) {
        await steward.command(`TRUNCATE TABLE ${database}.${table}`)
      }
      const rows = ecosystemRows({ clickHouse: pipeline, database })
      await rows.orders(world.orders)
      await rows.devices(world.devices)
      await rows.arms(
        world.drawn.map((household) => ({
          ...{ household, experiment: 'any', product: 'echo', arm: 'holdout', shareMillionths: 50_000 },
          ...{ fromDay: world.from, toDay: world.to },
        })),
      )
    },
  }
}

/** What the statement says of each order, by its place in the case; what is nothing is left out. */
export async function creditsOf(
  { pipeline, database }: ViewsCase,
  world: CreditCase,
): Promise<Map<number, CreditedOrder>> {
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
