import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'

/** Deletes an audit with all that was loaded under its name before. Returns its events. Needs the steward: no other user deletes rows. */
export async function dropAudit(clickHouse: ClickHouse, database: string, audit: string): Promise<number> {
  const loaded = await clickHouse.rows<{ audit: string; events: number }>(
    `SELECT audit, uniqExact(event_id) AS events FROM ${database}.audited_events GROUP BY audit ORDER BY audit`,
  )
  const found = loaded.find((one) => one.audit === audit)
  if (found === undefined) {
    const names = loaded.map((one) => one.audit).join(', ')
    throw mistake(`there is no audit ${audit}; ${names === '' ? 'none is loaded' : `loaded are ${names}`}`)
  }
  await clickHouse.command(
    `ALTER TABLE ${database}.audited_events DELETE WHERE audit = {audit:String}`,
    { audit },
    { mutations_sync: '2' },
  )
  return found.events
}
