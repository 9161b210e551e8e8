/** Audit beside classifiers that run or died in the middle, and a repair that is asked for under the wrong settings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { auditCase } from '../../support/audit-case.ts'

test('a batch that was planned and not closed is no difference: its plan explains its rows', async (t) => {
  const work = await auditCase(t)
  await work.simulate({ events: 1_500 })
  const first = work.startProcess({ STOP_AT: 'before_ledger:2' })
  assert.equal(await first.ended(), 'SIGKILL', first.stderr())
  const report = await work.audit()
  assert.deepEqual(report.differences, [])
  const [rows] = await work.clickHouse.rows<{ beyond: number }>(
    `SELECT count() AS beyond FROM ${work.database}.intent_events
     WHERE kafka_offset > (SELECT max(last_offset) FROM ${work.database}.ingest_batches)`,
  )
  assert.ok(rows!.beyond > 0 && report.partitions[0]!.unread > 0)
  await work.assertDrained([work.startInProcess()])
  assert.equal((await work.audit()).clean, true)
})

test('clean each time while classifiers insert', async (t) => {
  const work = await auditCase(t, { partitions: 2 })
  const classifier = work.startInProcess()
  const sent = work.simulate({ events: 5_000 })
  for (let audits = 0; audits < 5; audits++) {
    assert.deepEqual((await work.audit({ max: 4, pauseMs: 100 })).differences, [])
  }
  await sent
  await work.assertDrained([classifier])
})

test('a topic that nobody has read is clean and all unread', async (t) => {
  const work = await auditCase(t)
  await work.send([{ value: Buffer.from('no event') }, { value: null }])
  const report = await work.audit()
  assert.equal(report.clean, true)
  assert.deepEqual(
    report.partitions.map(({ batches, unread }) => [batches, unread]),
    [[0, 2]],
  )
})

test('repair under another duplicate window changes no fate: it says what differs, and mends under the right one', async (t) => {
  const work = await auditCase(t, { env: { DUPLICATE_WINDOW_OFFSETS: '1' } })
  await work.simulate({ events: 1_000 })
  const classifier = work.startInProcess()
  const window = { fates: { duplicateWindowOffsets: 1 } }
  await work.assertDrained([classifier], window)
  await work.tamper(
    'ALTER TABLE {db}.intent_events DELETE WHERE kafka_offset = (SELECT max(kafka_offset) FROM {db}.intent_events)',
  )

  const wrong = await work.repair()
  assert.equal(wrong.after?.clean, false)
  assert.match(wrong.left.join('\n'), /the ledger says \d+ accepted, .* it was made under other settings/)
  const right = await work.repair({ duplicateWindowOffsets: 1 })
  assert.deepEqual([right.after?.differences, right.left], [[], []])
  await work.assertDrained([], window)
})
