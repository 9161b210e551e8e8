import { createHash } from 'node:crypto'

import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { insertSettings } from '../shared/pipeline/insert.ts'
import { changeKey } from './delivery-plan.ts'
import type { DeliveryLedger, Taken } from './delivery.ts'

/**
 * The ledger of deliveries in ClickHouse, table `alert_deliveries`: one row a change and receiver.
 *
 * A batch goes in under a token made of what it tells, so trying it again stores nothing twice. Should a killed process' insert
 * arrive after its successor has read, a change has two rows; reading makes one of them.
 */
export function createDeliveryLedger(options: { clickHouse: ClickHouse; database: string }): DeliveryLedger {
  const { clickHouse } = options
  const table = `${options.database}.alert_deliveries`
  return {
    async delivered(receiver, startsSinceMs) {
      const rows = await clickHouse.rows<{
        fingerprint: string
        starts_at_ms: number
        status: Taken['status']
        taken_at_ms: number
      }>(
        `SELECT fingerprint, toUnixTimestamp64Milli(starts_at) AS starts_at_ms, status,
           toUnixTimestamp64Milli(min(delivered_at)) AS taken_at_ms
         FROM ${table}
         WHERE receiver = {receiver:String} AND starts_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
         GROUP BY fingerprint, starts_at, status`,
        { receiver, since_ms: Math.floor(startsSinceMs) },
      )
      return rows.map((row) => ({
        receiver,
        fingerprint: row.fingerprint,
        startsAtMs: row.starts_at_ms,
        status: row.status,
        takenAtMs: row.taken_at_ms,
      }))
    },
    async record(rows) {
      if (rows.length === 0) {
        return
      }
      const lines = rows.map((row) => JSON.stringify({ ...row, takenAtMs: Math.floor(row.takenAtMs) }))
      await clickHouse.insert(
        `INSERT INTO ${table} (receiver, fingerprint, starts_at, status, delivered_at)
         SELECT receiver, fingerprint, fromUnixTimestamp64Milli(startsAtMs, 'UTC'), status, fromUnixTimestamp64Milli(takenAtMs, 'UTC')
         FROM input('receiver String, fingerprint FixedString(16), startsAtMs Int64, status String, takenAtMs Int64')
         FORMAT JSONEachRow`,
        [new TextEncoder().encode(lines.join('\n'))],
        { params: {}, settings: insertSettings(deliveryToken(rows)) },
      )
    },
  }
}

/** The same for the same changes, whenever they were taken. */
function deliveryToken(rows: readonly Taken[]): string {
  const keys = rows.map((row) => `${row.receiver} ${changeKey(row)}`).sort()
  return `alert_deliveries#${createHash('sha256').update(keys.join('\n')).digest('hex')}`
}
