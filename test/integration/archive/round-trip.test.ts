/** What goes into the archive comes out of it as Kafka gave it. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import type { RangeManifest } from '../../../services/shared/io/archive-folder.ts'
import { anyTime, archiveFolder, archiveVerbs, assertSameAsLog, sendEverything } from '../../support/archive-case.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'

test('the archive holds each committed message byte for byte, whatever it is', async (t) => {
  const work = await pipelineCase(t, { partitions: 2, topicConfigs: anyTime })
  await sendEverything(work, t)
  const dir = await archiveFolder(t)
  const archive = archiveVerbs(work)
  const log = await work.readLog()

  await t.test('in one run', async () => {
    const { stdout, exitCode } = await archive('run', dir, '--range-messages', '1000', '--format', 'json')
    assert.equal(exitCode, undefined)
    const { partitions } = JSON.parse(stdout) as { partitions: { messages: number; ranges: number; next: number }[] }
    assert.deepEqual(
      partitions.map(({ messages }) => messages),
      log.partitions.map(({ length }) => length),
    )
    assert.ok(partitions[0]!.ranges > 3)
    await assertSameAsLog(dir, log)
  })

  await t.test('with both writer schemas in files of their own, and what is no event in another', async () => {
    const kinds = new Map<string, number>()
    let noMessage = 0
    for (const manifest of await manifests(dir, 0)) {
      noMessage += manifest.noMessage
      for (const { name, messages } of manifest.files) {
        kinds.set(name, (kinds.get(name) ?? 0) + messages)
      }
    }
    assert.deepEqual([...kinds.keys()].sort(), ['other.avro', 'schema-1.avro', 'schema-2.avro'])
    assert.ok([...kinds.values()].every((messages) => messages > 80))
    // Two aborted transactions, and the markers of all three.
    assert.equal(noMessage, 130 + 30 + 3)
  })

  await t.test('verify finds it whole', async () => {
    const { stdout, exitCode } = await archive('verify', dir)
    assert.match(stdout, /: whole — /)
    assert.equal(exitCode, undefined)
  })

  await t.test('a second run adds what came since, and a third nothing', async () => {
    await work.send(someValues(50), 1)
    const grown = await archive('run', dir, '--format', 'json')
    assert.equal((JSON.parse(grown.stdout) as { partitions: { messages: number }[] }).partitions[1]!.messages, 50)
    const idle = await archive('run', dir)
    assert.match(idle.stdout, /0 offsets: 0 messages/)
    await assertSameAsLog(dir, await work.readLog())
  })
})

async function manifests(dir: string, partition: number): Promise<RangeManifest[]> {
  const folder = join(dir, `partition-${partition}`)
  const ranges = await readdir(folder)
  return Promise.all(
    ranges.map(
      async (range) => JSON.parse(await readFile(join(folder, range, 'manifest.json'), 'utf8')) as RangeManifest,
    ),
  )
}
