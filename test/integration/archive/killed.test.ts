/** Whoever comes after a killed process goes on: no offset is missing, none is there twice, no file is half. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'

import { createRandom } from '../../../services/producer/random.ts'
import { verifyArchive } from '../../../services/archive/verify.ts'
import { archiveFolder, assertSameAsLog } from '../../support/archive-case.ts'
import { cliEnvironment, startCli } from '../../support/cli.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { ownStack } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const kills = 6
/** Far more than are read until the last kill, also where a kill comes late. */
const events = 30_000
const ranges = ['--range-messages', '200']

test('SIGKILL at random moments, and going on', async (t) => {
  const work = await pipelineCase(t, { partitions: 2 })
  await work.simulate({ events })
  const log = await work.readLog()
  const dir = await archiveFolder(t)
  const env = { ...cliEnvironment(work.stack), KAFKA_TOPIC: work.topic }
  const seed = Date.now() % 1_000_000
  const random = createRandom(seed)
  t.diagnostic(`seed ${seed}`)
  const rangesNow = () => globSync(join(dir, 'partition-*/[0-9]*-*')).length
  const unfinishedNow = () => globSync(join(dir, '**/.unfinished-*')).length

  let leftovers = 0
  const reached: number[] = []
  for (let killed = 0; killed < kills; killed++) {
    const before = rangesNow()
    const { child } = startCli(['archive', 'run', dir, ...ranges], env)
    await waitFor('some ranges', () => Promise.resolve(rangesNow() >= before + random.integer(1, 10)))
    await delay(random.integer(0, 20))
    child.kill('SIGKILL')
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    assert.ok(signal === 'SIGKILL' || code === 0)
    leftovers += unfinishedNow()
    reached.push(rangesNow())
    assert.deepEqual((await verifyArchive(dir, { onProgress: () => undefined })).faults, [])
  }
  t.diagnostic(`ranges in place after each kill: ${reached.join(', ')}; ${leftovers} unfinished folders and files left`)
  assert.ok(leftovers > 0)
  assert.ok(reached.at(-1)! < events / 200)

  const { code, stderr } = await startCli(['archive', 'run', dir, ...ranges], env).ended
  assert.equal(code, 0, stderr)
  assert.equal(unfinishedNow(), 0)
  await assertSameAsLog(dir, log)
  assert.deepEqual((await verifyArchive(dir, { onProgress: () => undefined })).faults, [])
})

test('Kafka killed while it reads: it says so, waits, and the archive is whole', async (t) => {
  const stack = await ownStack(t)
  const work = await pipelineCase(t, { stack, partitions: 2 })
  await work.simulate({ events })
  const log = await work.readLog()
  const dir = await archiveFolder(t)
  const env = { ...cliEnvironment(stack), KAFKA_TOPIC: work.topic }
  const running = startCli(['archive', 'run', dir, ...ranges], env)
  let said = ''
  running.child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await waitFor('some ranges', () => Promise.resolve(globSync(join(dir, 'partition-*/[0-9]*-*')).length >= 5))
  await stack.kafka.kill('SIGKILL')
  await waitFor('it to say so', () => Promise.resolve(said.includes('trying again')))
  await stack.kafka.start()
  const { code, stderr } = await running.ended
  assert.equal(code, 0, stderr)
  await assertSameAsLog(dir, log)
})

test('a second process is refused while one writes; one that follows puts in place what it has when it is stopped', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 500 })
  const dir = await archiveFolder(t)
  const env = { ...cliEnvironment(work.stack), KAFKA_TOPIC: work.topic }
  const unfinished = () => globSync(join(dir, 'partition-0/.unfinished-*'))
  const start = (...words: string[]) => {
    const cli = startCli(['archive', 'run', dir, '--follow', ...words], env)
    return {
      async stop() {
        cli.child.kill('SIGTERM')
        const { code, stderr } = await cli.ended
        assert.equal(code, 0, stderr)
      },
    }
  }
  const following = start('--range-seconds', '1')
  await waitFor('a range by its age', () => Promise.resolve(globSync(join(dir, 'partition-0/[0-9]*')).length > 0))
  const second = await startCli(['archive', 'run', dir], env).ended
  assert.equal(second.code, 2)
  assert.match(second.stderr, /another process writes to the archive/)
  await following.stop()

  await work.simulate({ events: 300 })
  const log = await work.readLog()
  const patient = start('--range-seconds', '3600')
  await waitFor('a range under way', () => Promise.resolve(unfinished().length > 0))
  await patient.stop()
  assert.deepEqual(unfinished(), [])
  assert.equal((await startCli(['archive', 'run', dir], env).ended).code, 0)
  await assertSameAsLog(dir, log)
})
