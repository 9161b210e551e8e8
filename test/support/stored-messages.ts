import assert from 'node:assert/strict'

import type { AuditCase } from './audit-case.ts'
import type { DrawnMessage, EcosystemStream } from './ecosystem-messages.ts'
import { assertSameLines } from './same-lines.ts'

/** Asserts that the tables hold exactly what was sent to the one partition, each message with the fate it was drawn for, and audits. */
export async function assertStored(
  work: AuditCase,
  { stream, columns }: EcosystemStream,
  drawn: readonly DrawnMessage[],
) {
  const { clickHouse, database } = work
  const stored = async (table: string, list: string) => {
    const rows = await clickHouse.rows<Record<string, unknown>>(
      `SELECT kafka_offset, ${list} FROM ${database}.${table} ORDER BY kafka_offset`,
    )
    return rows.map((row) => Object.values(row).join('|'))
  }
  const expected = (fate: DrawnMessage['fate']) =>
    drawn.flatMap((one, offset) => (one.fate === fate ? [`${offset}|${one.line}`] : []))
  assertSameLines(stream.table, await stored(stream.table, columns), expected('accepted'))
  assertSameLines('duplicates', await stored('duplicate_events', 'hex(event_id)'), expected('duplicate'))
  assertSameLines('rejected', await stored('rejected_events', 'reason, detail'), expected('rejected'))
  assert.deepEqual((await work.audit()).differences, [])
}
