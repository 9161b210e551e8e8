/** Where an archive begins, ends and goes on, and what it says of offsets that are gone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readArchive, readArchiveIndex } from '../../../services/shared/io/archive-reader.ts'
import { archiveFolder, archiveVerbs, assertSameAsLog, readBack } from '../../support/archive-case.ts'
import { deleteBefore, makeAnew } from '../../support/lost-log.ts'
import { waitFor } from '../../support/wait-for.ts'
import { pipelineCase, type PipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'
import { transactions } from '../../support/transactions.ts'

/** Messages whose times are a second apart, from 12:00 on. */
const noonMs = Date.UTC(2026, 2, 14, 12)
const sendTimed = (work: PipelineCase, count: number, fromMs = noonMs) =>
  work.send(someValues(count).map((message, index) => ({ ...message, timestampMs: fromMs + index * 1_000 })))

test('--from and --to by offsets and by record times', async (t) => {
  const work = await pipelineCase(t)
  await sendTimed(work, 100)
  const archive = archiveVerbs(work)
  const [log] = (await work.readLog()).partitions
  for (const [words, first, end] of [
    [['--from', '0:10', '--to', '0:90'], 10, 90],
    [['--from', '2026-03-14T12:00:30', '--to', '2026-03-14T12:01Z'], 30, 60],
    [['--to', '2026-03-14T12:00:05Z'], 0, 5],
    [['--from', '2026-03-14'], 0, 100],
  ] as const) {
    const dir = await archiveFolder(t)
    await archive('run', dir, ...words)
    assert.deepEqual(await readBack(dir, 0), log!.slice(first, end), words.join(' '))
    assert.equal((await archive('verify', dir)).exitCode, undefined)
    // The same command again finds that it is done.
    assert.match((await archive('run', dir, ...words)).stdout, /0 offsets: 0 messages/)
  }

  const dir = await archiveFolder(t)
  await archive('run', dir, '--from', '0:40', '--to', '0:50')
  for (const [words, said] of [
    [
      ['--from', '0:39'],
      /--from begins at offset 39 of partition 0, the archive at 40: an archive grows at its end alone/,
    ],
    [
      ['--from', '0:51'],
      /--from begins at offset 51 of partition 0, the archive ends before 50: that would leave a gap/,
    ],
    [['--to', '0:101'], /partition 0 ends at offset 100, before --to 0:101/],
    [['--from', '7:1'], /has no partition 7/],
    [['--from', 'yesterday'], /--from yesterday is no place in the log; give a time as /],
    [['--from', '0:1,0:2'], /is no place in the log/],
    [['--follow', '--to', '0:1'], /--follow has no end, so leave --to out/],
    [['--range-mb', '0', '--format', 'csv'], /--range-mb must be at least 1; --format must be table or json/],
  ] as const) {
    await assert.rejects(archive('run', dir, ...words), said)
  }
  await archive('run', dir, '--from', '0:45')
  assert.deepEqual(await readBack(dir, 0), log!.slice(40))
})

test('offsets that retention deleted are a gap that the archive says, and reading across it stops', async (t) => {
  const work = await pipelineCase(t)
  await sendTimed(work, 100)
  const dir = await archiveFolder(t)
  const archive = archiveVerbs(work)
  await archive('run', dir)
  await sendTimed(work, 200, noonMs + 100_000)
  const log = await work.readLog()
  await deleteBefore(work, 180)

  const { stderr, stdout } = await archive('run', dir)
  assert.match(stderr, /partition 0: retention has deleted offsets 100 to 179 before they were archived/)
  assert.match(stdout, /200 offsets: 120 messages, 0 without a message, 80 expired/)
  const verified = await archive('verify', dir, '--format', 'json')
  assert.equal(verified.exitCode, undefined)
  const { partitions } = JSON.parse(verified.stdout) as { partitions: object[] }
  const [counts] = partitions as [{ bytes: number }]
  const expected = { partition: 0, start: 0, next: 300, ranges: 3, messages: 220, noMessage: 0, expired: 80 }
  assert.deepEqual(counts, { ...expected, bytes: counts.bytes })

  const index = await readArchiveIndex(dir)
  const offsets: number[] = []
  await assert.rejects(
    async () => {
      for await (const { records } of readArchive(dir, index, { partition: 0, first: 90, last: 250 })) {
        while (records.next()) {
          offsets.push(records.record.offset)
        }
      }
    },
    { code: 'log_expired', message: /offsets 100 to 179 of partition 0 were deleted by retention/ },
  )
  assert.deepEqual(offsets, [90, 91, 92, 93, 94, 95, 96, 97, 98, 99])
  const after: number[] = []
  for await (const { records } of readArchive(dir, index, { partition: 0, first: 180, last: 299 })) {
    while (records.next()) {
      after.push(records.record.offset)
    }
  }
  assert.deepEqual(
    after,
    log.partitions[0]!.slice(180).map(({ offset }) => offset),
  )
})

test('an open transaction is no part of a closed range; a later run has it', async (t) => {
  const work = await pipelineCase(t)
  const send = await transactions(work, t)
  await work.send(someValues(20))
  const open = await send.begin(someValues(30))
  await work.send(someValues(10))
  const dir = await archiveFolder(t)
  const archive = archiveVerbs(work)
  assert.match((await archive('run', dir)).stdout, /^0 +0 +20 +1 +20 /m)
  await open.commit()
  // Kafka answers a commit before its marker stands in the partition.
  await waitFor('the marker', async () => (await work.admin.watermarks(work.topic))[0]!.high === 61)
  assert.match((await archive('run', dir)).stdout, /^0 +20 +61 +1 +40 +1 /m)
  await assertSameAsLog(dir, await work.readLog())
})

test('a topic that was made anew is another log: its archive is refused', async (t) => {
  const work = await pipelineCase(t)
  await work.send(someValues(20))
  const dir = await archiveFolder(t)
  await archiveVerbs(work)('run', dir)
  await makeAnew(work)
  await work.send(someValues(20))
  await assert.rejects(
    archiveVerbs(work)('run', dir),
    /is the archive of topic .* with the id .*: choose another folder/,
  )
})
