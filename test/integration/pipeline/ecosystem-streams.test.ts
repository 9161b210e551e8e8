/** The streams of orders, devices and experiments go through the same pipeline, with the same promise. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { auditCase, type AuditCase } from '../../support/audit-case.ts'
import { waitUntilDrained } from '../../support/assert-exact.ts'
import { assertStored } from '../../support/stored-messages.ts'
import { drawMessages, ecosystemStreams } from '../../support/ecosystem-messages.ts'

const steps = [
  'after_plan:2',
  'after_accepted:2',
  'after_duplicates:2',
  'after_rejected:2',
  'before_ledger:2',
  'before_done:2',
]
/** Large enough for several batches, each with every fate. */
const messages = 600
const env = { BATCH_ROWS_MAX: '100', KAFKA_MEMBERSHIPS: '1' }

for (const kind of ecosystemStreams) {
  describe(kind.stream.name, { concurrency: 4 }, () => {
    for (const step of kind.stream.name === 'ecosystem-orders' ? steps : steps.slice(1, 2)) {
      test(`killed ${step}: every row stands once, as it was sent`, async (t) => {
        const work = await auditCase(t, { stream: kind.stream, env })
        const drawn = drawMessages(kind, messages)
        await work.send(drawn)
        const first = work.startProcess({ STOP_AT: step })
        assert.equal(await first.ended(), 'SIGKILL', first.stderr())
        await drain(work)
        await assertStored(work, kind, drawn)
      })
    }

    test('audit sees a lost row and repair brings it back', async (t) => {
      const work = await auditCase(t, { stream: kind.stream, env })
      const drawn = drawMessages(kind, messages, 2)
      await work.send(drawn)
      await drain(work)
      await work.tamper(`ALTER TABLE {db}.${kind.stream.table} DELETE WHERE kafka_offset IN (0, 250)`)
      const { clean, differences } = await work.audit()
      assert.equal(clean, false)
      assert.ok(
        differences.every(({ kind: found }) => found === 'rows_differ'),
        JSON.stringify(differences),
      )
      assert.equal((await work.repair()).after?.clean, true)
      await assertStored(work, kind, drawn)
    })
  })
}

test('messages of one stream on the topic of another are rejected with the field that they lack', async (t) => {
  const [orders, devices] = ecosystemStreams
  const work = await auditCase(t, { stream: orders!.stream, env })
  const drawn = drawMessages(devices!, 1)
  await work.send(drawn)
  await drain(work)
  const rows = await work.clickHouse.rows<{ reason: string; detail: string }>(
    `SELECT reason, detail FROM ${work.database}.rejected_events`,
  )
  assert.deepEqual(rows, [{ reason: 'unknown_schema', detail: 'the schema lacks the required field orderId' }])
})

async function drain(work: AuditCase): Promise<void> {
  const classifier = work.startProcess()
  await waitUntilDrained([await work.readLog()], { ...work, check: () => classifier.assertAlive() })
  await classifier.stop()
}
