/** Committed offsets that were deleted or reset, log that retention deleted, a topic made anew: the ledger decides where to go on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { waitUntilDrained } from '../../support/assert-exact.ts'
import { asAdmin, deleteBefore, makeAnew } from '../../support/lost-log.ts'
import { pipelineCase, type PipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'
import { waitFor } from '../../support/wait-for.ts'

/** A case whose 1,000 events are stored, and 1,000 more that are not. */
async function halfRead(t: Parameters<typeof pipelineCase>[0]): Promise<PipelineCase> {
  const work = await pipelineCase(t)
  await work.simulate({ events: 1_000 })
  await work.assertDrained([work.startInProcess()])
  await work.simulate({ events: 1_000 })
  return work
}

test('deleted offsets of the group: goes on where the ledger ends', async (t) => {
  const work = await halfRead(t)
  await asAdmin(work, (admin) => admin.deleteGroups([work.group]))
  await work.assertDrained([work.startInProcess()])
})

for (const [what, offset] of [
  ['the beginning', 0],
  ['the middle of what is stored', 300],
  ['the end of the log', undefined],
  ['an offset the log does not have', 999_999],
] as const) {
  test(`offsets reset to ${what}: goes on where the ledger ends`, async (t) => {
    const work = await halfRead(t)
    const [mark] = await work.admin.watermarks(work.topic)
    await resetOffset(work, offset ?? mark!.high)
    await work.assertDrained([work.startInProcess()], { timeoutMs: 20_000 })
  })
}

test('a plan deleted before its first insert: the range is planned anew', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 2_000 })
  assert.equal(await work.startProcess({ STOP_AT: 'after_plan:2' }).ended(), 'SIGKILL')
  await waitFor('the group to be empty', async () => (await work.admin.groupMembers(work.group)) === 0)
  await asAdmin(work, (admin) => admin.deleteGroups([work.group]))
  await work.assertDrained([work.startInProcess()])
})

test('a plan deleted in the middle of its inserts: stops and says so, instead of storing them twice', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 2_000 })
  assert.equal(await work.startProcess({ STOP_AT: 'after_accepted:2' }).ended(), 'SIGKILL')
  await waitFor('the group to be empty', async () => (await work.admin.groupMembers(work.group)) === 0)
  await asAdmin(work, (admin) => admin.deleteGroups([work.group]))
  await assert.rejects(
    work.startInProcess().running,
    /rows after the ledger's end \d+, and no plan explains them.*repair/,
  )
})

test('records that retention deleted before they were read are in the ledger as expired', async (t) => {
  const work = await halfRead(t)
  const log = await work.readLog()
  const stored = await ledgerEnd(work)
  await deleteBefore(work, stored + 400)
  const judged = await work.assertDrained([work.startInProcess()], {
    logs: [log],
    expired: { 0: [stored, stored + 399] },
  })
  assert.equal(judged.length, log.partitions[0]!.length - 400)
})

test('records deleted while a slow classifier runs are in the ledger as expired, and it goes on', async (t) => {
  const work = await pipelineCase(t, { env: { SESSION_TIMEOUT_MS: '20000' } })
  await work.send(someValues(100))
  const slow = work.startProcess({ STOP_AT: 'after_done', STOP_SIGNAL: 'SIGSTOP' })
  await slow.atStep()
  const stored = await ledgerEnd(work)
  await work.send(someValues(500))
  const log = await work.readLog()
  await deleteBefore(work, stored + 400)
  slow.child.kill('SIGCONT')
  await work.assertDrained([slow], { logs: [log], expired: { 0: [stored, stored + 399] }, timeoutMs: 20_000 })
})

test('a topic deleted and made anew under its name: the rows of both logs, none for another', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 1_000 })
  const old = await work.readLog()
  await work.assertDrained([work.startInProcess()])
  await makeAnew(work)
  await work.simulate({ events: 1_500 })
  const made = await work.readLog()
  assert.notEqual(old.topicId, made.topicId)
  await work.assertDrained([work.startInProcess()], { logs: [old, made] })
})

test('a topic deleted and made anew while the classifier runs: the new log is read from its beginning', async (t) => {
  const work = await pipelineCase(t, { env: { SESSION_TIMEOUT_MS: '20000' } })
  await work.send(someValues(100))
  const old = await work.readLog()
  const classifier = work.startProcess()
  await waitUntilDrained([old], { ...work, check: classifier.assertAlive })
  classifier.child.kill('SIGSTOP')
  await makeAnew(work)
  await work.send(someValues(50))
  classifier.child.kill('SIGCONT')
  await waitFor('the new log to be known', async () => (await work.readLog()).partitions[0]!.length === 50)
  await work.assertDrained([classifier], { logs: [old, await work.readLog()], timeoutMs: 20_000 })
})

/** As `kafka-consumer-groups --reset-offsets` does: an offset alone, without metadata. */
async function resetOffset(work: PipelineCase, offset: number): Promise<void> {
  const consumer = work.kafka.consumer({ groupId: work.group, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topics: [work.topic] })
  const joined = new Promise((resolve) =>
    consumer.on(consumer.events.GROUP_JOIN, (event) => {
      // Or it would notice itself that the offset does not exist, and commit another.
      consumer.pause([{ topic: work.topic }])
      resolve(event)
    }),
  )
  await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() })
  await joined
  await consumer.commitOffsets([{ topic: work.topic, partition: 0, offset: String(offset) }])
  await consumer.disconnect()
  assert.equal((await work.admin.committed(work.group, work.topic)).get(0)!.offset, offset)
}

async function ledgerEnd(work: PipelineCase): Promise<number> {
  const [row] = await work.clickHouse.rows<{ end: number }>(
    `SELECT max(last_offset) + 1 AS end FROM ${work.database}.ingest_batches`,
  )
  return row!.end
}
