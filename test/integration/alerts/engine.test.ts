/** The engine on a real ClickHouse: a fall pages once, a restart changes nothing, late events re-open nothing, a backtest agrees. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { backtest } from '../../../services/alerts/backtest.ts'
import { createAlertEngine } from '../../../services/alerts/engine.ts'
import { explain } from '../../../services/alerts/explain.ts'
import { readNotices } from '../../../services/alerts/notices.ts'
import { createAlertRecord, type AlertRecord, type KeptTick } from '../../../services/alerts/record.ts'
import type { Rule } from '../../../services/alerts/rule.ts'
import { alertStatus } from '../../../services/alerts/status.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { makeRule } from '../../support/alert-rules.ts'
import { createRandom } from '../../support/random-usage.ts'
import { viewsCase, type UsageRow } from '../../support/views-case.ts'

const dayMs = 86_400_000
const firstDay = Date.parse('2026-01-12')
const fallsOn = Date.parse('2026-03-05')
const missingOn = Date.parse('2026-03-08')
const lastDay = Date.parse('2026-03-10')
const hourMs = 3_600_000
const log = createLogger({ service: 'test', level: 'silent', pretty: false })
const rule = makeRule({ by: ['country'], annotations: { summary: '{{country}} {{relative_change}}' } })

/** Two countries; the broad share of one falls by a quarter. Every bucket has 20 households on every day, as if all asked daily. */
function usage(day: number, seed = 1): UsageRow[] {
  if (day === missingOn) {
    return []
  }
  const random = createRandom(seed + day / dayMs)
  return ['DE', 'US'].flatMap((country, place) =>
    Array.from({ length: 64 }, (_, bucket) => {
      const requests = 200 + Math.floor(random() * 100)
      const taste = 0.3 * (0.8 + (0.4 * ((bucket * 7) % 64)) / 64) * (country === 'US' && day >= fallsOn ? 0.75 : 1)
      const broad = Math.round(requests * taste * (0.95 + 0.1 * random()))
      const shared = {
        ...{ day: new Date(day).toISOString().slice(0, 10), cohort_month: '2025-12-01', country, plans: '' },
        ...{ taxonomy_version: 1, product: 'echo', bucket },
        household_ids: Array.from({ length: 20 }, (_, index) => place * 10_000 + bucket * 20 + index),
      }
      return [
        { ...shared, value_class: 'assisted', requests: broad },
        { ...shared, value_class: 'free', requests: requests - broad },
      ]
    }).flat(),
  )
}

async function alertsCase(t: TestContext) {
  const work = await viewsCase(t)
  const { pipeline: clickHouse, database } = work
  for (let day = firstDay; day <= lastDay; day += dayMs) {
    await work.insertUsage(usage(day))
  }
  const source = { clickHouse, database, taxonomyVersion: 1 }
  const record = createAlertRecord(source)
  const engineOf = (
    own: AlertRecord = record,
    watermark: (nowMs: number) => Promise<number> = (now) => Promise.resolve(now),
  ) => createAlertEngine({ source, record: own, watermark, latenessMs: hourMs, lagGraceMs: hourMs, log })
  const range = { fromMs: Date.parse('2026-03-01'), toMs: lastDay + dayMs }
  /** As `alerts run` would have lived through it, with a new process each day. */
  async function live(own: AlertRecord = record, rules: readonly Rule[] = [rule]): Promise<void> {
    for (let now = range.fromMs + dayMs + 2 * hourMs; now <= range.toMs + 2 * hourMs; now += dayMs) {
      await engineOf(own).advance(rules, now)
    }
  }
  return { ...work, clickHouse, source, record, engineOf, range, live }
}

const shown = (
  transitions: readonly { windowStartMs: number; cohort: readonly string[] | null; from: string; to: string }[],
) =>
  transitions.map(
    ({ windowStartMs, cohort, from, to }) =>
      `${new Date(windowStartMs).toISOString().slice(5, 10)} ${cohort?.join() ?? 'rule'} ${from} -> ${to}`,
  )

const expected = [
  '03-05 US inactive -> firing',
  '03-08 DE inactive -> insufficient_data',
  '03-08 US firing -> insufficient_data',
  '03-09 DE insufficient_data -> inactive',
  '03-09 US insufficient_data -> firing',
]

