/** The sums that rules are judged by, read from a real ClickHouse: edges of windows, odd names, messages by partition. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { seriesOf } from '../../../services/alerts/inputs.ts'
import { readSums } from '../../../services/alerts/read-sums.ts'
import { createAlertRecord } from '../../../services/alerts/record.ts'
import { windowMs, type Rule } from '../../../services/alerts/rule.ts'
import { makeRule } from '../../support/alert-rules.ts'
import { viewsCase } from '../../support/views-case.ts'

const names = ['', 'DE', `O'Brien"\\`, 'a,b', 'Zürich 東京 😀', '["x"]', 'tab\tnew\nline', '{"a":1}', 'null']

async function sumsCase(t: TestContext) {
  const work = await viewsCase(t)
  const { pipeline: clickHouse, database } = work
  const source = { clickHouse, database, taxonomyVersion: 1 }
  const insert = (table: string, rows: readonly object[]) =>
    clickHouse.insert(
      `INSERT INTO ${database}.${table} FORMAT JSONEachRow`,
      [Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))],
      { params: {}, settings: {} },
    )
  const event = (at: string, over: object = {}) => ({
    ...{ occurred_at: at, recorded_at: at, household: 7, product: 'echo', activated_on: '2026-01-15', country: 'DE' },
    ...{ plans: '', value_class: 'free', taxonomy_version: 1, partition: 3 },
    ...over,
  })
  /** Window to requests, hits and households of each cohort. */
  async function read(rule: Rule, starts: readonly string[]) {
    const series = seriesOf(rule)
    const found = await readSums(source, [{ series, starts: starts.map((start) => Date.parse(start)) }])
    return [...found.get(series.key)!.values()].map(({ cells }) =>
      cells.map(({ cohort, requests, hits, households }) => [
        cohort.join(),
        ...[requests, hits].map((counts) => counts.reduce((all, count) => all + count, 0)),
        households,
      ]),
    )
  }
  return { ...work, source, insert, event, read }
}

test('an hour holds its first millisecond and not that of the next, of the filter alone', async (t) => {
  const { insert, event, read } = await sumsCase(t)
  await insert('intent_events', [
    event('2026-03-29 00:59:59.999'),
    event('2026-03-29 01:00:00.000', { value_class: 'direct' }),
    event('2026-03-29 01:59:59.999', { household: 8 }),
    event('2026-03-29 02:00:00.000'),
    event('2026-03-29 01:30:00.000', { value_class: 'not_a_request' }),
    event('2026-03-29 01:30:00.000', { taxonomy_version: 2 }),
    event('2026-03-29 01:30:00.000', { country: 'US' }),
    event('2026-03-29 01:30:00.000', { activated_on: '2026-02-01' }),
  ])
  const rule = makeRule({ window: 'hour', filter: { country: 'DE', cohort_month: '2026-01' }, by: ['product'] })
  const starts = ['2026-03-29T00:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z', '2026-03-29T03:00Z']
  assert.deepEqual(await read(rule, starts), [[['echo', 1, 0, 1]], [['echo', 2, 1, 2]], [['echo', 1, 0, 1]], []])
})

test('requests per household counts a household once a window, on either side of midnight and of Monday', async (t) => {
  const { insert, event, read } = await sumsCase(t)
  await insert('intent_events', [
    ...['2026-03-01 23:59:59.999', '2026-03-02 00:00:00.000', '2026-03-05 12:00:00.000', '2026-03-08 23:59:59.999'],
    ...['2026-03-09 00:00:00.000'],
  ].map((at) => event(at))) // prettier-ignore
  const measure = 'requests_per_household'
  const weeks = ['2026-02-23T00:00Z', '2026-03-02T00:00Z', '2026-03-09T00:00Z']
  assert.deepEqual(await read(makeRule({ measure, window: 'week' }), weeks), [[['', 1, 1, 1]], [['', 1, 3, 1]], [['', 1, 1, 1]]]) // prettier-ignore
  const days = ['2026-03-01T00:00Z', '2026-03-02T00:00Z', '2026-03-03T00:00Z']
  assert.deepEqual(await read(makeRule({ measure, by: ['product'] }), days), [
    [['echo', 1, 1, 1]],
    [['echo', 1, 1, 1]],
    [],
  ])
})

test('rejected messages are counted by partition and time of their record, with copies among all', async (t) => {
  const { insert, event, read } = await sumsCase(t)
  const at = '2026-03-29 01:59:59.999'
  // Events of long ago, recorded now.
  await insert('intent_events', [event('2026-03-20 00:00:00.000', { recorded_at: at }), event(at, { partition: 4 })])
  await insert('duplicate_events', [{ partition: 3, recorded_at: at }])
  await insert('rejected_events', [
    { partition: 3, recorded_at: at, reason: 'x' },
    { partition: 3, recorded_at: '2026-03-29 02:00:00.000', reason: 'x' },
  ])
  const rule = makeRule({ measure: 'rejected_ratio', window: 'hour', by: ['partition'] })
  assert.deepEqual(await read(rule, ['2026-03-29T01:00Z', '2026-03-29T02:00Z']), [
    [
      ['3', 3, 1, 0],
      ['4', 1, 0, 0],
    ],
    [['3', 1, 1, 0]],
  ])
})

test('odd names of countries stay apart and come back from the record as they were', async (t) => {
  const work = await sumsCase(t)
  const { source, insert, event } = work
  await work.insertUsage(
    names.map((country, index) => ({
      ...{ day: '2026-03-02', product: 'echo', cohort_month: '2026-01-01', country, plans: '', bucket: index },
      ...{ value_class: 'free', taxonomy_version: 1, requests: index + 1, household_ids: [index, index + 100] },
    })),
  )
  await insert(
    'intent_events',
    names.flatMap((country, index) =>
      Array.from({ length: index + 1 }, () => event('2026-03-09 00:30:00', { country })),
    ),
  )
  const record = createAlertRecord(source)
  for (const [window, day, households] of [
    ['day', Date.parse('2026-03-02'), 2],
    // Events stand in the roll-ups too, so the raw ones are of another day.
    ['hour', Date.parse('2026-03-09'), 1],
  ] as const) {
    const rule = makeRule({ by: ['country', 'plans'], window })
    const series = seriesOf(rule)
    const wanted = [{ series, starts: [day] }]
    const read = (await readSums(source, wanted)).get(series.key)!
    const { cells } = read.get(day)!
    const found = new Map(cells.map((cell) => [cell.cohort[0], cell]))
    assert.deepEqual([...found.keys()].sort(), [...names].sort())
    names.forEach((country, index) => {
      const { requests, households: counted } = found.get(country)!
      assert.equal(requests.reduce((all, count) => all + count, 0), index + 1) // prettier-ignore
      assert.equal(counted, households)
    })
    await record.keepInputs([{ series, windows: [...read.values()] }], day)
    assert.deepEqual((await record.inputs(wanted)).get(series.key)!.get(day)!.cells, cells)
    const states = new Map(
      names.map((country) => [
        JSON.stringify([country, '']),
        { phase: 'firing', known: true, held: 1, quiet: 0, unknown: 0, startsAtMs: day, resolved: false } as const,
      ]),
    )
    const tick = { windowStartMs: day, evaluations: [], transitions: [], states }
    await record.keepTicks([{ rule, identity: window, tick, inputs: read }], day + windowMs[window])
    assert.deepEqual([...(await record.lastTicks()).get(rule.name)!.states], [...states])
  }
})
