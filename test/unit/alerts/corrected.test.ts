import assert from 'node:assert/strict'
import { test } from 'node:test'

import { correctionsOf } from '../../../services/alerts/corrected.ts'
import type { Finding } from '../../../services/alerts/judge.ts'
import { panelOf } from '../../../services/alerts/panel.ts'
import type { AuditedSample } from '../../../services/shared/domain/audited-sample.ts'
import { makeRule } from '../../support/alert-rules.ts'
import { judgedDay, makeCell, makeInputs } from '../../support/alert-windows.ts'

const sample: AuditedSample = {
  ...{ audit: 'spring', drawn: 'random', loadedAt: '2026-03-01 10:00:00.000', taxonomyVersion: 1, events: 2_000 },
  strict: { said: 0, called: 10, both: 0 },
  broad: { said: 600, called: 620, both: 480 },
}
const rule = makeRule({ by: ['country'] })
const cells = ['DE', 'US'].map((country, seed) => makeCell({ cohort: [country], share: 0.3, seed }))
const panel = panelOf(
  rule,
  judgedDay,
  makeInputs(rule, () => cells),
)
const judged = (cohort: string[] | null, insufficient: string | null = null) => ({
  ...{ cohort, finding: { insufficient } as Finding },
})

test('corrects the share of each cohort that is judged, at the confidence of the rule', () => {
  const correctedOf = correctionsOf(rule, panel, [sample], 1)
  const found = correctedOf(judged(['DE']))!
  assert.equal(found.audit, 'spring')
  assert.ok(found.low < found.estimate && found.estimate < found.high, JSON.stringify(found))
  const wider = correctionsOf({ ...rule, confidence: 0.999 }, panel, [sample], 1)(judged(['DE']))!
  assert.ok(wider.low < found.low && wider.high > found.high)
})

test('corrects nothing else', () => {
  const correctedOf = correctionsOf(rule, panel, [sample], 1)
  assert.equal(correctedOf(judged(['FR'])), null)
  assert.equal(correctedOf(judged(null)), null)
  assert.equal(correctedOf(judged(['DE'], 'too few households')), null)
  assert.equal(correctedOf({ cohort: ['DE'], finding: null }), null)
  const others: [string, ReturnType<typeof correctionsOf>][] = [
    ['no audit', correctionsOf(rule, panel, [], 1)],
    ['another taxonomy', correctionsOf(rule, panel, [sample], 2)],
    ['a sample without what is strict', correctionsOf({ ...rule, measure: 'strict_share' }, panel, [sample], 1)],
    ['no share', correctionsOf({ ...rule, measure: 'unclassified_ratio' }, panel, [sample], 1)],
    ['no sums', correctionsOf(rule, [], [sample], 1)],
  ]
  for (const [what, of] of others) {
    assert.equal(of(judged(['DE'])), null, what)
  }
})
