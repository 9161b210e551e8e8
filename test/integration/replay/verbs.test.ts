/** What people ask of replays: verify, list, drop, diff, and what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { replayDatabase } from '../../../services/replay/names.ts'
import { openReplayRecord } from '../../../services/replay/record.ts'
import { recordSchemas } from '../../../services/replay/replay-schemas.ts'
import { frame } from '../../../services/shared/domain/wire.ts'
import { openFileRegistry } from '../../../services/shared/io/schema-registry.ts'
import { viewsDatabase } from '../../../services/shared/io/settings.ts'
import { replayCase } from '../../support/replay-case.ts'
import { someValues } from '../../support/some-events.ts'

test('verify finds a changed value, a lost row and a wrong roll-up, and says in which table', async (t) => {
  const work = await replayCase(t)
  await work.simulate({ events: 1_500 })
  const name = work.name()
  await work.run(name)
  const database = replayDatabase(name)
  for (const [what, sql, expected] of [
    [
      'one value',
      `ALTER TABLE ${database}.intent_events UPDATE latency_ms = latency_ms + 1 WHERE kafka_offset = (SELECT min(kafka_offset) FROM ${database}.intent_events)`,
      /intent_events differs: \d+ rows, with other contents/,
    ],
    [
      'one rejected row',
      `ALTER TABLE ${database}.rejected_events DELETE WHERE kafka_offset = (SELECT min(kafka_offset) FROM ${database}.rejected_events)`,
      /rejected_events differs: \d+ rows in the manifest, \d+ now[\s\S]*rows_differ/,
    ],
    [
      'a roll-up',
      `TRUNCATE TABLE ${database}.purchases_daily`,
      /purchases_daily does not hold what its rows add up to/,
    ],
  ] as const) {
    await work.steward.command(sql, {}, { mutations_sync: '2' })
    const { code, stdout, stderr } = await work.replay(['verify', name])
    assert.equal(code, 1, `${what}: ${stderr}`)
    assert.match(stdout, expected, what)
    assert.match(stdout, /not as the manifest says/)
  }
})

test('the live tables are verified only once they have come so far, and a loss in them is found', async (t) => {
  const work = await replayCase(t)
  await work.send(someValues(300))
  const name = work.name()
  await work.run(name)
  const early = await work.replay(['verify', 'live', '--like', name])
  assert.equal(early.code, 2)
  assert.match(early.stderr, /the live tables hold .*\/0 only up to 0, the range goes to 300/)
  await work.assertDrained([work.startInProcess()])
  await work.assertLikeLive(name)
  await work.steward.command(
    `ALTER TABLE ${work.database}.intent_events DELETE WHERE kafka_offset = 17`,
    {},
    { mutations_sync: '2' },
  )
  const { code, stdout } = await work.replay(['verify', 'live', '--like', name])
  assert.equal(code, 1)
  assert.match(stdout, /intent_events differs: 300 rows in the manifest, 299 now/)
})

test('list shows a replay and drop removes it whole; neither live nor what is no replay is ever dropped', async (t) => {
  const work = await replayCase(t)
  await work.send(someValues(100))
  const name = work.name()
  const { digest } = await work.run(name)
  const listed = JSON.parse((await work.replay(['list', '--format', 'json'])).stdout) as {
    replays: { replay: string; digest: string; done: number }[]
  }
  const mine = listed.replays.find(({ replay }) => replay === name)!
  assert.deepEqual([mine.digest, mine.done], [digest, 100])

  for (const [given, expected] of [
    ['intent_ledger', /there is no replay intent_ledger/],
    ['live', /live is the name of the live tables/],
    [work.name(), /there is no replay/],
    ['../x', /no name of a replay/],
  ] as const) {
    const { code, stderr } = await work.replay(['drop', given, '--yes'])
    assert.equal(code, 2)
    assert.match(stderr, expected)
  }
  // Tables of somebody else's under the prefix are no replay.
  const other = work.name()
  await work.steward.command(`CREATE DATABASE ${replayDatabase(other)}`)
  assert.match((await work.replay(['drop', other, '--yes'])).stderr, /there is no replay/)

  assert.match((await work.replay(['drop', name])).stderr, /no terminal to ask on: add --yes/)
  const dropped = await work.replay(['drop', name, '--yes'])
  assert.equal(dropped.code, 0, dropped.stderr)
  const left = await work.clickHouse.rows<{ name: string }>(
    'SELECT name FROM system.databases WHERE name IN {names:Array(String)}',
    { names: [replayDatabase(name), viewsDatabase(replayDatabase(name)), work.database] },
  )
  assert.deepEqual(left, [{ name: work.database }])
  assert.equal((await work.admin.committed(`${work.group}-replay-${name}`, work.topic)).get(0)?.offset, -1)
})

test('a name is one replay: other arguments, settings or taxonomy are refused with what differs', async (t) => {
  const work = await replayCase(t)
  await work.send(someValues(100))
  const name = work.name()
  await work.run(name, ['--from', '0:0'])
  for (const [words, env, expected] of [
    [[], {}, /started with --from 0:0; this command has --from left out/],
    [['--from', '0:0', '--taxonomy', '2'], {}, /with taxonomy 1 .*has taxonomy 2/],
    [['--from', '0:0'], { DUPLICATE_WINDOW_OFFSETS: '9' }, /DUPLICATE_WINDOW_OFFSETS 200000; .* 9/],
  ] as const) {
    const { code, stderr } = await work.replay(['run', name, ...words], env)
    assert.equal(code, 2)
    assert.match(stderr, expected)
  }
})

test('a schema that was changed, or registered after events were rejected for lack of it, stops a replay', async (t) => {
  const work = await replayCase(t)
  await work.send([...someValues(20), { value: frame(99, Buffer.of(1)) }])
  const name = work.name()
  await work.run(name)
  const database = replayDatabase(name)
  const record = openReplayRecord({ clickHouse: work.clickHouse, database })
  const shipped = openFileRegistry()
  const answering = (id: number, fingerprint: string) =>
    recordSchemas(
      {
        async schema() {
          const found = await shipped.schema(2)
          return 'fault' in found ? found : { ...found, id, fingerprint }
        },
      },
      { record, clickHouse: work.clickHouse, database, replay: name },
    )
  await assert.rejects(answering(2, 'edited').schema(2), /schema 2 was \w{16} when this replay first read with it/)
  await assert.rejects(
    answering(99, 'new').schema(99),
    /schema 99 was registered after this replay had rejected 1 events/,
  )
})

interface PrintedDiff {
  readonly cells: readonly {
    readonly product: string
    readonly suppressed: boolean
    readonly broad: { before: number; after: number; difference: number; low: number | null; high: number | null }
    readonly strict: { before: number; after: number; difference: number }
    readonly intents: readonly { intent: string; strict: number; broad: number }[]
  }[]
}

test('diff of taxonomy 2 against live is what the raw rows say, and its intents add up to it', async (t) => {
  const work = await replayCase(t, { partitions: 2 })
  await work.simulate({ events: 10_000 })
  await work.assertDrained([work.startInProcess()])
  const name = work.name()
  await work.run(name, ['--taxonomy', '2'])
  const { code, stdout, stderr } = await work.replay(['diff', 'live', name, '--by', 'product', '--format', 'json'])
  assert.equal(code, 0, stderr)
  const { cells } = JSON.parse(stdout) as PrintedDiff
  // Another way: both tables joined by their place in the log, each event beside itself.
  const expected = await work.clickHouse.rows<{ product: string; strict: number; broad: number; moved: number }>(
    `WITH ['direct', 'assisted', 'entitlement'] AS earning
     SELECT toString(a.product) AS product,
       countIf(b.value_class = 'direct') / countIf(b.value_class != 'not_a_request')
         - countIf(a.value_class = 'direct') / countIf(a.value_class != 'not_a_request') AS strict,
       countIf(has(earning, toString(b.value_class))) / countIf(b.value_class != 'not_a_request')
         - countIf(has(earning, toString(a.value_class))) / countIf(a.value_class != 'not_a_request') AS broad,
       uniqExactIf(a.intent, has(earning, toString(a.value_class)) != has(earning, toString(b.value_class))) AS moved
     FROM ${work.database}.intent_events AS a
     INNER JOIN ${replayDatabase(name)}.intent_events AS b
       ON a.topic_id = b.topic_id AND a.partition = b.partition AND a.kafka_offset = b.kafka_offset
     GROUP BY product ORDER BY product`,
  )
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-12
  assert.deepEqual(
    cells.map(({ product }) => product),
    expected.map(({ product }) => product),
  )
  assert.ok(
    expected.some(({ broad }) => Math.abs(broad) > 0.01),
    'the taxonomies differ',
  )
  for (const [at, cell] of cells.entries()) {
    const { strict, broad } = expected[at]!
    assert.ok(near(cell.strict.difference, strict) && near(cell.broad.difference, broad), cell.product)
    const sum = (side: 'strict' | 'broad') => cell.intents.reduce((total, one) => total + one[side], 0)
    assert.ok(near(sum('broad'), broad) && near(sum('strict'), strict), cell.product)
    assert.equal(cell.intents.length, expected[at]!.moved, cell.product)
    if (cell.broad.low !== null) {
      assert.ok(cell.broad.low < broad && broad < cell.broad.high!, cell.product)
    }
  }
  const csv = await work.replay(['diff', 'live', name, '--by', 'product', '--format', 'csv'])
  assert.equal(csv.stdout.split('\r\n').filter((line) => line.startsWith('cell,')).length, cells.length)

  const other = work.name()
  await work.run(other, ['--to', '0:100,1:100'])
  assert.match((await work.replay(['diff', name, other])).stderr, /are of different parts of the log/)
  assert.match((await work.replay(['diff', name, name])).stderr, /compared with itself/)
  assert.match((await work.replay(['diff', 'live', work.name()])).stderr, /there is no replay/)
})
