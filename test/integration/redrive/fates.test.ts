/** What can become of a copy, and what `rejected` and `audit` say of each; an audit that was tampered with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createEventEncoder } from '../../../services/shared/io/avro.ts'
import { deleteBefore, makeAnew } from '../../support/lost-log.ts'
import { redriveCase, unknownId, type RedriveCase } from '../../support/redrive-case.ts'
import { latestSchema, schemaWithRoom } from '../../support/schema-registry.ts'
import { someEvent } from '../../support/some-events.ts'

async function audited(work: RedriveCase): Promise<{ code: number | null; stdout: string; kinds: string[] }> {
  const { code, stdout } = await work.verb(['audit'])
  return { code, stdout, kinds: [...new Set(stdout.match(/^[a-z_]+(?=: \S.*: expected )/gm) ?? [])].toSorted() }
}

test('copies wait, are duplicates, are rejected again and redriven once more', async (t) => {
  const work = await redriveCase(t)
  const known = createEventEncoder({ schemaId: 7, schema: latestSchema })
  const late = createEventEncoder({ schemaId: unknownId, schema: schemaWithRoom })
  const twice = someEvent()
  await work.send([{ value: known.encode(twice) }, { value: late.encode(twice) }, { value: late.encode(someEvent()) }])
  await work.settle()
  const unregister = work.register()

  await t.test('no classifier has read them yet', async () => {
    assert.equal((await work.redrive()).sent, 2)
    assert.match((await work.verb(['rejected', '--list', '5'])).stdout, /^0:2 .* waiting 0:4 /m)
    const { code, stdout } = await audited(work)
    assert.equal(code, 0, stdout)
    assert.match(
      stdout,
      /^redriven: 2 of the rejected messages: 0 accepted, 0 duplicate, 0 rejected again, 2 not yet read;/m,
    )
  })

  await t.test('a classifier that has not heard of the schema rejects them again', async () => {
    unregister()
    await work.settle()
    assert.match((await audited(work)).stdout, /: 0 accepted, 0 duplicate, 2 rejected again, 0 not yet read;/)
    assert.match((await work.verb(['rejected'])).stdout, /^unknown_schema: id 9 is not registered +2 +0 +0 +2 +0 +0$/m)
  })

  await t.test('those are rejected messages of their own: redriven once more, each is what it is', async () => {
    work.register()
    const { sent, before } = await work.redrive()
    assert.deepEqual([sent, before], [2, 2])
    await work.settle()
    const { code, stdout } = await audited(work)
    assert.equal(code, 0, stdout)
    assert.match(stdout, /^redriven: 4 of .*: 1 accepted, 1 duplicate, 2 rejected again, 0 not yet read; 0 not known$/m)
    const list = (await work.verb(['rejected', '--list', '5'])).stdout
    assert.match(list, /^0:3 .* duplicate 0:6 /m)
    assert.match(list, /^0:4 .* accepted 0:7 /m)
  })
})

test('large messages are sent one by one, as they were', async (t) => {
  const work = await redriveCase(t, { env: { EVENT_BYTES_MAX: '1000000' } })
  const encoder = createEventEncoder({ schemaId: unknownId, schema: schemaWithRoom })
  const values = Array.from({ length: 7 }, () =>
    encoder.encode({ ...someEvent(), room: { string: 'x'.repeat(900_000) } } as never),
  )
  for (const value of values) {
    await work.send([{ value }])
  }
  await work.settle()
  work.register()
  assert.equal((await work.redrive()).sent, 7)
  assert.deepEqual(new Set(await work.standing(values)), new Set([2]))
  await work.settle()
  assert.equal(await work.count('intent_events'), 7)
})

test('what retention has deleted after a run was cut off is not known: said, and never sent again', async (t) => {
  const work = await redriveCase(t)
  const values = work.values(6)
  await work.send(values.map((value) => ({ value })))
  await work.settle()
  work.register()
  const killed = work.startRedrive({ STOP_AT: 'after_commit' })
  await killed.ended
  await work.settle()
  // The copies, and the offsets before them.
  await deleteBefore(work, 12)
  const report = await work.redrive()
  assert.deepEqual([report.sent, report.before, report.settled], [0, 6, { sent: 0, not_sent: 0, unknown: 6 }])
  assert.equal((await work.redrive()).candidates, 0)
  assert.match((await work.verb(['rejected'])).stdout, /^unknown_schema: id 9 is not registered +0 +0 +0 +0 +0 +6$/m)
  assert.match((await work.verb(['rejected', '--list', '1'])).stdout, / not known /)
  assert.match((await audited(work)).stdout, /^redriven: 0 of .*; 6 not known$/m)
})

test('messages of a topic that was made anew go into the present one; a cut-off run on the former is not known', async (t) => {
  const work = await redriveCase(t)
  const values = work.values(6)
  await work.send(values.slice(0, 2).map((value) => ({ value })))
  await work.settle()
  const unregister = work.register()
  const killed = work.startRedrive({ STOP_AT: 'after_plan' })
  await killed.ended
  unregister()
  await work.send(values.slice(2).map((value) => ({ value })))
  await work.settle()
  await makeAnew(work)
  work.register()
  const { sent, settled } = await work.redrive()
  assert.deepEqual([sent, settled], [4, { sent: 0, not_sent: 0, unknown: 2 }])
  await work.settle()
  assert.deepEqual(await work.standing(values), [0, 0, 1, 1, 1, 1])
  const { code, stdout } = await audited(work)
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^redriven: 4 of .*: 4 accepted, .*; 2 not known$/m)
})

test('audit names a second copy, a copy of nothing, one without a fate and one with two', async (t) => {
  const work = await redriveCase(t)
  await work.send(work.values(8).map((value) => ({ value })))
  await work.settle()
  work.register()
  await work.redrive()
  await work.settle()
  assert.deepEqual((await audited(work)).kinds, [])
  const tamper = (sql: string) =>
    work.steward.command(sql.replaceAll('{db}', work.database), {}, { mutations_sync: '2' })
  const sent = `FROM {db}.redriven_events WHERE state = 'sent' AND kafka_offset = `
  // Noted by two runs is no fault.
  await tamper(`INSERT INTO {db}.redriven_events SELECT * REPLACE(generateUUIDv4() AS attempt) ${sent} 0`)
  assert.deepEqual((await audited(work)).kinds, [])

  await tamper(`INSERT INTO {db}.redriven_events SELECT * REPLACE(toUInt64(9) AS to_offset) ${sent} 0`)
  const second = await audited(work)
  assert.deepEqual(second.kinds, ['redriven_twice'])
  assert.match(
    second.stdout,
    /^redriven_twice: \S+\/0:0 at \S+\/0:8: expected one copy of a rejected message, found 2$/m,
  )
  assert.equal(second.code, 1)

  await tamper(`ALTER TABLE {db}.rejected_events DELETE WHERE kafka_offset = 2`)
  const ofNothing = (await audited(work)).stdout
  assert.match(ofNothing, /^redriven_not_rejected: \S+\/0:2 at \S+\/0:10: expected a rejected message/m)
  await tamper(`ALTER TABLE {db}.intent_events DELETE WHERE kafka_offset = 11`)
  await tamper(
    `INSERT INTO {db}.duplicate_events SELECT topic_id, partition, kafka_offset, event_id, recorded_at FROM {db}.intent_events WHERE kafka_offset = 12`,
  )
  const { stdout, kinds } = await audited(work)
  assert.match(stdout, /^redriven_fate: \S+\/0:11: expected one fate, found none$/m)
  assert.match(stdout, /^redriven_fate: \S+\/0:12: expected one fate, found accepted and duplicate$/m)
  const others = ['rollup_differs', 'rows_differ']
  assert.deepEqual(kinds, ['redriven_fate', 'redriven_not_rejected', 'redriven_twice', ...others])
})
