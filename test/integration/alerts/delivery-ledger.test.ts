import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createDeliveryLedger } from '../../../services/alerts/delivery-ledger.ts'
import type { Taken } from '../../../services/alerts/delivery.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'

const marchMs = Date.UTC(2026, 2, 1)
const hourMs = 3_600_000

function taken(options: Partial<Taken> & { hour: number }): Taken {
  const { hour, ...others } = options
  return {
    ...{ receiver: 'webhook', fingerprint: '0123456789abcdef', status: 'firing' },
    ...{ startsAtMs: marchMs + hour * hourMs, takenAtMs: marchMs + 900 * hourMs + 7 },
    ...others,
  }
}

test('the ledger of deliveries keeps a batch once however often it is recorded, and tells it by receiver and time', async (t) => {
  const work = await pipelineCase(t)
  const ledger = createDeliveryLedger(work)
  // Two months: two partitions of the table, one insert.
  const rows = [
    taken({ hour: -5 }),
    taken({ hour: 3 }),
    taken({ hour: 3, status: 'resolved' }),
    taken({ hour: 4, fingerprint: 'fedcba9876543210' }),
  ]
  await ledger.record([])
  await ledger.record(rows)
  await ledger.record([taken({ hour: 3, receiver: 'alertmanager' })])
  // As after an insert whose answer was lost.
  await ledger.record(rows.map((row) => ({ ...row, takenAtMs: row.takenAtMs + 5_000 })))
  const [stored] = await work.clickHouse.rows<{ rows: number }>(
    `SELECT count() AS rows FROM ${work.database}.alert_deliveries`,
  )
  assert.equal(stored!.rows, 5)

  const order = (list: readonly Taken[]) => list.map((row) => JSON.stringify(Object.entries(row).toSorted())).toSorted()
  assert.deepEqual(order(await ledger.delivered('webhook', marchMs - 24 * hourMs)), order(rows))
  assert.deepEqual(order(await ledger.delivered('webhook', marchMs + 3 * hourMs)), order(rows.slice(1)))
  assert.deepEqual(await ledger.delivered('pager', marchMs), [])

  // Told by two processes at once, in batches of their own: one change all the same, taken when the first took it.
  await ledger.record([taken({ hour: 3, takenAtMs: marchMs + 950 * hourMs })])
  assert.deepEqual(order(await ledger.delivered('webhook', marchMs + 3 * hourMs)), order(rows.slice(1)))
})
