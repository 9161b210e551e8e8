/** Topics whose broker compresses what producers send, with every codec that Kafka has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { pipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'

for (const decoder of ['lean', 'kafkajs']) {
  for (const codec of ['gzip', 'zstd']) {
    test(`reads a topic compressed with ${codec} exactly (decoder ${decoder})`, async (t) => {
      const work = await pipelineCase(t, {
        topicConfigs: { 'compression.type': codec },
        env: { KAFKA_DECODER: decoder },
      })
      await work.send(someValues(300), 0)
      await work.send(someValues(1), 0)
      const judged = await work.assertDrained([work.startInProcess()])
      assert.equal(judged.length, 301)
    })
  }
}

for (const codec of ['snappy', 'lz4']) {
  test(`stops with one sentence at ${codec}, which it can't read, and rejects nothing`, async (t) => {
    const work = await pipelineCase(t, { topicConfigs: { 'compression.type': codec } })
    await work.send(someValues(50), 0)
    await assert.rejects(work.startInProcess().running, {
      code: 'kafka_refused',
      message: new RegExp(`/0: the batch at offset 0 is compressed with ${codec}, which is not read here`),
    })
    const [row] = await work.clickHouse.rows<{ rows: number }>(
      `SELECT count() AS rows FROM ${work.database}.rejected_events`,
    )
    assert.equal(row!.rows, 0)
  })
}
