/** A bad release: nearly everything is malformed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { pipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'

test('a classifier stops before it stores a batch of which most would be rejected, and goes on when it is told to', async (t) => {
  const work = await pipelineCase(t, { env: { BATCH_ROWS_MAX: '5000' } })
  const bad = Array.from({ length: 1_500 }, (_, index) => ({ value: Buffer.from(`not an event ${index}`) }))
  await work.send([...someValues(200), ...bad, ...someValues(100)], 0)
  await assert.rejects(work.startInProcess().running, {
    code: 'rejection_limit',
    message:
      /\/0, offsets 0-1799: 1500 of 1800 messages would be rejected \(not_framed 1500\), and 83 % of the recent ones, where 50 % are borne; nothing of them was stored/,
  })
  for (const table of ['intent_events', 'rejected_events', 'ingest_batches']) {
    const [row] = await work.clickHouse.rows<{ rows: number }>(`SELECT count() AS rows FROM ${work.database}.${table}`)
    assert.equal(row!.rows, 0, table)
  }
  const judged = await work.assertDrained([work.startInProcess({ REJECTED_PERCENT_MAX: '100' })])
  assert.equal(judged.length, 1_800)
})
