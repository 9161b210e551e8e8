/** Messages far larger than an event may be, one after the other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { waitUntilDrained } from '../../support/assert-exact.ts'
import { encoders, someEvent } from '../../support/some-events.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'

const largeBytes = 5_000_000
const count = 30

test(`${count} messages of 5 MB in a row are stored in batches of bounded size and bounded memory`, async (t) => {
  const work = await pipelineCase(t, {
    env: { BATCH_ROWS_MAX: '100000' },
    topicConfigs: { 'max.message.bytes': '8000000' },
  })
  for (let index = 0; index < count; index++) {
    await work.send([{ value: Buffer.alloc(largeBytes, index) }])
  }
  // With so many behind them nothing but their size ends a batch.
  const event = { value: encoders[2].encode(someEvent()) }
  await work.send(Array.from({ length: 11_000 }, () => event))
  const log = await work.readLog()
  const classifier = work.startProcess({ REJECTED_PERCENT_MAX: '100' })
  await waitUntilDrained([log], { ...work, check: classifier.assertAlive })
  const peakMb = classifier.peakMegabytes()
  const [row] = await work.clickHouse.rows<{ largest: number }>(
    `SELECT max(rejected) AS largest FROM ${work.database}.ingest_batches`,
  )
  t.diagnostic(`peak ${peakMb} MB, at most ${row!.largest} in a batch`)
  await work.assertDrained([classifier], { logs: [log] })
  assert.ok(row!.largest * largeBytes < 2 * 24 * 1_048_576, `${row!.largest} in a batch`)
  assert.ok(peakMb < 500, `${peakMb} MB`)
})
