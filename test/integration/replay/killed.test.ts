/** A replay that is killed, stopped, joined or left by its servers goes on by the same command, and its digest is that of live. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

import { createRandom } from '../../../services/producer/random.ts'
import { replayDatabase } from '../../../services/replay/names.ts'
import { archiveFolder, archiveVerbs } from '../../support/archive-case.ts'
import { assertExact } from '../../support/assert-exact.ts'
import { replayCase, type ReplayCase } from '../../support/replay-case.ts'
import { ownStack } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const small = { BATCH_ROWS_MAX: '400' }

for (const [source, kills] of [
  ['kafka', 20],
  ['archive', 6],
] as const) {
  test(`${kills} random SIGKILLs of replayers and ClickHouse, read from ${source}: the same command goes on, one digest`, async (t) => {
    const stack = await ownStack(t)
    const work = await replayCase(t, { stack, partitions: 3 })
    await work.simulate({ events: 6_000 * kills })
    await work.assertDrained([work.startInProcess()])
    const words: string[] = []
    if (source === 'archive') {
      const dir = await archiveFolder(t)
      await archiveVerbs(work)('run', dir, '--range-messages', '5000')
      words.push('--source', 'archive', dir)
    }
    const seed = Date.now() % 1_000_000
    const random = createRandom(seed)
    const name = work.name()
    const start = () =>
      work.startReplay(['run', name, ...words, '--rate', '3000', '--processes', String(random.integer(1, 3))], small)
    let replay = start()
    const killed = { replayer: 0, clickhouse: 0 }
    for (let kill = 0; kill < kills; kill++) {
      // Never twice without progress between: the kills shall meet all of the work, not its beginning.
      const before = await batches(work, name)
      const more = waitFor('another batch', async () => (await batches(work, name)) > before, { everyMs: 20 })
      const early = await Promise.race([replay.ended, more.then(() => undefined)])
      assert.equal(early, undefined, `it ended by itself before kill ${kill + 1}: ${early?.stderr}`)
      await delay(random.integer(0, 150))
      if (random.integer(0, 2) === 0) {
        killed.clickhouse++
        await stack.clickhouse.kill('SIGKILL')
        await stack.clickhouse.start()
      } else {
        killed.replayer++
        replay.child.kill('SIGKILL')
        const { code } = await replay.ended
        assert.notEqual(code, 0, 'it was killed before its end')
        // An insert that it had sent would count as progress of the next one, which may not have reached ClickHouse yet.
        await waitFor('its inserts to end', async () => !(await isInserting(work, name)), { everyMs: 20 })
        replay = start()
      }
    }
    const { code, stderr } = await replay.ended
    assert.equal(code, 0, stderr)
    t.diagnostic(`seed ${seed}; killed: replayers ${killed.replayer} times, ClickHouse ${killed.clickhouse} times`)
    await assertExact([await work.readLog()], { clickHouse: work.clickHouse, database: replayDatabase(name) })
    await work.assertLikeLive(name)
  })
}

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

test('a process that its parent starts while ClickHouse is away waits for it; a person is told at once', async (t) => {
  const stack = await ownStack(t)
  const work = await replayCase(t, { stack, partitions: 2 })
  await work.simulate({ events: 8_000 })
  await work.assertDrained([work.startInProcess()])
  const name = work.name()
  const first = work.startReplay(['run', name, '--rate', '2000'], small)
  await waitFor('some batches', async () => (await batches(work, name)) >= 2, { everyMs: 50 })
  first.child.kill('SIGINT')
  assert.equal((await first.ended).code, 130)
  await stack.clickhouse.kill('SIGKILL')
  const person = await work.startReplay(['run', name]).ended
  assert.equal(person.code, 1)
  assert.match(person.stderr, /ClickHouse at \S+ can't be reached/)
  const child = work.startReplay(['run', name, '--with-parent', '1/1'])
  await child.said('a server is away, trying again')
  await stack.clickhouse.start()
  const { code, stderr } = await child.ended
  assert.equal(code, 0, stderr)
  await work.run(name)
  await work.assertLikeLive(name)
})

/** Of a replay that may not have begun. */
async function batches(work: ReplayCase, name: string): Promise<number> {
  const [row] = await work.clickHouse.rows<{ batches: number }>(
    `SELECT total_rows AS batches FROM system.tables WHERE database = '${replayDatabase(name)}' AND name = 'ingest_batches'`,
  )
  return row?.batches ?? 0
}

async function isInserting(work: ReplayCase, name: string): Promise<boolean> {
  const running = await work.clickHouse.rows(
    `SELECT 1 FROM system.processes WHERE query_kind = 'Insert' AND position(query, {database:String}) > 0`,
    { database: replayDatabase(name) },
  )
  return running.length > 0
}
