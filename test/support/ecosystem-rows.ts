import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'

/** Rows of the ecosystem's tables as a test writes them, with what most do not care about left out. Days as 2021-03-31. */
export interface OrderRow {
  readonly household: number
  readonly day: string
  /** Of the day, as 18:30:00.000; noon where left out. */
  readonly time?: string
  readonly marginMicros: number
  /** Ten times the margin where left out; below 0 it is a refund. */
  readonly revenueMicros?: number
  readonly orderId?: string
  readonly line?: string
  readonly currency?: string
  readonly claims?: readonly ClaimOfRow[]
}

export interface ClaimOfRow {
  readonly product: string
  /** As 2021-03-31 18:30:00.000. */
  readonly touchedAt: string
}

export interface DeviceRow {
  readonly household: number
  readonly device: number
  readonly product: string
  readonly activatedOn: string
  /** Given back on this day, which is a second row. */
  readonly returnedOn?: string
}

export interface ArmRow {
  readonly household: number
  readonly experiment: string
  readonly product: string
  readonly arm: 'treatment' | 'holdout'
  readonly shareMillionths: number
  readonly fromDay: string
  readonly toDay: string
}

/** Puts rows straight into the tables, as if the pipeline had accepted them. */
export function ecosystemRows({ clickHouse, database }: { clickHouse: ClickHouse; database: string }) {
  let offset = 0
  const insert = (table: string, columns: Record<string, string>, rows: readonly object[]) => {
    const structure = Object.entries(columns).map(([name, type]) => `${name} ${type}`)
    const made = ['event_id', 'topic_id', 'kafka_offset']
    const values = ["leftPad(toString(kafka_offset), 16, '0')", 'generateUUIDv4(1)', 'kafka_offset']
    const body = rows.map((row) => JSON.stringify({ ...row, kafka_offset: offset++ })).join('\n')
    return clickHouse.insert(
      `INSERT INTO ${database}.${table} (${[...Object.keys(columns), ...made].join(', ')})
       SELECT ${[...Object.keys(columns), ...values].join(', ')}
       FROM input('${[...structure, 'kafka_offset UInt64'].join(', ')}') FORMAT JSONEachRow`,
      [Buffer.from(body)],
      { params: {}, settings: { max_partitions_per_insert_block: '0' } },
    )
  }
  const noon = (day: string) => `${day} 12:00:00.000`
  return {
    async orders(rows: readonly OrderRow[]) {
      await insert(
        'ecosystem_orders',
        {
          ...{ occurred_at: "DateTime64(3, \\'UTC\\')", household: 'UInt64', order_id: 'String', line: 'String' },
          ...{ revenue_micros: 'Int64', margin_micros: 'Int64', currency: 'String' },
          ...{ claim_products: 'Array(String)', claim_grounds: 'Array(String)' },
          claim_touched_at: "Array(DateTime64(3, \\'UTC\\'))",
        },
        rows.map((row, at) => ({
          ...{ occurred_at: `${row.day} ${row.time ?? '12:00:00.000'}`, household: row.household },
          ...{ order_id: row.orderId ?? `order-${at}`, line: row.line ?? 'retail', currency: row.currency ?? 'USD' },
          ...{ revenue_micros: row.revenueMicros ?? 10 * row.marginMicros, margin_micros: row.marginMicros },
          claim_products: (row.claims ?? []).map(({ product }) => product),
          claim_grounds: (row.claims ?? []).map(() => 'owned'),
          claim_touched_at: (row.claims ?? []).map(({ touchedAt }) => touchedAt),
        })),
      )
    },
    async devices(rows: readonly DeviceRow[]) {
      await insert(
        'device_activations',
        {
          ...{ occurred_at: "DateTime64(3, \\'UTC\\')", household: 'UInt64', device: 'UInt64', product: 'String' },
          ...{ activated_on: 'Date', currency: 'String', returned: 'Bool' },
        },
        rows.flatMap(({ household, device, product, activatedOn, returnedOn }) =>
          [activatedOn, returnedOn].flatMap((day, at) =>
            day === undefined
              ? []
              : [
                  {
                    ...{ occurred_at: noon(day), household, device, product },
                    ...{ activated_on: activatedOn, currency: 'USD', returned: at === 1 },
                  },
                ],
          ),
        ),
      )
    },
    async arms(rows: readonly ArmRow[]) {
      await insert(
        'experiment_arms',
        {
          ...{ occurred_at: "DateTime64(3, \\'UTC\\')", household: 'UInt64', experiment: 'String', product: 'String' },
          ...{ arm: 'String', share_millionths: 'UInt32', from_day: 'Date', to_day: 'Date' },
        },
        rows.map(({ household, experiment, product, arm, shareMillionths, fromDay, toDay }) => ({
          ...{ occurred_at: noon(fromDay), household, experiment, product, arm },
          ...{ share_millionths: shareMillionths, from_day: fromDay, to_day: toDay },
        })),
      )
    },
  }
}
