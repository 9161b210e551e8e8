/** A replay that is killed, stopped, joined or left by its servers goes on by the same command, and its digest is that of live. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { replayDatabase } from '../../../services/replay/names.ts'
import { replayCase, type ReplayCase } from '../../support/replay-case.ts'
import { ownStack } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const small = { BATCH_ROWS_MAX: '400' }

test('SIGKILL of one process and of a parent with two children: the same command goes on, and nobody is left behind', async (t) => {
  const work = await replayCase(t, { partitions: 2 })
  await work.simulate({ events: 12_000 })
  await work.assertDrained([work.startInProcess()])
  const name = work.name()
  for (const [kill, processes] of [
    [1, '1'],
    [2, '2'],
    [3, '1'],
  ] as const) {
    const replay = work.startReplay(['run', name, '--processes', processes, '--rate', '6000'], small)
    await waitFor('some batches', async () => (await batches(work, name)) >= kill * 4, { everyMs: 50 })
    replay.child.kill('SIGKILL')
    await replay.ended
    const group = `${work.group}-replay-${name}`
    await waitFor('the processes to have left', async () => (await work.admin.groupMembers(group)) === 0)
  }
  const inAll = await batches(work, name)
  await work.run(name, [], small)
  assert.ok((await batches(work, name)) > inAll, 'it was killed before its end')
  await work.assertLikeLive(name)
})

test('Ctrl-C stops it with exit code 130, and another shell joins the same replay', async (t) => {
  const work = await replayCase(t, { partitions: 2 })
  await work.simulate({ events: 8_000 })
  await work.assertDrained([work.startInProcess()])
  const name = work.name()
  const slow = work.startReplay(['run', name, '--rate', '2000', '--processes', '2'], small)
  await waitFor('some batches', async () => (await batches(work, name)) >= 2, { everyMs: 50 })
  slow.child.kill('SIGINT')
  const { code, stderr } = await slow.ended
  assert.equal(code, 130, stderr)
  assert.match(stderr, /the same command goes on/)
  const two = [
    work.startReplay(['run', name, '--format', 'json'], small),
    work.startReplay(['run', name, '--format', 'json'], small),
  ]
  const ended = await Promise.all(two.map((one) => one.ended))
  const digests = ended.map(({ stdout, stderr: said }) => {
    assert.ok(stdout !== '', said)
    return (JSON.parse(stdout) as { digest: string }).digest
  })
  assert.equal(digests[0], digests[1])
  await work.assertLikeLive(name)
})

test('ClickHouse killed twice while two processes replay: they go on by themselves, one digest', async (t) => {
  const stack = await ownStack(t)
  const work = await replayCase(t, { stack, partitions: 2 })
  await work.simulate({ events: 8_000 })
  await work.assertDrained([work.startInProcess()])
  const name = work.name()
  const replay = work.startReplay(['run', name, '--processes', '2', '--rate', '8000'], small)
  for (let kill = 1; kill <= 2; kill++) {
    await waitFor('some more batches', async () => (await batches(work, name)) >= kill * 5, { everyMs: 20 })
    await stack.clickhouse.kill('SIGKILL')
    await stack.clickhouse.start()
  }
  const { code, stderr } = await replay.ended
  assert.equal(code, 0, stderr)
  await work.assertLikeLive(name)
})

async function batches(work: ReplayCase, name: string): Promise<number> {
  const [row] = await work.clickHouse.rows<{ batches: number }>(
    `SELECT count() AS batches FROM ${replayDatabase(name)}.ingest_batches`,
  )
  return row!.batches
}
