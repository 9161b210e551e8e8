/** Alerts beside an audit, on a real ClickHouse: transitions, explanation and backtest show the corrected share and judge the raw one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { backtest } from '../../../services/alerts/backtest.ts'
import { createAlertEngine } from '../../../services/alerts/engine.ts'
import { explain } from '../../../services/alerts/explain.ts'
import { printBacktest, printExplanation } from '../../../services/alerts/print.ts'
import { createAlertRecord } from '../../../services/alerts/record.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { makeRule } from '../../support/alert-rules.ts'
import { viewsCase, type UsageRow, type ViewsCase } from '../../support/views-case.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000
const firstDay = Date.parse('2026-01-12')
const fallsOn = Date.parse('2026-03-05')
const lastDay = Date.parse('2026-03-07')
const summary = '{{value}} {{corrected}} {{corrected_low}} {{corrected_high}}'
const rule = makeRule({ annotations: { summary } })
const unclassified = makeRule({ name: 'more_unclassified', measure: 'unclassified_ratio' })

/** The broad share falls from 30 to 20 %, with a little difference between buckets. */
function usage(day: number): UsageRow[] {
  return Array.from({ length: 64 }, (_, bucket): UsageRow[] => {
    const broad = Math.round((day < fallsOn ? 300 : 200) * (0.9 + (0.2 * bucket) / 63))
    const shared = {
      ...{ day: new Date(day).toISOString().slice(0, 10), cohort_month: '2025-12-01', country: 'US', plans: '' },
      ...{ taxonomy_version: 1, product: 'echo', bucket },
      household_ids: Array.from({ length: 20 }, (_, index) => bucket * 20 + index),
    }
    return [
      { ...shared, value_class: 'assisted', requests: broad },
      { ...shared, value_class: 'free', requests: 1_000 - broad },
    ]
  }).flat()
}

/** 2,000 events: of 600 monetised ones the classifier finds 480, and of the others it takes 140 for monetised. */
function insertAudit({ pipeline, database }: ViewsCase, audit: string, loadedAt: string): Promise<void> {
  return pipeline.command(
    `INSERT INTO ${database}.audited_events (audit, loaded_at, drawn, event_id, true_class, value_class, taxonomy_version)
     SELECT {audit:String}, {loaded:String}, 'random', MD5(toString(number)), if(number < 600, 'assisted', 'free'),
       if(number < 480 OR number >= 1860, 'assisted', 'free'), 1 FROM numbers(2000)`,
    { audit, loaded: loadedAt },
  )
}

test('a transition holds the share as the audit corrected it then, an explanation and a backtest as it does today', async (t) => {
  const work = await viewsCase(t)
  const days = Array.from({ length: (lastDay - firstDay) / dayMs + 1 }, (_, index) => firstDay + index * dayMs)
  await work.insertUsage(days.flatMap(usage))
  const source = { clickHouse: work.pipeline, database: work.database, taxonomyVersion: 1 }
  const record = createAlertRecord(source)
  const engine = createAlertEngine({
    ...{ source, record, watermark: (now: number) => Promise.resolve(now), latenessMs: hourMs, lagGraceMs: hourMs },
    log: createLogger({ service: 'test', level: 'silent', pretty: false }),
  })
  const range = { fromMs: fallsOn - dayMs, toMs: lastDay + dayMs }
  const deps = { source, record }

  await t.test('without an audit nothing is corrected', async () => {
    const text = printExplanation(await explain(rule, fallsOn + dayMs, deps), 'table')
    assert.match(text, /broad_share 20\.00 %, baseline/)
    assert.doesNotMatch(text, /audit/)
  })

  await insertAudit(work, 'spring', '2026-03-01 00:00:00')
  for (let now = fallsOn + 2 * hourMs; now <= lastDay + 2 * hourMs; now += dayMs) {
    await engine.advance([rule], now)
  }

  await t.test('in the annotations of a transition', async () => {
    const [fired, ...others] = await record.transitions(range)
    assert.deepEqual([fired!.rule, fired!.to, others], [rule.name, 'firing', []])
    const [value, , corrected, , low, , high] = fired!.annotations['summary']!.split(' ')
    // (0.2 + 0.9 - 1) / (0.8 + 0.9 - 1), by se 480/600 and sp 1260/1400.
    assert.deepEqual([value, corrected], ['20.00', '14.29'])
    assert.ok(9 < Number(low) && Number(low) < 14.29 && 14.29 < Number(high) && Number(high) < 19, `${low} to ${high}`)
    assert.match(
      fired!.annotations['numbers']!,
      /broad_share 20\.00 %, corrected by audit spring 14\.29 % \(\d+\.\d\d % to /,
    )
    assert.equal(fired!.finding!.value!.toFixed(4), '0.2000')
  })

  await t.test(
    'what is told stays, what is asked is by the audit of today, and the judgement is the same',
    async () => {
      const told = await record.transitions(range)
      await insertAudit(work, 'summer', '2026-03-09 00:00:00')
      assert.deepEqual(await record.transitions(range), told)
      const { cohorts } = await explain(rule, fallsOn + dayMs, deps)
      assert.deepEqual([cohorts.length, cohorts[0]!.status, cohorts[0]!.corrected!.audit], [1, 'firing', 'summer'])
      const text = printExplanation(await explain(rule, fallsOn + dayMs, deps), 'table')
      assert.match(text, /corrected by audit summer 14\.29 %/)
      assert.match(text, /by the audit of today; it is of everybody, and nothing is judged by it\.\n$/)
      const tested = await backtest([rule], range, deps)
      assert.deepEqual(
        tested.transitions.map(({ finding }) => finding),
        told.map(({ finding }) => finding),
      )
      assert.match(printBacktest(tested, [rule], 'table'), /by audit summer 14\.29 %[\s\S]*by the audit of today/)
      const { transitions } = JSON.parse(printBacktest(tested, [rule], 'json')) as {
        transitions: { corrected: object }[]
      }
      assert.deepEqual(Object.keys(transitions[0]!.corrected), ['estimate', 'low', 'high', 'audit'])
    },
  )

  await t.test('a measure that is no share is not corrected', async () => {
    const { cohorts } = await explain(unclassified, fallsOn + dayMs, deps)
    assert.deepEqual(
      cohorts.map(({ corrected }) => corrected),
      [null],
    )
  })
})
