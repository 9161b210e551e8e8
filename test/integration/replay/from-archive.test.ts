/** A replay from an archive needs no Kafka, leaves the digest of the live tables, and stops at what is damaged. */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { createRandom } from '../../../services/producer/random.ts'
import { replayDatabase } from '../../../services/replay/names.ts'
import { anyTime, archiveFolder, archiveVerbs, sendEverything } from '../../support/archive-case.ts'
import { assertExact } from '../../support/assert-exact.ts'
import { replayCase, type ReplayCase } from '../../support/replay-case.ts'
import { someValues } from '../../support/some-events.ts'

const small = { BATCH_ROWS_MAX: '400' }
const noKafka = { KAFKA_BROKERS: '127.0.0.1:1', KAFKA_MEMBERSHIPS: '1' }

/** A log with everything that a log can hold, stored by a classifier, and its archive. */
async function archived(t: TestContext, partitions: number): Promise<{ work: ReplayCase; dir: string }> {
  const work = await replayCase(t, { partitions, topicConfigs: anyTime })
  await sendEverything(work, t)
  await work.assertDrained([work.startInProcess()])
  const dir = await archiveFolder(t)
  await archiveVerbs(work)('run', dir, '--range-messages', '700')
  return { work, dir }
}

test('one digest from Kafka, from the archive by 1 and 2 processes, and of the live tables; tables like the log', async (t) => {
  const { work, dir } = await archived(t, 3)
  const digests = [(await work.run(work.name())).digest]
  for (const [processes, env] of [
    ['1', { ...noKafka, BATCH_ROWS_MAX: '100000' }],
    ['1', { KAFKA_BROKERS: '127.0.0.1:1', ...small }],
    ['2', { ...noKafka, ...small }],
  ] as const) {
    const name = work.name()
    const { digest } = await work.run(name, ['--source', 'archive', dir, '--processes', processes], env)
    digests.push(digest)
    await assertExact([await work.readLog()], { clickHouse: work.clickHouse, database: replayDatabase(name) })
    await work.assertLikeLive(name)
    const { code, stdout } = await work.replay(['verify', name])
    assert.equal(code, 0, stdout)
  }
  assert.equal(new Set(digests).size, 1, digests.join())
})

test('a part in the middle, by offsets and by time: its lead-in comes from the archive as it does from Kafka', async (t) => {
  const work = await replayCase(t, { env: { DUPLICATE_WINDOW_OFFSETS: '100' } })
  const start = Date.parse(new Date(Date.now() - 3_600_000).toISOString().slice(0, 19))
  const values = someValues(500)
  // Each fifth is a copy of what stands 60 to 140 offsets before it.
  const copied = values.map((one, at) => (at < 140 || at % 5 > 0 ? one : values[at - 60 - (at % 81)]!))
  await work.send(copied.map(({ value }, at) => ({ value, timestampMs: start + at * 1_000 })))
  await work.assertDrained([work.startInProcess()], { fates: { duplicateWindowOffsets: 100 } })
  const dir = await archiveFolder(t)
  await archiveVerbs(work)('run', dir, '--range-messages', '60')
  const at = (second: number) => new Date(start + second * 1_000).toISOString().slice(0, 19)
  for (const bounds of [
    ['--from', '0:310', '--to', '0:430'],
    ['--from', at(150), '--to', at(260)],
  ]) {
    const [kafka, archive] = [
      await work.run(work.name(), bounds),
      await work.run(work.name(), ['--source', 'archive', dir, ...bounds], noKafka),
    ]
    assert.deepEqual(archive.ranges, kafka.ranges)
    assert.equal(archive.digest, kafka.digest)
    assert.ok(archive.counts.duplicate > 5, `${archive.counts.duplicate} duplicates`)
  }

  // An archive that begins at 200 can't know which of its first events are copies.
  const late = await archiveFolder(t)
  await archiveVerbs(work)('run', late, '--from', '0:200')
  const refused = await work.replay(['run', work.name(), '--source', 'archive', late, '--from', '0:250'], noKafka)
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /was archived only from offset 200 on, .*begin at 300 or later$/)
  const { ranges } = await work.run(work.name(), ['--source', 'archive', late], noKafka)
  assert.deepEqual(ranges, [{ partition: 0, first: 300, end: 500 }])
})

