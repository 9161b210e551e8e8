/** Audited events on a real ClickHouse: drawn, loaded, taken out; shares corrected by them hold the truth where raw ones don't. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import type { Command } from 'commander'

import { registerAudited } from '../../../services/audited/commands.ts'
import { drawSample } from '../../../services/audited/draw.ts'
import { loadAudit } from '../../../services/audited/load.ts'
import { writeSampleFile, type DrawnEvent } from '../../../services/audited/sample-file.ts'
import { registerReports } from '../../../services/report/commands.ts'
import { printShare, queryShare } from '../../../services/report/share.ts'
import { drawings, type Drawing } from '../../../services/shared/domain/audited-sample.ts'
import { readAuditedSamples } from '../../../services/shared/io/audited-samples.ts'
import { createClickHouse } from '../../../services/shared/io/clickhouse.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { insertClassifiedEvents, trueShares } from '../../support/classified-events.ts'
import { collectSaid, parseHere } from '../../support/said.ts'
import { viewsCase, type ViewsCase } from '../../support/views-case.ts'

const day = '2026-03-02'
const households = 20_000

interface ShareDocument {
  readonly audits?: readonly { audit: string; corrects: string[] }[]
  readonly rows: readonly Record<string, number | null>[]
}

test('audits', async (t) => {
  const work = await viewsCase(t)
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-audited-'))
  t.after(() => rm(folder, { recursive: true }))
  const run = verbsOf(work, t)
  const { pipeline, database } = work
  await insertClassifiedEvents(pipeline, database, { households, eventsEach: 5, seed: 1, taxonomyVersion: 1, day })
  const truth = await trueShares(pipeline, database)
  const share = async (...words: string[]) =>
    JSON.parse(
      (await run('share', '--by', 'none', '--from', day, '--to', day, '--format', 'json', ...words)).stdout,
    ) as ShareDocument
  const [before] = (await share()).rows

  await t.test('without one nothing is corrected, and the columns are as they were', async () => {
    const document = await share()
    assert.deepEqual(Object.keys(document), ['report', 'window', 'parameters', 'rows'])
    assert.deepEqual(
      Object.keys(document.rows[0]!).filter((name) => name.includes('corrected')),
      [],
    )
    assert.equal((await run('audited', 'list')).stdout, 'no audit is loaded\n')
  })

  await t.test('correct a share: the interval holds the truth, the raw one does not', async (t) => {
    const { analyst } = work
    const window = { from: day, to: day, days: 1, note: '' }
    const parameters = { by: [], product: '', cohort: '', country: '', plans: 'any' }
    const report = await queryShare(analyst, database, { window, parameters })
    const held: Record<string, number> = {}
    const draws = 6
    for (let seed = 1; seed <= draws; seed++) {
      for (const drawn of drawings) {
        await drawAndLoad(work, { audit: `${drawn}-${seed}`, drawn, events: 1_500, seed })
        const samples = await readAuditedSamples(analyst, database)
        const [row] = (JSON.parse(printShare(report, 'json', samples)) as ShareDocument).rows
        for (const definition of ['strict', 'broad'] as const) {
          if (drawn === 'random' || drawn === `by-${definition}-label`) {
            const [low, high] = [row![`${definition}_corrected_low`]!, row![`${definition}_corrected_high`]!]
            const name = `${definition} ${drawn}`
            held[name] = (held[name] ?? 0) + Number(low <= truth[definition] && truth[definition] <= high)
          }
        }
      }
    }
    for (const [name, count] of Object.entries(held)) {
      t.diagnostic(`${name}: ${count} of ${draws} intervals hold the truth`)
      // At 95 % fewer than 4 of 6 are one case in 500.
      assert.ok(count >= 4, `${name}: ${count} of ${draws}`)
    }
    assert.equal(Object.keys(held).length, 4)
    for (const definition of ['strict', 'broad'] as const) {
      const [low, high] = [before![`${definition}_low`]!, before![`${definition}_high`]!]
      assert.ok(low > truth[definition] || high < truth[definition], `raw ${definition} ${low} to ${high}`)
    }
  })

  await t.test(
    'are drawn with one event a household, by label half of them each, and by the same seed again',
    async () => {
      const options = { events: 400, seed: 5, from: null, to: null, taxonomyVersion: 1 }
      for (const drawn of drawings) {
        const sample = await drawSample(pipeline, database, { ...options, drawn })
        assert.deepEqual(await drawSample(pipeline, database, { ...options, drawn }), sample)
        const [found] = await pipeline.rows<{ homes: number; direct: number; broad: number }>(
          `SELECT uniqExact(household) AS homes, countIf(value_class = 'direct') AS direct,
           countIf(value_class IN ('direct', 'assisted')) AS broad
         FROM ${database}.intent_events WHERE lower(hex(event_id)) IN {ids:Array(String)}`,
          { ids: sample.events.map(({ eventId }) => eventId) },
        )
        assert.equal(found!.homes, 400)
        assert.equal(drawn === 'by-strict-label' ? found!.direct : 200, 200)
        assert.equal(drawn === 'by-broad-label' ? found!.broad : 200, 200)
        assert.ok(sample.households > 19_000, `${sample.households}`)
      }
      await assert.rejects(
        drawSample(pipeline, database, { ...options, drawn: 'random', events: 30_000 }),
        /30000 events of as many households are wanted, and there are 20000; draw fewer/,
      )
    },
  )

  await t.test(
    'the latest that can correct a share does, loaded again it replaces itself, dropped the one before does',
    async () => {
      await drawAndLoad(work, { audit: 'one', drawn: 'random', events: 300, seed: 1 })
      const one = await share()
      assert.deepEqual(
        one.audits?.map(({ audit, corrects }) => [audit, corrects]),
        [['one', ['strict', 'broad']]],
      )
      await drawAndLoad(work, { audit: 'two', drawn: 'by-strict-label', events: 300, seed: 2 })
      const two = await share()
      assert.deepEqual(
        two.audits?.map(({ audit, corrects }) => [audit, corrects]),
        [
          ['two', ['strict']],
          ['one', ['broad']],
        ],
      )
      assert.equal(two.rows[0]!['broad_corrected'], one.rows[0]!['broad_corrected'])
      await drawAndLoad(work, { audit: 'two', drawn: 'random', events: 200, seed: 3 })
      const listed = JSON.parse((await run('audited', 'list', '--format', 'json')).stdout) as {
        samples: { audit: string; drawn: string; events: number; corrects: string[] }[]
      }
      assert.deepEqual(
        listed.samples.slice(0, 2).map(({ audit, drawn, events, corrects }) => [audit, drawn, events, corrects]),
        [
          ['two', 'random', 200, ['strict', 'broad']],
          ['one', 'random', 300, []],
        ],
      )
      assert.match((await run('audited', 'drop', 'two')).stdout, /^two is dropped: \d+ events\n$/)
      assert.deepEqual(await share(), one)
      await assert.rejects(run('audited', 'drop', 'two'), /there is no audit two; loaded are .*one/)
    },
  )

  await t.test('say in the table what they are and what they assume; hidden cells stay hidden', async () => {
    await insertClassifiedEvents(pipeline, database, {
      households: 40,
      eventsEach: 5,
      seed: 2,
      taxonomyVersion: 2,
      day,
    })
    const { stdout } = await run('share', '--by', 'country', '--from', day, '--to', day)
    assert.match(stdout, /strict +corrected +broad +corrected/)
    assert.match(stdout, /^corrected: strict and broad by audit one of 300 events, random$/m)
    assert.match(
      stdout,
      /the audit is of everybody, so it is assumed that in each cell\n {2}- random: sensitivity and specificity/,
    )
    const { rows } = await share('--country', 'DE')
    assert.deepEqual(
      rows.map((row) => [row['taxonomy_version'], row['strict_corrected'] !== null]),
      [
        [1, true],
        [2, false],
      ],
      'no audit holds events of taxonomy 2',
    )
    await insertClassifiedEvents(pipeline, database, {
      households: 8,
      eventsEach: 5,
      seed: 3,
      taxonomyVersion: 1,
      day: '2026-03-05',
    })
    const small = JSON.parse(
      (await run('share', '--by', 'none', '--from', '2026-03-05', '--to', '2026-03-05', '--format', 'json')).stdout,
    ) as ShareDocument
    assert.deepEqual(
      small.rows.map(({ suppressed, strict_corrected, broad_corrected_low, broad_corrected_high }) => ({
        ...{ suppressed, strict_corrected, broad_corrected_low, broad_corrected_high },
      })),
      [{ suppressed: true, strict_corrected: null, broad_corrected_low: null, broad_corrected_high: null }],
    )
  })

  await t.test('a file with wrong lines is not loaded, and each line is named', async () => {
    const { events } = await drawSample(pipeline, database, {
      ...{ events: 20, drawn: 'random', seed: 9, from: null, to: null, taxonomyVersion: 1 },
    })
    const [sameHome] = await pipeline.rows<{ id: string }>(
      `SELECT lower(hex(event_id)) AS id FROM ${database}.intent_events
       WHERE household = (SELECT any(household) FROM ${database}.intent_events WHERE lower(hex(event_id)) = {id:String})
         AND lower(hex(event_id)) != {id:String} LIMIT 1`,
      { id: events[0]!.eventId },
    )
    const lines = filledIn(events).trimEnd().split('\r\n')
    const wrong = [
      ...lines,
      `${'0'.repeat(32)},,,,,,,free,,`,
      `${sameHome!.id},,,,,,,free,,`,
      lines[3]!,
      `${'1'.repeat(32)},,,,,,,splendid,,`,
      'no-id,,,,,,,free,,',
      `${sameHome!.id},,,,,,,,,`,
      'short',
    ]
    const file = join(folder, 'wrong.csv')
    await writeFile(file, wrong.join('\r\n'))
    const answer = await run('audited', 'load', file, '--name', 'wrong', '--drawn', 'random')
    assert.equal(answer.exitCode, 2)
    assert.deepEqual(
      answer.stderr
        .split('\n')
        .filter((line) => line.startsWith('line '))
        .map((line) => line.replace(/"?columns.*/, 'columns')),
      [
        'line 22: unknown event: no accepted event has this id',
        'line 23: of the household of line 2; only one event of a household counts, take one line out',
        'line 24: the event of line 4 again',
        'line 25: true_class must be direct, assisted, entitlement, free, not_a_request',
        'line 26: event_id is no UUID',
        'line 27: true_class is empty; fill it in, or take the line out',
        'line 28: 1 columns',
      ],
    )
    assert.match(answer.stdout, /^nothing was loaded: 7 of the lines are wrong, 20 are good\n$/)
    assert.doesNotMatch((await run('audited', 'list')).stdout, /wrong/)
    await assert.rejects(
      run('audited', 'load', join(folder, 'none.csv'), '--name', 'a b', '--drawn', 'so'),
      /audited load: --name must be 1 to 32 letters.*; --drawn must be random, by-strict-label, by-broad-label/,
    )
    await writeFile(file, lines.slice(0, 5).join('\n'))
    await assert.rejects(
      run('audited', 'load', file, '--name', 'few', '--drawn', 'random'),
      /has 4 requests; an audit of fewer than 11 households is not shown/,
    )
  })

  await t.test('the verbs draw a file, check it and load it', async () => {
    const file = join(folder, 'drawn.csv')
    const drawn = await run('audited', 'draw', '60', file, '--drawn', 'by-broad-label', '--seed', '4', '--to', day)
    assert.match(
      drawn.stdout,
      /60 events of as many households, drawn by-broad-label with seed 4: .*drawn\.csv\nfill in true_class/,
    )
    await assert.rejects(run('audited', 'draw', '60', file, '--drawn', 'random'), /is there already; name a new file/)
    const text = await readFile(file, 'utf8')
    assert.match(
      text,
      /^event_id,occurred_at,intent,outcome,product,country,plans,true_class,audited_by,audited_on\r\n/,
    )
    // As a spreadsheet saves it where the comma stands in numbers.
    await writeFile(file, text.replace(/^(.*truly_(\w+).*),,,\r$/gm, '$1,$2,Ann,2026-03-31\r').replaceAll(',', ';'))
    const dry = await run('audited', 'load', file, '--name', 'spring', '--drawn', 'by-broad-label', '--dry-run')
    assert.match(dry.stdout, /^60 events are good, nothing was loaded \(dry run\)\n/)
    assert.doesNotMatch((await run('audited', 'list')).stdout, /spring/)
    const loaded = await run('audited', 'load', file, '--name', 'spring', '--drawn', 'by-broad-label')
    assert.equal(
      loaded.stdout,
      dry.stdout
        .replace('are good, nothing was loaded (dry run)', 'loaded')
        .replace(/\d\d:\d\d:\d\d/g, /\d\d:\d\d:\d\d/.exec(loaded.stdout)![0]),
    )
    assert.match((await run('audited', 'list')).stdout, /^spring .* by-broad-label +v1 +60 +strict .* no$/m)
    assert.deepEqual((await share()).audits?.[0]?.corrects, ['broad'])
    const [kept] = await pipeline.rows<{ by: string; on: string }>(
      `SELECT any(audited_by) AS by, toString(any(audited_on)) AS on FROM ${database}.audited_events WHERE audit = 'spring'`,
    )
    assert.deepEqual(kept, { by: 'Ann', on: '2026-03-31' })
  })
})

