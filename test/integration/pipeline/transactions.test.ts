/** Topics written by transactional producers: offsets that hold no message, aborted records, tails without a message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import kafkajs from 'kafkajs'

import { pipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'
import { transactions } from '../../support/transactions.ts'

/** 12 MB, in sends a broker takes: more than three fetches. */
const manyFetches = () =>
  Array.from({ length: 12 }, () => Array.from({ length: 20 }, () => ({ value: Buffer.alloc(48_000, 1) })))

for (const decoder of ['lean', 'kafkajs'] as const) {
  test(`aborted records are not read, and the ledger counts the offsets that hold no message (decoder ${decoder})`, async (t) => {
    const work = await pipelineCase(t, { env: { BATCH_ROWS_MAX: '50', KAFKA_DECODER: decoder } })
    const send = await transactions(work, t)
    await send.commit(someValues(120))
    await send.abort(someValues(130))
    await send.commit(someValues(7), someValues(8))
    await send.abort(...manyFetches())
    await send.commit(someValues(60))
    const judged = await work.assertDrained([work.startInProcess()])
    assert.equal(judged.length, 195)
    const [ledger] = await work.clickHouse.rows<{ end: number; held: number; none: number }>(
      `SELECT max(last_offset) + 1 AS end, sum(accepted) AS held, sum(no_message) AS none FROM ${work.database}.ingest_batches`,
    )
    // Without the marker of the last transaction: it stands after the last message.
    const markers = 4
    assert.deepEqual(ledger, { end: 195 + 130 + 240 + markers, held: 195, none: 130 + 240 + markers })
  })

  test(`events before a long aborted tail are stored without waiting for a later message (decoder ${decoder})`, async (t) => {
    const work = await pipelineCase(t, { env: { BATCH_ROWS_MAX: '50', KAFKA_DECODER: decoder } })
    const send = await transactions(work, t)
    await send.commit(someValues(20))
    await send.abort(...manyFetches())
    const judged = await work.assertDrained([work.startInProcess()], { timeoutMs: 20_000 })
    assert.equal(judged.length, 20)
  })

  test(`batches of every kind are stored exactly: compressed, plain, with headers, of one record (decoder ${decoder})`, async (t) => {
    const work = await pipelineCase(t, { env: { BATCH_ROWS_MAX: '70', KAFKA_DECODER: decoder } })
    const producer = work.kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await producer.connect()
    t.after(() => producer.disconnect())
    const { GZIP, None } = kafkajs.CompressionTypes
    for (const [count, compression, headers] of [
      [90, GZIP, undefined],
      [1, None, { trace: ['a', 'b'], empty: '' }],
      [80, None, undefined],
      [1, GZIP, { trace: 'c' }],
      [33, GZIP, { trace: 'd' }],
    ] as const) {
      const messages = someValues(count).map((message) => ({
        ...message,
        partition: 0,
        key: 'k',
        ...(headers && { headers: { ...headers, trace: [...headers.trace] } }),
      }))
      await producer.send({ topic: work.topic, compression, messages })
    }
    const judged = await work.assertDrained([work.startInProcess()])
    assert.equal(judged.length, 205)
  })
}

test('after a tail of markers alone a restarted classifier goes on with the next event', async (t) => {
  const work = await pipelineCase(t)
  const send = await transactions(work, t)
  await send.commit(someValues(10))
  for (let round = 0; round < 5; round++) {
    await send.abort(someValues(1))
  }
  await work.assertDrained([work.startInProcess()])
  await send.commit(someValues(10))
  const judged = await work.assertDrained([work.startInProcess()])
  assert.equal(judged.length, 20)
})

test('a batch killed after its plan is closed at the same offsets though they hold markers and aborted records', async (t) => {
  const work = await pipelineCase(t, { env: { BATCH_ROWS_MAX: '100' } })
  const send = await transactions(work, t)
  await send.commit(someValues(90))
  await send.abort(someValues(50))
  await send.commit(someValues(90))
  await send.abort(someValues(50))
  const killed = work.startProcess({ STOP_AT: 'after_plan:2' })
  assert.equal(await killed.ended(), 'SIGKILL')
  const judged = await work.assertDrained([work.startProcess()])
  assert.equal(judged.length, 180)
})

test('events before an open transaction are stored while it is open', async (t) => {
  const work = await pipelineCase(t, { env: { BATCH_ROWS_MAX: '50' } })
  const send = await transactions(work, t)
  await work.send(someValues(20))
  const log = await work.readLog()
  const open = await send.begin(someValues(100))
  try {
    await work.assertDrained([work.startInProcess()], { logs: [log], timeoutMs: 20_000 })
  } finally {
    await open.abort()
  }
})
