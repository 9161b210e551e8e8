import assert from 'node:assert/strict'
import { test } from 'node:test'

import { spoilFor } from '../../../services/producer/malformed.ts'
import { createRandom } from '../../../services/producer/random.ts'
import { rejectionReasons } from '../../../services/shared/domain/fate.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { encoders, someEvent, someValues } from '../../support/some-events.ts'

test('one batch holds both writer schemas, duplicates and every reason of rejection', async (t) => {
  const work = await pipelineCase(t)
  const random = createRandom(1)
  const purchase = { orderId: 'order-1', amountMicros: 12_990_000, currency: 'EUR' }
  const twice = { value: encoders[1].encode(someEvent()) }
  await work.send([
    ...someValues(20, 1),
    ...someValues(20, 2),
    { value: encoders[2].encode(someEvent({ intent: 'shopping_buy', purchase, skillId: 'skill.one' })) },
    { value: encoders[1].encode(someEvent({ intent: 'play_music', plans: ['music', 'prime'] })) },
    { value: encoders[1].encode(someEvent({ intent: 'an_intent_nobody_knows', plans: [] })) },
    ...[twice, twice, twice],
    ...rejectionReasons.flatMap((reason) => [
      { value: spoilFor[reason](someEvent(), encoders[1], random), key: Buffer.from('household') },
      { value: spoilFor[reason](someEvent(), encoders[2], random) },
    ]),
  ])
  const judged = await work.assertDrained([work.startInProcess()])
  const rejected = judged.flatMap((one) => (one.fate === 'rejected' ? [one.reason] : []))
  assert.deepEqual(
    rejected,
    rejectionReasons.flatMap((reason) => [reason, reason]),
  )
  assert.equal(judged.filter(({ fate }) => fate === 'duplicate').length, 2)
  const [ledger] = await work.clickHouse.rows<{ batches: number }>(
    `SELECT count() AS batches FROM ${work.database}.ingest_batches`,
  )
  assert.equal(ledger!.batches, 1)
})

test('an empty topic leaves empty tables, and the classifier ready', async (t) => {
  const work = await pipelineCase(t, { partitions: 2 })
  const classifier = work.startProcess()
  await classifier.logged('joined the consumer group')
  await work.assertDrained([classifier])
})

test('a topic with one malformed event ends with that event rejected', async (t) => {
  const work = await pipelineCase(t)
  await work.send([{ value: Buffer.from('{"intent":"weather_query"}') }])
  const judged = await work.assertDrained([work.startInProcess()])
  assert.deepEqual(
    judged.map(({ fate }) => fate),
    ['rejected'],
  )
})

test('events a day either side of each bound of time get the fate their record says', async (t) => {
  const work = await pipelineCase(t)
  const hour = 3_600_000
  const day = 24 * hour
  const sentAt = Date.UTC(2026, 2, 1, 12)
  await work.send(
    [hour, hour + 1, 0, -400 * day, -400 * day - 1].map((late) => ({
      value: encoders[2].encode(someEvent({ occurredAt: sentAt + late })),
      timestampMs: sentAt,
    })),
  )
  const judged = await work.assertDrained([work.startInProcess()])
  assert.deepEqual(
    judged.map((one) => (one.fate === 'rejected' ? one.reason : one.fate)),
    ['accepted', 'in_future', 'accepted', 'accepted', 'too_old'],
  )
})

test('a copy is a duplicate within the window of offsets and accepted beyond it, also across batches and restarts', async (t) => {
  const fates = { duplicateWindowOffsets: 1_000 }
  const work = await pipelineCase(t, { env: { DUPLICATE_WINDOW_OFFSETS: '1000', BATCH_ROWS_MAX: '100' } })
  const copy = { value: encoders[2].encode(someEvent()) }
  await work.send([copy, ...someValues(999)])
  const first = await work.assertDrained([work.startInProcess()], { fates })
  assert.ok(first.every(({ fate }) => fate === 'accepted'))
  // Exactly the window after the first; then one more than it after that copy.
  await work.send([copy, ...someValues(1_000), copy])
  const judged = await work.assertDrained([work.startInProcess()], { fates })
  assert.deepEqual([judged[1_000]!.fate, judged[2_001]!.fate], ['duplicate', 'accepted'])
})
