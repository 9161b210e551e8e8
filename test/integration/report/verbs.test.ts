/** The report verbs through the command line's own parser, on a drained pipeline. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { tableColumnsMax } from '../../../services/shared/io/render.ts'
import { auditCase } from '../../support/audit-case.ts'
import { reportVerbs } from '../../support/report-verbs.ts'

test('the report verbs', async (t) => {
  const work = await auditCase(t, { partitions: 2 })
  await work.simulate({ households: 150, days: 4 })
  const judged = await work.assertDrained([work.startInProcess()])
  const run = reportVerbs(work, t)
  const count = (fate: string) => judged.filter((one) => one.fate === fate).length

  await t.test('share names its window, hides small cells and fits 100 columns', async () => {
    const { stdout } = await run('share', '--by', 'product,cohort_month')
    assert.match(
      stdout,
      /^usage share, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d, 4 days \(UTC\), the last whole days with data\n/,
    )
    assert.match(stdout, /product +activated +requests +households +strict +broad/)
    assert.match(stdout, /echo .* \d+\.\d\d % \((<= )?\d+\.\d\d/)
    assert.match(stdout, /hidden +hidden/)
    assertFits(stdout)
  })

  await t.test('share as JSON is one document that says what was asked', async () => {
    const { stdout } = await run(
      'share',
      '--by',
      'none',
      '--product',
      'echo',
      '--plans',
      'prime,music',
      '--format',
      'json',
    )
    const document = JSON.parse(stdout) as { window: { days: number }; parameters: object; rows: object[] }
    assert.deepEqual(document.parameters, { by: [], product: 'echo', cohort: '', country: '', plans: 'music,prime' })
    assert.equal(document.window.days, 4)
    assert.equal(document.rows.length, 1)
  })

  await t.test('share as CSV has a header and a line a cell', async () => {
    const { stdout } = await run('share', '--by', 'country', '--format', 'csv')
    const lines = stdout.split('\r\n')
    assert.match(lines[0]!, /^country,taxonomy_version,requests,households,strict_share,/)
    assert.ok(lines.length > 2 && lines.at(-1) === '')
  })

  await t.test('a window without data says that there are no requests', async () => {
    const { stdout } = await run('share', '--from', '2001-01-01', '--to', '2001-01-31')
    assert.match(stdout, /2001-01-01 to 2001-01-31, 31 days \(UTC\), as asked for\nno requests\n$/)
  })

  await t.test('intents lists each class', async () => {
    const { stdout } = await run('intents', '--limit', '3')
    for (const valueClass of ['direct', 'assisted', 'entitlement', 'free', 'not_a_request']) {
      assert.match(stdout, new RegExp(`^${valueClass} `, 'm'))
    }
    assertFits(stdout)
  })

  await t.test('rejected counts by reason, and lists messages with their first bytes', async () => {
    const { stdout } = await run('rejected')
    assert.match(stdout, new RegExp(`^all +${count('rejected').toLocaleString('en-US')}$`, 'm'))
    assertFits(stdout)
    const { stdout: listed } = await run('rejected', '--list', '7', '--reason', 'not_framed', '--format', 'json')
    const { rows } = JSON.parse(listed) as { rows: { reason: string; first_bytes: string | null }[] }
    assert.ok(rows.length > 0 && rows.length <= 7)
    assert.ok(rows.every((row) => row.reason === 'not_framed'))
    assertFits((await run('rejected', '--list', '50')).stdout)
    const today = new Date().toISOString().slice(0, 10)
    assert.match((await run('rejected', '--from', today)).stdout, /^all /m)
    assert.equal((await run('rejected', '--to', '2001-01-01')).stdout, 'no rejected messages\n')
  })

  await t.test('audit is clean and exits 0; with a difference it names it and exits 1', async () => {
    const honest = await run('audit')
    assert.equal(honest.exitCode, undefined)
    const sums = `${judged.length.toLocaleString('en-US')} offsets: ${count('accepted').toLocaleString('en-US')} accepted`
    assert.ok(honest.stdout.includes(`audit: clean — ${sums}`), honest.stdout)
    await work.tamper(
      'ALTER TABLE {db}.rejected_events DELETE WHERE kafka_offset = (SELECT max(kafka_offset) FROM {db}.rejected_events)',
    )
    const tampered = await run('audit')
    assert.equal(tampered.exitCode, 1)
    assert.match(tampered.stdout, /^rows_differ: rejected_events .*: expected \d+ rejected rows, .*, found \d+ rows/m)
    assert.match(tampered.stdout, /^audit: 1 difference — /m)
  })

  await t.test('repair says what it would do, wants --yes without a terminal, and mends', async () => {
    const dry = await run('repair', '--dry-run')
    assert.match(dry.stdout, /^would read .* again and put its rows in place$/m)
    assert.equal(dry.exitCode, 1)
    const mended = await run('repair', '--yes')
    assert.match(mended.stdout, /^audit: clean — /m)
    assert.equal(mended.exitCode, undefined)
    assert.match((await run('repair', '--dry-run')).stdout, /^nothing to repair$/m)
  })

  await t.test('repair refuses while a classifier runs', async () => {
    const member = work.kafka.consumer({ groupId: work.group })
    const joined = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve))
    await member.connect()
    await member.subscribe({ topics: [work.topic] })
    await member.run({ autoCommit: false, eachBatch: () => Promise.resolve() })
    await joined
    await assert.rejects(run('repair', '--yes'), /1 classifier of group .* is running; stop it first/)
    await member.disconnect()
  })

  await t.test('mistakes are said in one sentence, all of a call together', async () => {
    await assert.rejects(run('share', '--from', '2026-02-30', '--by', 'product,household', '--format', 'xml'), {
      message:
        'share: --from must be a day as 2026-03-31; --by has no dimension household; there are product, cohort_month, ' +
        'country, plans, day, or none; --format must be table, json, csv',
    })
    await assert.rejects(
      run('share', '--from', '2026-03-02', '--to', '2026-03-01'),
      /--from 2026-03-02 is a day after --to/,
    )
  })
})

function assertFits(text: string): void {
  for (const line of text.split('\n')) {
    assert.ok(line.length <= tableColumnsMax, `${line.length} columns: ${line}`)
  }
}
