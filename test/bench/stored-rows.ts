/** What a contender stored, in a form that two of them can be compared by. */
import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'

export interface StoredRows {
  readonly rows: number
  readonly events: number
  /** Of all columns but the place in the log, over distinct events: copies of an event have the same. In no order. */
  readonly checksum: string
  readonly parts: number
}

const compared = [
  ...['event_id', 'occurred_at', 'device', 'household', 'product', 'device_model', 'activated_on', 'country', 'locale'],
  ...['plans', 'intent', 'outcome', 'latency_ms', 'order_id', 'amount_micros', 'currency', 'app_version', 'skill_id'],
  ...['value_class', 'rule_id', 'taxonomy_version'],
]

export async function readStoredRows(clickHouse: ClickHouse, database: string): Promise<StoredRows> {
  const [row] = await clickHouse.rows<StoredRows>(
    `SELECT sum(copies) AS rows, uniqExact(event_id) AS events, toString(groupBitXor(hash)) AS checksum,
       (SELECT count() FROM system.parts WHERE active AND database = {database:String} AND table = 'intent_events') AS parts
     FROM (
       SELECT event_id, cityHash64(${compared.join(', ')}) AS hash, count() AS copies
       FROM ${database}.intent_events GROUP BY event_id, hash
     )`,
    { database },
  )
  return row!
}
