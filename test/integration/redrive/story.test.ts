/** Events that came before their schema was registered: rejected, redriven, accepted, and counted once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { redriveCase } from '../../support/redrive-case.ts'

test('events of a schema that is registered late come into the tables once, byte by byte as they were', async (t) => {
  const work = await redriveCase(t, { partitions: 2 })
  const values = work.values(40)
  const keys = values.map((_, index) => (index % 4 === 0 ? null : Buffer.from([index, 0, 255])))
  const sent = values.map((value, index) => ({ value, key: keys[index]! }))
  await work.send(sent.slice(0, 25), 0)
  await work.send(sent.slice(25), 1)
  await work.send([{ value: Buffer.from('nothing of ours') }, { value: null }, { value: Buffer.alloc(70_000) }], 0)
  await work.settle()
  assert.equal(await work.count('rejected_events', `reason = 'unknown_schema'`), 40)

  await t.test('nothing is sent while it would be rejected again', async () => {
    const report = await work.redrive()
    assert.deepEqual([report.sent, report.stay, report.candidates], [0, 40, 40])
    assert.deepEqual(report.rows, [
      {
        ...{ detail: 'id 9 is not registered', reason: 'unknown_schema', reasonDetail: 'id 9 is not registered' },
        messages: 40,
      },
    ])
    assert.equal(await work.count('redriven_events'), 0)
  })

  work.register()
  await t.test('a dry run says what would be sent, and sends nothing', async () => {
    const { stdout } = await work.verb(['redrive', '--reason', 'unknown_schema', '--dry-run'])
    assert.match(stdout, /unknown_schema: id 9 is not registered +40 +would be sent/)
    assert.match(stdout, /^redrive: 40 would be sent, 0 would be rejected again and stay; 0 were redriven before$/m)
    assert.deepEqual(new Set(await work.standing(values)), new Set([1]))
    assert.equal(await work.count('redriven_events'), 0)
  })

  await t.test('days are those of the record', async () => {
    assert.equal((await work.redrive(['--to', '2020-01-01'])).candidates, 0)
  })

  await t.test('they are sent with their bytes, keys and partition, and accepted', async () => {
    const before = Date.now()
    const report = await work.redrive()
    assert.deepEqual([report.sent, report.stay, report.finished], [40, 0, true])
    const log = await work.readLog()
    const copies = log.partitions.map((messages) => messages.filter(({ timestampMs }) => timestampMs >= before))
    assert.deepEqual(
      copies.map((messages) => messages.map(({ value, key }) => ({ value, key }))),
      [sent.slice(0, 25), sent.slice(25)],
    )
    await work.settle()
    assert.equal(await work.count('intent_events'), 40)
    assert.equal(await work.count('duplicate_events'), 0)
  })

  await t.test('rejected says what became of them, in numbers and of each', async () => {
    const { stdout } = await work.verb(['rejected', '--format', 'json'])
    const { rows } = JSON.parse(stdout) as { rows: (Record<string, number> & { reason: string })[] }
    const countsOf = (reason: string) => {
      const row = rows.find((one) => one.reason === reason)!
      return [row['messages'], row['redriven'], row['accepted'], row['rejected'], row['waiting'], row['unknown']]
    }
    assert.deepEqual(countsOf('unknown_schema'), [40, 40, 40, 0, 0, 0])
    assert.deepEqual(countsOf('too_large'), [1, 0, 0, 0, 0, 0])
    assert.match(
      (await work.verb(['rejected'])).stdout,
      /^unknown_schema: id 9 is not registered +40 +40 +0 +0 +0 +0$/m,
    )
    const list = (await work.verb(['rejected', '--reason', 'unknown_schema', '--list', '50'])).stdout
    // Partition 0 held 28 messages before, then 25 copies; the first message of it became the first copy.
    assert.match(list, /^0:0 .* accepted 0:28 /m)
    assert.match(list, /^1:14 .* accepted 1:29 /m)
    const csv = (await work.verb(['rejected', '--reason', 'too_large', '--list', '1', '--format', 'csv'])).stdout
    assert.match(csv, /became,copy_offset\r\n.*,,\r\n$/)
  })

  await t.test('audit counts them and is clean', async () => {
    const { stdout, code } = await work.verb(['audit'])
    assert.equal(code, 0, stdout)
    assert.match(
      stdout,
      /^redriven: 40 of the rejected messages: 40 accepted, 0 duplicate, 0 rejected again, 0 not yet read; 0 not known$/m,
    )
  })

  await t.test('they are in the shares', async () => {
    const [row] = await work.clickHouse.rows<{ requests: number }>(
      `SELECT sum(requests) AS requests FROM ${work.database}.usage_by_cohort_daily`,
    )
    assert.equal(row!.requests, 40)
  })

  await t.test('a second run sends nothing', async () => {
    const report = await work.redrive()
    assert.deepEqual([report.sent, report.candidates, report.before], [0, 0, 40])
    assert.deepEqual(new Set(await work.standing(values)), new Set([2]))
  })

  await t.test('what nothing has mended stays, and why is said', async () => {
    const said = async (reason: string) => (await work.verb(['redrive', '--reason', reason])).stdout
    assert.match(await said('not_framed'), /not_framed: no value +1 +stay +not_framed: no value/)
    assert.match(await said('too_large'), /too_large: 70000 bytes +1 +stay +too_large: 70000 bytes/)
    // Under another bound it is no longer too large; then it is seen that it is nothing else, either.
    const { stdout } = await work.verb(['redrive', '--reason', 'too_large'], { EVENT_BYTES_MAX: '100000' })
    assert.match(stdout, /too_large: 70000 bytes +1 +stay +unknown_schema: id 0 is not registered/)
  })
})

test('a reason that is none is refused with the list', async (t) => {
  const work = await redriveCase(t)
  for (const words of [[], ['--reason', 'malformd']]) {
    const { code, stderr } = await work.verb(['redrive', ...words])
    assert.equal(code, 2)
    assert.match(stderr, /^redrive: --reason must be not_framed, unknown_schema, malformed/)
  }
})
