import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'

import fc from 'fast-check'
import produce from 'kafkajs/src/protocol/requests/produce/index.js'

import {
  encodeProduceRequest,
  oneBatch,
  type BatchMessage,
  type ProduceRequest,
} from '../../../../services/shared/io/kafka-record-encoder.ts'

// kafkajs' own encoder: the judge of ours.
const require = createRequire(import.meta.url)
const stockRequest = require('kafkajs/src/protocol/requests/produce/v7/request') as (asked: object) => {
  encode: () => Promise<{ buffer: Buffer }>
}
const groupMessages = require('kafkajs/src/producer/groupMessagesPerPartition') as (given: object) => object
const Long = require('kafkajs/src/utils/long') as { fromValue: (value: string) => unknown }

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const message = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  timestamp: fc.integer({ min: 1_000_000_000_000, max: 4_102_444_799_999 }).map(String),
})
const request = fc.record({
  acks: fc.constantFrom(-1, 1),
  timeout: fc.integer({ min: 0, max: 60_000 }),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 62n }).map((id) => Long.fromValue(String(id))),
  producerEpoch: fc.integer({ min: 0, max: 30_000 }),
  compression: fc.constant(0),
  topicData: fc.array(
    fc.record({
      topic: fc.string({ minLength: 1, maxLength: 40 }),
      partitions: fc.array(
        fc.record({
          partition: fc.integer({ min: 0, max: 1_000 }),
          firstSequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
          messages: fc.array(message, { minLength: 1, maxLength: 200 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 2 },
  ),
})

test('writes the bytes that kafkajs writes', async () => {
  await fc.assert(
    fc.asyncProperty(request, async (asked) => {
      const stock = await stockRequest(asked).encode()
      assert.deepEqual(encodeProduceRequest(asked), Buffer.from(stock.buffer))
    }),
    { numRuns: 200 },
  )
})

test('writes the bytes that kafkajs writes for large values and many messages', async () => {
  const large = { key: Buffer.alloc(8, 1), value: Buffer.alloc(900_000, 7), timestamp: '1800000000000' }
  const many = Array.from({ length: 20_000 }, (_, index) => ({
    ...{ key: Buffer.from(String(index)), value: null, timestamp: String(1_800_000_000_000 + index * 10_007) },
  }))
  for (const messages of [[large], many]) {
    const asked = requestOf(messages)
    assert.deepEqual(encodeProduceRequest(asked), Buffer.from((await stockRequest(asked).encode()).buffer))
  }
})

const ownMessages = [{ key: Buffer.from('k'), value: Buffer.from('v'), timestamp: '1800000000000' }]

function requestOf(messages: readonly BatchMessage[], more: Partial<ProduceRequest> = {}): ProduceRequest {
  return {
    ...{ acks: -1, timeout: 30_000, producerId: Long.fromValue('77'), producerEpoch: 3, compression: 0 },
    topicData: [{ topic: 'a-topic', partitions: [{ partition: 2, firstSequence: 9, messages }] }],
    ...more,
  }
}

/** Which encoder kafkajs finds when it looks one up: ours returns a buffer that stands for itself. */
async function isOurs(asked: ProduceRequest, version = 7): Promise<boolean> {
  const encoded = (await produce.protocol({ version })(asked).request.encode()) as { buf: Buffer; buffer: Buffer }
  return encoded.buf === encoded.buffer
}

test('encodes what oneBatch made, and leaves the rest to kafkajs', async () => {
  const batch = oneBatch(2, ownMessages)
  assert.equal(await isOurs(requestOf(batch)), true)
  assert.equal(await isOurs(requestOf(ownMessages)), false, 'messages of another producer')
  assert.equal(await isOurs(requestOf(batch, { transactionalId: 'in-a-transaction' })), false)
  assert.equal(await isOurs(requestOf(batch, { compression: 1 })), false)
  assert.equal(await isOurs(requestOf(batch), 6), false, 'an older broker')
  const both = [
    { partition: 1, firstSequence: 0, messages: batch },
    { partition: 2, firstSequence: 0, messages: ownMessages },
  ]
  assert.equal(await isOurs(requestOf([], { topicData: [{ topic: 'a-topic', partitions: both }] })), false)
})

test('gives kafkajs its messages by partition at once', () => {
  const batch = oneBatch(2, ownMessages)
  const given = { topic: 'a-topic', partitionMetadata: [{}], messages: batch, partitioner: () => assert.fail() }
  assert.deepEqual(Object.entries(groupMessages(given)), [['2', batch]])
})