test('a fall in one country pages once, a missing day is not known, and a backtest says the same', async (t) => {
  const work = await alertsCase(t)
  await work.live()
  const recorded = await work.record.transitions(work.range)
  assert.deepEqual(shown(recorded), expected)

  const before = await backtest([rule], work.range, work)
  assert.deepEqual(shown(before.transitions), expected)
  assert.deepEqual(
    before.transitions.map(({ finding }) => finding),
    recorded.map(({ finding }) => finding),
    'the numbers are the same to the last digit',
  )
  const [summary] = before.rules
  assert.deepEqual(
    [summary!.windows, summary!.windowsSeenLive, summary!.evaluations, summary!.pages, summary!.insufficientWindows],
    [10, 10, 20, 1, 2],
  )

  await work.insertUsage(usage(fallsOn + dayMs, 99).map((row) => ({ ...row, requests: row.requests * 3 })))
  const after = await backtest([rule], work.range, work)
  assert.equal(JSON.stringify(after), JSON.stringify(before), 'late events re-open nothing')
  const [status] = await alertStatus([rule], work)
  assert.ok(status!.late > 10_000, `${status!.late} late requests are counted`)
  assert.deepEqual([status!.firing, status!.lagging, status!.alerts[0]!.cohort], [1, false, ['US']])
})

test('one firing is one notice, with the cohort in its labels and the numbers in its annotations', async (t) => {
  const work = await alertsCase(t)
  await work.live()
  const [notice, ...others] = await readNotices(work, new Set([rule.name]), work.range.toMs)
  assert.deepEqual(others, [])
  assert.deepEqual(notice!.labels, { country: 'US', alertname: 'broad_share_falls', severity: 'warning' })
  assert.match(notice!.annotations['summary']!, /^US -2\d\.\d %$/)
  assert.deepEqual([notice!.status, notice!.startsAtMs, notice!.endsAtMs], ['firing', fallsOn + dayMs, null])
  const orphan = await readNotices(work, new Set(), work.range.toMs)
  assert.deepEqual(
    orphan.map(({ status }) => status),
    ['firing', 'resolved'],
    'an alert of a rule that is no more',
  )
})

test('a process that dies at any step of a tick leaves nothing out and nothing twice', async (t) => {
  const work = await alertsCase(t)
  for (let dies = 0; dies < 3; dies++) {
    // Each rule of its own name stands for one run of the case.
    const own = { ...rule, name: `dies_at_${dies}` }
    let done = 0
    const dying =
      <A extends unknown[]>(step: number, doing: (...args: A) => Promise<void>) =>
      async (...args: A) => {
        if (step === dies && done++ === 4) {
          // The step is done on the server, and the process never hears of it.
          await doing(...args)
          throw new Error('killed')
        }
        return doing(...args)
      }
    const record: AlertRecord = {
      ...work.record,
      keepInputs: dying(0, (...args: Parameters<AlertRecord['keepInputs']>) => work.record.keepInputs(...args)),
      keepTicks: dying(1, (...args: Parameters<AlertRecord['keepTicks']>) => work.record.keepTicks(...args)),
    }
    const halfTick: AlertRecord =
      dies === 2
        ? {
            ...work.record,
            async keepTicks(judged, now) {
              const [{ rule: judgedRule, identity, tick }] = judged as [KeptTick]
              const token = `transitions ${judgedRule.name} ${identity} ${tick.windowStartMs}`
              await work.record.keepTransitions(judgedRule, tick.transitions, token, now)
              if (done++ === 4) {
                throw new Error('killed')
              }
              await work.record.keepTicks(judged, now)
            },
          }
        : record
    await assert.rejects(work.live(halfTick, [own]), /killed/)
    await work.live(work.record, [own])
    const recorded = await work.record.transitions({ ...work.range, rule: own.name })
    assert.deepEqual(shown(recorded), expected, `killed at step ${dies}`)
    const [ticks] = await work.clickHouse.rows<{ ticks: number; windows: number }>(
      `SELECT count() AS ticks, uniqExact(window_start) AS windows FROM ${work.database}.alert_ticks WHERE rule = {rule:String}`,
      { rule: own.name },
    )
    assert.deepEqual(ticks, { ticks: 10, windows: 10 })
  }
})

