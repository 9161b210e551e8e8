/** ClickHouse and Kafka killed while classifiers of three streams work side by side, into one database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { waitUntilDrained } from '../../support/assert-exact.ts'
import { auditCase } from '../../support/audit-case.ts'
import { assertStored } from '../../support/stored-messages.ts'
import { drawMessages, ecosystemStreams } from '../../support/ecosystem-messages.ts'
import { ownStack } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

test('ClickHouse killed twice and Kafka once: every stream exact', async (t) => {
  const stack = await ownStack(t)
  const env = { BATCH_ROWS_MAX: '200', SESSION_TIMEOUT_MS: '4000', KAFKA_MEMBERSHIPS: '1' }
  const cases = await Promise.all(
    ecosystemStreams.map(async (kind, seed) => {
      const work = await auditCase(t, { stack, stream: kind.stream, env })
      const drawn = drawMessages(kind, 6_000, seed)
      await work.send(drawn)
      return { kind, work, drawn, log: await work.readLog() }
    }),
  )
  const classifiers = cases.map(({ work }) => work.startProcess())
  const batches = async () => {
    const counts = await Promise.all(
      cases.map(({ work: { clickHouse, database } }) =>
        clickHouse.rows<{ batches: number }>(`SELECT count() AS batches FROM ${database}.ingest_batches`),
      ),
    )
    return counts.reduce((sum, [row]) => sum + row!.batches, 0)
  }
  for (const server of [stack.clickhouse, stack.kafka, stack.clickhouse]) {
    const reached = await batches()
    await waitFor('some more batches', async () => (await batches()) >= reached + 6, { everyMs: 20 })
    await server.kill('SIGKILL')
    await server.start()
  }
  assert.ok((await batches()) < cases.length * 30, 'the last kill fell into the work')
  for (const [index, { kind, work, drawn, log }] of cases.entries()) {
    const classifier = classifiers[index]!
    await waitUntilDrained([log], { ...work, check: () => classifier.assertAlive(), timeoutMs: 90_000 })
    await classifier.stop()
    await assertStored(work, kind, drawn)
  }
})
