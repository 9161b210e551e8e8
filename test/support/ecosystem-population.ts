import { defaultSettings } from '../../services/producer/ecosystem/facts.ts'
import { drawHousehold, type DrawnHousehold } from '../../services/producer/ecosystem/household.ts'
import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'

const dayMs = 86_400_000
const dayText = (day: number) => new Date(day * dayMs).toISOString().slice(0, 10)
const timeText = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '')

/** Draws households of the ecosystem and puts them straight into the tables, without Kafka; requests are left out. */
export async function insertPopulation(
  { clickHouse, database }: { clickHouse: ClickHouse; database: string },
  { households, seed }: { households: number; seed: number },
): Promise<DrawnHousehold[]> {
  const drawn = Array.from({ length: households }, (_, index) => drawHousehold(seed, index, defaultSettings))
  const insert = async (table: string, rows: readonly object[]) => {
    for (let at = 0; at < rows.length; at += rowsInInsert) {
      await clickHouse.insert(
        `INSERT INTO ${database}.${table} FORMAT JSONEachRow`,
        [
          Buffer.from(
            rows
              .slice(at, at + rowsInInsert)
              .map((row) => JSON.stringify(row))
              .join('\n'),
          ),
        ],
        { params: {}, settings: { max_partitions_per_insert_block: '0' } },
      )
    }
  }
  let offset = 0
  const identity = (household: number) => ({
    ...{ household, kafka_offset: offset, event_id: String(offset++).padStart(16, '0') },
  })
  await insert(
    'ecosystem_orders',
    drawn.flatMap(({ profile, orders }) =>
      orders.map((order) => ({
        ...identity(profile.index),
        ...{ occurred_at: timeText(order.occurredAt), order_id: order.orderId, line: order.line },
        ...{ revenue_micros: order.revenueMicros, margin_micros: order.marginMicros, currency: order.currency },
        claim_products: order.claims.map(({ product }) => product),
        claim_grounds: order.claims.map(({ ground }) => ground),
        claim_touched_at: order.claims.map(({ touchedAt }) => timeText(touchedAt)),
      })),
    ),
  )
  await insert(
    'device_activations',
    drawn.flatMap(({ profile, devices }) =>
      devices.map(({ device, occurredAt, returned }) => ({
        ...identity(profile.index),
        ...{ occurred_at: timeText(occurredAt), device: profile.index * 1_000 + device.place, product: device.product },
        ...{ activated_on: timeText(device.activatedAt).slice(0, 10), price_paid_micros: device.priceMicros },
        ...{ cost_of_goods_micros: device.costMicros, currency: 'USD', country: 'US', returned },
      })),
    ),
  )
  await insert(
    'experiment_arms',
    drawn.flatMap(({ profile, arms }) =>
      arms.map(({ occurredAt, experiment, product, arm, shareMillionths, fromDay, toDay }) => ({
        ...identity(profile.index),
        ...{ occurred_at: timeText(occurredAt), experiment, product, arm, share_millionths: shareMillionths },
        ...{ from_day: dayText(fromDay), to_day: dayText(toDay) },
      })),
    ),
  )
  return drawn
}

const rowsInInsert = 50_000