test('a stopped classifier makes the rule lag, and no page comes for windows that it had not finished', async (t) => {
  const work = await alertsCase(t)
  const stoppedAt = fallsOn - dayMs + 6 * hourMs
  const stopped = work.engineOf(work.record, (now) => Promise.resolve(Math.min(now, stoppedAt)))
  const looks: string[] = []
  for (let now = work.range.fromMs + dayMs + 2 * hourMs; now <= lastDay; now += dayMs) {
    const { lagging } = await stopped.advance([rule], now)
    looks.push([...lagging.keys()].join())
  }
  assert.deepEqual(
    looks,
    ['', '', '', rule.name, rule.name, rule.name, rule.name, rule.name, rule.name].slice(0, looks.length),
  )
  assert.deepEqual(shown(await work.record.transitions(work.range)), ['03-04 rule inactive -> lagging'])
  const [status] = await alertStatus([rule], work)
  assert.equal(status!.lagging, true)
  // It goes on: every window is judged, in its order.
  await stopped.advance([rule], lastDay)
  const again = work.engineOf()
  await again.advance([rule], work.range.toMs + 2 * hourMs)
  assert.deepEqual(
    shown(await work.record.transitions(work.range)).filter((line) => !line.includes('rule')),
    expected,
  )
})

test('explain says the numbers, and why it fires or not', async (t) => {
  const work = await alertsCase(t)
  const at = await explain(rule, fallsOn + dayMs + hourMs, work)
  assert.equal(at.window, '2026-03-05')
  const [de, us] = at.cohorts
  assert.match(
    us!.numbers,
    /^2026-03-05: broad_share 2\d\.\d\d %, baseline (29|30)\.\d\d %, change -2\d\.\d % \(difference -7\.\d\d points to -7\.\d\d points\)/,
  )
  assert.match(us!.why, /^it fires/)
  assert.match(de!.why, /^it does not fire: it may be chance, and it does not reach the least change/)
})

test('a rule that was edited to ask for something else begins anew, and what fired is resolved', async (t) => {
  const work = await alertsCase(t)
  const until = { ...work.range, toMs: Date.parse('2026-03-07') }
  for (let now = until.fromMs + dayMs + 2 * hourMs; now <= until.toMs + 2 * hourMs; now += dayMs) {
    await work.engineOf().advance([rule], now)
  }
  const limit: Rule = { ...rule, condition: { kind: 'change', direction: 'drop', least: 0.2, unit: 'relative' } }
  const [next] = (await work.engineOf().advance([limit], until.toMs + dayMs + 2 * hourMs)).ticks
  assert.equal(next!.transitions.length, 0, 'another limit goes on with what fires')

  // Edited one way and the other, and judged by a new process each time.
  const product: Rule = { ...rule, by: ['product'] }
  const looks: [Rule, number, string | null][] = [
    [product, missingOn + 3 * hourMs, null],
    [{ ...rule, window: 'week' }, missingOn + 4 * hourMs, null],
    [product, missingOn + 5 * hourMs, null],
    [product, missingOn + dayMs + 2 * hourMs, '2026-03-08'],
    [{ ...rule, window: 'week' }, lastDay, null],
    [{ ...rule, window: 'week' }, lastDay + 8 * dayMs, '2026-03-09'],
    [rule, lastDay + 8 * dayMs, '2026-03-16'],
  ]
  for (const [edited, now, judged] of looks) {
    const { ticks } = await work.engineOf().advance([edited], now)
    assert.deepEqual(
      ticks.map(({ windowStartMs }) => new Date(windowStartMs).toISOString().slice(0, 10)),
      judged === null ? [] : [judged],
    )
    if (edited.window === 'week' && judged !== null) {
      assert.deepEqual([ticks[0]!.cohorts, ticks[0]!.transitions], [2, []], 'both are known')
    }
    assert.deepEqual((await work.engineOf().advance([edited], now)).ticks, [], 'a restart knows that it is done')
  }
  const notices = await readNotices(work, new Set([rule.name]), missingOn + dayMs)
  assert.deepEqual(
    notices
      .filter(({ startsAtMs }) => startsAtMs === fallsOn + dayMs)
      .map(({ status, labels, endsAtMs }) => [status, labels['country'], endsAtMs]),
    [
      ['firing', 'US', null],
      ['resolved', 'US', missingOn + 3 * hourMs],
    ],
  )
})