test('two shells replay one name from an archive at once: one digest', async (t) => {
  const work = await replayCase(t, { partitions: 2 })
  await work.simulate({ events: 12_000 })
  await work.assertDrained([work.startInProcess()])
  const dir = await archiveFolder(t)
  await archiveVerbs(work)('run', dir, '--range-messages', '2000')
  const name = work.name()
  const env = { KAFKA_BROKERS: '127.0.0.1:1', ...small }
  const shells = [1, 2].map(() => work.startReplay(['run', name, '--source', 'archive', dir, '--format', 'json'], env))
  const ended = await Promise.all(shells.map((shell) => shell.ended))
  for (const { code, stderr } of ended) {
    assert.equal(code, 0, stderr)
  }
  await assertExact([await work.readLog()], { clickHouse: work.clickHouse, database: replayDatabase(name) })
  await work.assertLikeLive(name)
  const dropped = await work.replay(['drop', name, '--yes'], { KAFKA_BROKERS: '127.0.0.1:1' })
  assert.equal(dropped.code, 0, dropped.stderr)
})

test('a byte changed, a file missing, a range missing: says which file and offsets, and stops', async (t) => {
  const work = await replayCase(t)
  await work.simulate({ events: 2_500 })
  const dir = await archiveFolder(t)
  await archiveVerbs(work)('run', dir, '--range-messages', '600')
  const ranges = globSync(join(dir, 'partition-0/*')).sort()
  assert.ok(ranges.length >= 4)
  const [first, last] = basename(ranges[2]!).split('-').map(Number) as [number, number]

  async function expectStop(change: (copy: string) => Promise<void>, expected: RegExp, held: boolean): Promise<void> {
    const copy = `${await archiveFolder(t)}-copy`
    await cp(dir, copy, { recursive: true })
    await change(copy)
    const name = work.name()
    const { code, stderr } = await work.replay(['run', name, '--source', 'archive', copy], { ...noKafka, ...small })
    assert.equal(code, 1)
    assert.match(stderr, expected)
    // What stands before the damage is stored or not even begun; nothing from there on is.
    const [row] = await work.clickHouse.rows<{ end: number }>(
      held
        ? `SELECT max(last_offset) + 1 AS end FROM ${replayDatabase(name)}.ingest_batches`
        : `SELECT count() AS end FROM system.databases WHERE name = '${replayDatabase(name)}'`,
    )
    assert.ok(row!.end <= (held ? first : 0), `${row!.end}`)
  }

  const file = globSync(join(ranges[2]!, 'schema-2.avro'))[0]!
  const inCopy = (copy: string) => join(copy, file.slice(dir.length))
  const place = `${basename(ranges[2]!)}/schema-2.avro \\(partition 0, offsets \\d+ to \\d+\\)`
  await expectStop(
    async (copy) => {
      const bytes = await readFile(file)
      bytes[createRandom(Date.now() % 1_000_000).integer(0, bytes.length - 1)]! ^= 1
      await writeFile(inCopy(copy), bytes)
    },
    new RegExp(`${place}: its bytes are not those that were written`),
    true,
  )
  await expectStop((copy) => rm(inCopy(copy)), new RegExp(`${place}: it is missing`), true)
  await expectStop(
    (copy) => rm(dirname(inCopy(copy)), { recursive: true }),
    new RegExp(`does not hold offsets ${first} to ${last} of partition 0`),
    false,
  )
  const none = await work.replay(['run', work.name(), '--source', 'archive', join(dir, 'partition-0')], noKafka)
  assert.match(none.stderr, /partition-0 is no archive: it has no archive\.json/)
})