const filledIn = (events: readonly DrawnEvent[]) =>
  writeSampleFile(events).replace(/^(.*truly_(\w+).*),,,\r$/gm, '$1,$2,,\r')

/** As people who make no mistake. */
async function drawAndLoad(
  { pipeline, database }: ViewsCase,
  { audit, drawn, events, seed }: { audit: string; drawn: Drawing; events: number; seed: number },
): Promise<void> {
  const sample = await drawSample(pipeline, database, { events, drawn, seed, from: null, to: null, taxonomyVersion: 1 })
  const loading = await loadAudit(
    { file: 'made', text: filledIn(sample.events), audit, drawn },
    { clickHouse: pipeline, database, dryRun: false, nowMs: Date.now() },
  )
  assert.deepEqual(loading.faults, [])
}

function verbsOf({ stack, database }: ViewsCase, t: TestContext) {
  const login = (role: 'analyst' | 'pipeline' | 'steward') =>
    createClickHouse({ url: stack.clickhouseUrl, user: role, password: stack.secrets[`${role}Password`] })
  const clients = { analyst: login('analyst'), pipeline: login('pipeline'), steward: login('steward') }
  t.after(() => Promise.all(Object.values(clients).map((client) => client.close())))
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  return async (...words: string[]) => {
    const { said, streams } = collectSaid()
    const context = {
      ...{ env: {}, ...streams, log, environment: () => ({}) },
      clickHouse: (role: keyof typeof clients) => Promise.resolve({ client: clients[role], database }),
      kafka: () => Promise.reject(new Error('no Kafka here')),
    }
    const register = (program: Command) => {
      registerReports(program, context)
      registerAudited(program, context)
    }
    const exitCode = await parseHere(register, words)
    return { ...said, exitCode }
  }
}
