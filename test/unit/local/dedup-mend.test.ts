import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findDanglingRecords, mendDeduplicationLogs, parseDedupLog } from '../../../services/local/dedup-mend.ts'

const add = (part: string, blockId = `block-of-${part}`) => ({ operation: 'add' as const, part, blockId })
const drop = (part: string, blockId = `block-of-${part}`) => ({ operation: 'drop' as const, part, blockId })

const cases: {
  what: string
  records: ReturnType<typeof add | typeof drop>[]
  folders: string[]
  dangling: string[]
}[] = [
  {
    what: 'a part that was never renamed',
    records: [add('7_5_5_0')],
    folders: ['tmp_insert_7_1_1_0'],
    dangling: ['7_5_5_0'],
  },
  { what: 'a part that is there', records: [add('7_5_5_0')], folders: ['7_5_5_0', 'tmp_insert_7_1_1_0'], dangling: [] },
  {
    what: 'a part that is there, mutated',
    records: [add('7_5_5_0')],
    folders: ['7_5_5_0_9', 'tmp_insert_7_6_6_0'],
    dangling: [],
  },
  {
    what: 'a part that was merged',
    records: [add('7_5_5_0')],
    folders: ['7_1_9_2', 'tmp_insert_7_6_6_0'],
    dangling: [],
  },
  {
    what: 'a merge that ends one block before',
    records: [add('7_5_5_0')],
    folders: ['7_1_4_1', 'tmp_insert_7_1_1_0'],
    dangling: ['7_5_5_0'],
  },
  {
    what: 'a merge that starts one block after',
    records: [add('7_5_5_0')],
    folders: ['7_6_9_1', 'tmp_insert_7_1_1_0'],
    dangling: ['7_5_5_0'],
  },
  {
    what: 'a merge of another partition',
    records: [add('7_5_5_0')],
    folders: ['8_1_9_1', 'tmp_insert_7_1_1_0'],
    dangling: ['7_5_5_0'],
  },
  {
    what: 'a part of a lower level',
    records: [add('7_5_5_1')],
    folders: ['7_5_5_0', 'tmp_insert_7_1_1_1'],
    dangling: ['7_5_5_1'],
  },
  { what: 'a merge that was not finished', records: [add('7_5_5_0')], folders: ['tmp_merge_7_1_9_1'], dangling: [] },
  { what: 'a partition that was swapped out', records: [add('7_5_5_0')], folders: ['7_6_6_0'], dangling: [] },
  {
    what: 'an unfinished part of another partition',
    records: [add('7_5_5_0')],
    folders: ['tmp_insert_8_1_1_0'],
    dangling: [],
  },
  {
    what: 'a note that was taken back',
    records: [add('7_5_5_0'), drop('7_5_5_0')],
    folders: ['tmp_insert_7_1_1_0'],
    dangling: [],
  },
  {
    what: 'only the last note of a partition',
    records: [add('7_4_4_0'), add('8_6_6_0'), add('7_5_5_0')],
    folders: ['8_6_6_0', 'tmp_insert_7_1_1_0'],
    dangling: ['7_5_5_0'],
  },
]

for (const { what, records, folders, dangling } of cases) {
  test(`takes back ${dangling.length === 0 ? 'nothing' : dangling.join()} for ${what}`, () => {
    assert.deepEqual(
      findDanglingRecords(records, folders).map((record) => record.part),
      dangling,
    )
  })
}

test('reads the format that ClickHouse 26.7 writes, and leaves out a last line that was cut off', () => {
  assert.deepEqual(parseDedupLog('1\t0_1_1_0\t0_15_10\n2\t0_1_1_0\t0_15_10\n1\t0_2_2'), [
    { operation: 'add', part: '0_1_1_0', blockId: '0_15_10' },
    { operation: 'drop', part: '0_1_1_0', blockId: '0_15_10' },
  ])
})

test('refuses a format it does not know', () => {
  assert.throws(() => parseDedupLog('3\tx\ty\n'), /not "1\|2, part, block id"/)
})

test('appends to the newest of the rotated logs, once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-mend-'))
  t.after(() => rm(folder, { recursive: true }))
  const table = join(folder, 'store', 'abc', 'abc-def')
  const logs = join(table, 'deduplication_logs')
  await mkdir(logs, { recursive: true })
  await mkdir(join(table, 'tmp_insert_7_1_1_0'))
  await writeFile(join(logs, 'deduplication_log_9.txt'), '1\t7_4_4_0\tb4\n')
  await writeFile(join(logs, 'deduplication_log_10.txt'), '1\t7_5_5_0\tb5\n')

  assert.equal(await mendDeduplicationLogs(folder), 1)
  assert.equal(await mendDeduplicationLogs(folder), 0)
  assert.equal(await readFile(join(logs, 'deduplication_log_10.txt'), 'utf8'), '1\t7_5_5_0\tb5\n2\t7_5_5_0\tb5\n')
})

test('does nothing in a folder without data', async () => {
  assert.equal(await mendDeduplicationLogs(join(tmpdir(), 'intent-ledger-no-such-folder')), 0)
})
