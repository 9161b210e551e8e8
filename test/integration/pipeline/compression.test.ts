/** Topics whose broker compresses what producers send, with every codec that Kafka has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { connectKafkaAdmin } from '../../../services/shared/io/kafka-admin.ts'
import { createKafka } from '../../../services/shared/io/kafka.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { pipelineCase, type PipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'
import { sharedStack, uniqueName } from '../../support/stack.ts'

/** A case whose topic was made with its codec: a broker takes a changed one up some time after it has answered. */
async function compressedCase(
  t: Parameters<typeof pipelineCase>[0],
  codec: string,
  env: Record<string, string> = {},
): Promise<PipelineCase> {
  const stack = await sharedStack()
  const topic = uniqueName('intents')
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  const admin = await connectKafkaAdmin(createKafka({ brokers: stack.kafkaBrokers, clientId: 'test', ssl: false }, log))
  await admin.ensureTopic({ topic, partitions: 1, replicas: 1, configs: { 'compression.type': codec } })
  await admin.close()
  return pipelineCase(t, { topic, env })
}

for (const decoder of ['lean', 'kafkajs']) {
  for (const codec of ['gzip', 'zstd']) {
    test(`reads a topic compressed with ${codec} exactly (decoder ${decoder})`, async (t) => {
      const work = await compressedCase(t, codec, { KAFKA_DECODER: decoder })
      await work.send(someValues(300), 0)
      await work.send(someValues(1), 0)
      const judged = await work.assertDrained([work.startInProcess()])
      assert.equal(judged.length, 301)
    })
  }
}

for (const codec of ['snappy', 'lz4']) {
  test(`stops with one sentence at ${codec}, which it can't read, and rejects nothing`, async (t) => {
    const work = await compressedCase(t, codec)
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