test('a rule that lagged when its process ended has caught up in the next', async (t) => {
  const work = await alertsCase(t)
  const now = fallsOn + 2 * dayMs
  await work.engineOf().advance([rule], fallsOn + 2 * hourMs)
  await work.engineOf(work.record, () => Promise.resolve(fallsOn + 6 * hourMs)).advance([rule], now)
  const lags = async () => (await alertStatus([rule], work))[0]!.lagging
  assert.equal(await lags(), true)
  await work.engineOf(work.record, () => Promise.resolve(fallsOn + 6 * hourMs)).advance([rule], now + hourMs)
  await work.engineOf().advance([rule], now + 2 * hourMs)
  assert.equal(await lags(), false)
  const ofRule = (await work.record.transitions(work.range)).filter(({ cohort }) => cohort === null)
  assert.deepEqual(shown(ofRule), ['03-05 rule inactive -> lagging', '03-05 rule lagging -> inactive'])
})

test('before anything is stored a rule waits, and does not begin in 1969', async (t) => {
  const work = await alertsCase(t)
  const now = fallsOn + 5 * hourMs
  const waiting = work.engineOf(work.record, () => Promise.resolve(0))
  const { ticks, lagging } = await waiting.advance([rule], now)
  assert.deepEqual([ticks.length, [...lagging.values()]], [0, [fallsOn - dayMs]])
  assert.deepEqual(
    (await work.engineOf().advance([rule], now)).ticks.map(({ windowStartMs }) => windowStartMs),
    [fallsOn - dayMs],
  )
})

test('a backtest that begins while an alert fires goes on from what the live run knew', async (t) => {
  const work = await alertsCase(t)
  await work.live()
  const range = { ...work.range, fromMs: fallsOn + dayMs }
  const live = await work.record.transitions(range)
  const found = await backtest([rule], range, work)
  assert.deepEqual(shown(found.transitions), shown(live))
  assert.equal(found.rules[0]!.pages, 0)
})

test('two processes that see other sums judge by the same', async (t) => {
  const work = await alertsCase(t)
  const now = fallsOn + dayMs + 2 * hourMs
  const first = work.engineOf()
  let ofFirst: Awaited<ReturnType<typeof first.advance>> | undefined
  const second = work.engineOf({
    ...work.record,
    async inputs(wanted) {
      const seen = await work.record.inputs(wanted)
      if (ofFirst === undefined) {
        ofFirst = await first.advance([rule], now)
        await work.insertUsage(usage(fallsOn, 99).map((row) => ({ ...row, requests: row.requests * 3 })))
      }
      return seen
    },
  })
  const ofSecond = await second.advance([rule], now)
  assert.deepEqual(ofSecond.ticks, ofFirst!.ticks)
})

test('told to stop while it catches up it ends after a window, and the next process goes on there', async (t) => {
  const work = await alertsCase(t)
  await work.engineOf().advance([rule], work.range.fromMs + dayMs + 2 * hourMs)
  const stop = new AbortController()
  const stopping = work.engineOf({
    ...work.record,
    async keepTicks(judged, now) {
      await work.record.keepTicks(judged, now)
      stop.abort()
    },
  })
  const now = work.range.toMs + 2 * hourMs
  const stopped = await stopping.advance([rule], now, stop.signal)
  assert.deepEqual([stopped.ticks.length, stopped.lagging.size], [1, 0], 'what is left waits, and does not lag')
  assert.equal((await work.engineOf().advance([rule], now)).ticks.length, 8)
  assert.deepEqual(shown(await work.record.transitions(work.range)), expected)
})

test('status shows an alert that fires and is not known now', async (t) => {
  const work = await alertsCase(t)
  await work.engineOf().advance([rule], fallsOn + 2 * hourMs)
  await work.engineOf().advance([rule], missingOn + dayMs + 2 * hourMs)
  const [status] = await alertStatus([rule], work)
  assert.deepEqual(status!.alerts, [
    { cohort: ['US'], status: 'insufficient_data', since: new Date(fallsOn + dayMs).toISOString() },
  ])
  assert.deepEqual([status!.firing, status!.insufficient], [0, 2])
})
