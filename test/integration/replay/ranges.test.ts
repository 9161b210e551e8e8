/** Parts of the log: their beginnings, their ends, and what stands there. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import kafkajs from 'kafkajs'

import { replayDatabase } from '../../../services/replay/names.ts'
import { replayCase, type ReplayCase } from '../../support/replay-case.ts'
import { encoders, someEvent, someValues } from '../../support/some-events.ts'
import { uniqueName } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const window = { DUPLICATE_WINDOW_OFFSETS: '100' }

test('a part in the middle has the fates of the live run: copies across its start, within the window and beyond it', async (t) => {
  const work = await replayCase(t, { env: { ...window, BATCH_ROWS_MAX: '70' } })
  const ids = Array.from({ length: 500 }, () => randomBytes(16))
  // From 300 on each event is a copy of one that stands 60 to 140 offsets back; some of those are copies themselves.
  const idAt = (offset: number) => (offset < 300 || offset % 3 > 0 ? ids[offset]! : ids[offset - 60 - (offset % 81)]!)
  await work.send(
    ids.map((_, offset) => ({
      value:
        offset % 50 === 7
          ? Buffer.of(1)
          : encoders[offset % 2 === 0 ? 1 : 2].encode(someEvent({ eventId: idAt(offset) })),
    })),
  )
  await work.assertDrained([work.startInProcess()], { fates: { duplicateWindowOffsets: 100 } })
  for (const [from, to] of [
    [310, 430],
    [350, 500],
    [0, 345],
  ]) {
    const name = work.name()
    const manifest = await work.run(name, ['--from', `0:${from}`, '--to', `0:${to}`])
    assert.deepEqual(manifest.ranges, [{ partition: 0, first: from, end: to }])
    assert.ok(manifest.counts.duplicate > 5, `${manifest.counts.duplicate} duplicates`)
    await work.assertLikeLive(name)
  }
})

test('a part between two times of records', async (t) => {
  const work = await replayCase(t, { partitions: 2 })
  const start = Date.parse(new Date(Date.now() - 3_600_000).toISOString().slice(0, 19))
  for (const partition of [0, 1]) {
    const values = someValues(60).map(({ value }, at) => ({ value, timestampMs: start + at * 1_000 }))
    await work.send(values, partition)
  }
  await work.assertDrained([work.startInProcess()])
  const name = work.name()
  const at = (second: number) => new Date(start + second * 1_000).toISOString().slice(0, 19)
  const manifest = await work.run(name, ['--from', at(10), '--to', at(25)])
  assert.deepEqual(manifest.ranges, [
    { partition: 0, first: 10, end: 25 },
    { partition: 1, first: 10, end: 25 },
  ])
  await work.assertLikeLive(name)
})

test('what is sent after the replay began is no part of it, nor of the same command given again', async (t) => {
  const work = await replayCase(t)
  await work.send(someValues(200))
  const name = work.name()
  const first = await work.run(name)
  await work.send(someValues(50))
  assert.deepEqual(await work.run(name), first)
  assert.equal(first.counts.offsets, 200)
})

test('aborted records in the range, at its very end and instead of a whole partition', async (t) => {
  const work = await replayCase(t, { partitions: 2 })
  const commit = (count: number, partition: number) => inTransaction(work, count, partition, 'commit')
  const abort = (count: number, partition: number) => inTransaction(work, count, partition, 'abort')
  await commit(30, 0)
  await abort(20, 0)
  await commit(10, 0)
  await abort(5, 0)
  await abort(7, 1)
  const name = work.name()
  const { counts } = await work.run(name)
  // Each transaction ends with a marker.
  assert.deepEqual({ ...counts }, { offsets: 77, accepted: 40, duplicate: 0, rejected: {}, noMessage: 37 })
  await work.assertDrained([work.startInProcess()])
  await work.assertLikeLive(name)
  // A range that ends among aborted records: its last message stands long before.
  const cut = work.name()
  const middle = await work.run(cut, ['--from', '0:25,1:0', '--to', '0:45,1:3'])
  assert.deepEqual([middle.counts.accepted, middle.counts.noMessage], [5, 18])
  await work.assertLikeLive(cut)
})

test('retention passed: says from which offset there are events, names the archive, and leaves nothing behind', async (t) => {
  const work = await replayCase(t, { env: window })
  await work.send(someValues(600))
  await work.assertDrained([work.startInProcess()])
  await deleteBefore(work, 400)
  const name = work.name()
  for (const from of ['0:0', '0:399', '0:499']) {
    const { code, stderr } = await work.replay(['run', name, '--from', from])
    assert.equal(code, 2)
    assert.match(stderr, /has events only from offset 400 on, .*begin at 500 or later, .*archive/)
  }
  const [made] = await work.clickHouse.rows<{ count: number }>(
    'SELECT count() AS count FROM system.databases WHERE name = {name:String}',
    { name: replayDatabase(name) },
  )
  assert.equal(made!.count, 0)
  const { ranges } = await work.run(name)
  assert.deepEqual(ranges, [{ partition: 0, first: 500, end: 600 }])
  await work.assertLikeLive(name)
})

test('retention that overtakes a running replay stops it with a sentence', async (t) => {
  const work = await replayCase(t, { env: { BATCH_ROWS_MAX: '50' } })
  // A fetch brings a batch of the producer at least, so there are several.
  for (let sent = 0; sent < 3_000; sent += 200) {
    await work.send(someValues(200))
  }
  const name = work.name()
  const replay = work.startReplay(['run', name, '--rate', '100'])
  await waitFor('the replay to have begun', async () => {
    const rows = await work.clickHouse.rows(`SELECT 1 FROM ${replayDatabase(name)}.ingest_batches LIMIT 1`)
    return rows.length > 0
  })
  await deleteBefore(work, 3_000)
  const { code, stderr } = await replay.ended
  assert.equal(code, 1)
  assert.match(stderr, /retention has deleted offsets \d+-2999 of .*\/0, .*Kafka has events from 3000 on.*archive/)
})

async function deleteBefore(work: ReplayCase, offset: number): Promise<void> {
  const admin = work.kafka.admin()
  await admin.connect()
  // Loads the metadata that deleteTopicRecords wants and does not ask for (kafkajs 2.2.4).
  await admin.fetchTopicOffsets(work.topic)
  await admin.deleteTopicRecords({ topic: work.topic, partitions: [{ partition: 0, offset: String(offset) }] })
  await admin.disconnect()
}

async function inTransaction(work: ReplayCase, count: number, partition: number, end: 'commit' | 'abort') {
  const producer = work.kafka.producer({
    ...{ transactionalId: uniqueName('replayed'), idempotent: true, maxInFlightRequests: 1 },
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({
    topic: work.topic,
    messages: someValues(count).map((message) => ({ ...message, partition, timestamp: String(Date.now()) })),
  })
  await transaction[end]()
  await producer.disconnect()
}
