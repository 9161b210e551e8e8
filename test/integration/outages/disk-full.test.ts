/** ClickHouse's disk runs full: the classifier waits, says why, and is exact after room was made. A small tmpfs is the disk. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { startStack } from '../../../services/local/stack.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { readDescribedStack, describeStack } from '../../support/described-stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const run = promisify(execFile)
const diskMegabytes = 448
/** Below what `infra/clickhouse/config.xml` keeps free. */
const leftFreeMegabytes = 128

test('waits while the disk is full, says so, and is exact when there is room again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-full-'))
  const ending = [() => rm(folder, { recursive: true, force: true })]
  const disk = join(folder, 'clickhouse')
  await mkdir(disk)
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m`, 'tmpfs', disk])
  } catch (thrown) {
    t.skip(`a tmpfs can't be mounted here (${String(thrown).split('\n')[0]})`)
    return
  }
  ending.push(async () => void (await run('umount', ['--lazy', disk])))
  t.after(async () => {
    for (const end of ending.toReversed()) {
      await end()
    }
  })
  const stack = await startStack({ dataDir: folder })
  ending.push(() => stack.stop())
  const work = await pipelineCase(t, {
    stack: readDescribedStack(describeStack(stack)),
    partitions: 2,
    // The joining of a second member may end the first one's membership, which is not what is counted here.
    env: { BATCH_ROWS_MAX: '2000', KAFKA_MEMBERSHIPS: '1' },
  })
  await work.simulate({ events: 20_000 })
  const classifier = work.startProcess()
  await classifier.logged('batch settled', 3)
  const joined = await classifier.counter('intent_ledger_memberships_total')

  const ballast = join(disk, 'ballast')
  const { bavail, bsize } = await statfs(disk)
  await writeFile(ballast, Buffer.alloc(bavail * bsize - leftFreeMegabytes * 2 ** 20))
  await work.simulate({ events: 60_000 })
  const log = await work.readLog()
  await waitFor('the classifier to say that the disk is full', async () =>
    /ClickHouse at \S+ has too little room on its disk, make room: Could not perform insert/.test(
      (await classifier.notReady()) ?? '',
    ),
  )
  classifier.assertAlive()
  assert.equal(await classifier.counter('intent_ledger_memberships_total'), joined)

  await rm(ballast)
  await waitFor('the classifier to be ready', async () => (await classifier.notReady()) === undefined)
  await work.assertDrained([classifier], { logs: [log] })
})
