/** The rules that ship, on two months of 60,000 households: what they are for pages in time, what they are not for does not page. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { backtest } from '../../../services/alerts/backtest.ts'
import { defaultRulesFile } from '../../../services/alerts/commands.ts'
import { createAlertEngine } from '../../../services/alerts/engine.ts'
import { explain } from '../../../services/alerts/explain.ts'
import { createAlertRecord } from '../../../services/alerts/record.ts'
import { loadRules, parseRules } from '../../../services/alerts/rules-file.ts'
import { isPage } from '../../../services/alerts/tick.ts'
import { fillAlertHistory } from '../../../services/local/alert-history.ts'
import { demoCohorts } from '../../../services/local/history-cohorts.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { viewsCase } from '../../support/views-case.ts'

const dayMs = 86_400_000
/** A Monday, and a Wednesday seven weeks later. */
const firstDay = '2026-01-05'
const fellOn = '2026-02-25'
const lastDay = '2026-03-03'

test('a fall by a fifth among 20,000 households pages within two windows, a shift of the mix does not and says why', async (t) => {
  const work = await viewsCase(t)
  const source = { clickHouse: work.pipeline, database: work.database, taxonomyVersion: 1 }
  const record = createAlertRecord(source)
  await fillAlertHistory(work.pipeline, {
    ...{ database: work.database, firstDay, seed: 20_269 },
    days: (Date.parse(lastDay) - Date.parse(firstDay)) / dayMs + 1,
    cohorts: { ...demoCohorts(firstDay), countries: { DE: 20_000, US: 20_000, FR: 20_000 } },
    changes: [
      { kind: 'broad_share', from: fellOn, to: lastDay, country: 'DE', factor: 0.8 },
      { kind: 'mix', from: fellOn, to: lastDay, country: 'US', fromProduct: 'echo', toProduct: 'fire_tv', moved: 0.3 },
    ],
  })
  const range = { fromMs: Date.parse(fellOn) - 3 * dayMs, toMs: Date.parse(lastDay) + dayMs }

  const [shipped] = loadRules(defaultRulesFile).rules
  const found = await backtest([shipped!], range, { source, record })
  const pages = found.transitions.filter(isPage)
  assert.deepEqual(
    pages.map(({ cohort, windowStartMs }) => [cohort, (windowStartMs - Date.parse(fellOn)) / dayMs]),
    [[['DE'], 1]],
  )
  const at = await explain(shipped!, Date.parse(fellOn) + 2 * dayMs, { source, record })
  const us = at.cohorts.find(({ cohort }) => cohort[0] === 'US')!
  assert.match(us.why, /^it does not fire: .*; most of the change is mix, not behaviour$/)
  assert.match(us.numbers, /of it rate .* points and mix \d/)

  const text = `version: 1
rules: [{ name: week_so_far, measure: broad_share, by: [country], window: week, every: day, condition: { drops: 5% } }]
`
  const { rules } = parseRules(text, 'rules.yaml')
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  for (let now = range.fromMs + dayMs; now <= range.toMs; now += dayMs) {
    const watermark = (nowMs: number) => Promise.resolve(nowMs)
    // A new process each day.
    await createAlertEngine({ source, record, watermark, latenessMs: 0, lagGraceMs: dayMs, log }).advance(rules, now)
  }
  const lived = await record.transitions({ ...range, rule: 'week_so_far' })
  const [page, ...others] = lived.filter(isPage)
  assert.deepEqual([page!.cohort, others], [['DE'], []])
  assert.ok(page!.windowStartMs < Date.parse('2026-03-01'), 'before the week is over')
  assert.match(page!.annotations['numbers']!, /^2026-02-23 to 2026-03-01, up to 2026-0\d-\d\d 00:00: broad_share/)
  const replayed = await backtest(rules, range, { source, record })
  assert.deepEqual(
    replayed.transitions.map(({ windowStartMs, to, finding }) => [windowStartMs, to, finding]),
    lived.map(({ windowStartMs, to, finding }) => [windowStartMs, to, finding]),
  )
})
