import assert from 'node:assert/strict'
import { test } from 'node:test'

import { answerOf } from '../../../services/impact/answer.ts'
import { printPaidTier } from '../../../services/impact/print.ts'
import type { Scenario } from '../../../services/impact/scenario.ts'
import { tableColumnsMax } from '../../../services/shared/io/render.ts'
import { plainScenario, primeOffer } from '../../support/paid-tier-scenario.ts'
import { createRandom } from '../../support/random-usage.ts'

const answer = (changed: Partial<Scenario> = {}) =>
  answerOf('a.yaml', { ...plainScenario, ...changed }, { unit: createRandom(1), draws: 50 })
const table = (changed: Partial<Scenario> = {}) => printPaidTier([answer(changed)], 1, 'table')

test('says that it is a scenario, what is assumed, what was fitted and what the intervals mean', () => {
  const said = table({ prime: primeOffer, assumptions: ['a sentence of the file'] })
  for (const line of [
    /^paid tier: a scenario, not a forecast; churn is fitted, all else is assumed$/m,
    /^ {2}assumed: 1,000 households, 50 % of them with Prime$/m,
    /^ {2}assumed: paying 10\.00 USD a month: 10 % take it, all in month 1$/m,
    /^ {2}assumed: free with Prime: 40 % take it, all in month 1$/m,
    /^ {2}assumed: a sentence of the file$/m,
    /^ {2}fitted: churn on 7 months of 1,000 customers: shifted-beta-geometric, alpha 0\.668, beta 3\.806$/m,
    /^\(low to high\): 95 %/m,
    /of churn alone, not of what is assumed$/m,
  ]) {
    assert.match(said, line)
  }
})

for (const [name, changed, line] of [
  [
    'a cohort without a size',
    { retention: { alive: [100, 90, 85], customers: null } },
    /fitted: no intervals: retention\.customers does not say/,
  ],
  [
    'a cohort nobody leaves',
    { retention: { alive: [100, 100, 100], customers: 900 } },
    /900 customers: nobody left, so nobody ever does\n.*no intervals: nobody left/,
  ],
  [
    'a cohort all leave at once',
    { retention: { alive: [100, 0, 0], customers: 900 } },
    /all left at the first renewal, so everybody does/,
  ],
  [
    'a constant rate',
    { retention: { alive: [100, 50, 25], customers: 900 } },
    /so 50 % leave each month\n.*intervals about a constant rate are too narrow/,
  ],
  [
    'some at once, others never',
    { retention: { alive: [100, 50, 50], customers: 900 } },
    /50 % left at the first renewal and then hardly anybody/,
  ],
  ['a short horizon', { horizonMonths: 2 }, /on all months observed, though the horizon of 2 is shorter/],
  [
    'a price below the cost to serve',
    { priceMicros: 1_500_000n },
    /note: who pays 1\.50 costs 2\.00 USD a month to serve: it never breaks even/,
  ],
  [
    'everybody free with Prime',
    { prime: { ...primeOffer, share: 1 } },
    /note: nobody pays within the horizon, so no price breaks even/,
  ],
  ['a trial without an end', { trialMonths: 24 }, /note: nobody pays within the horizon/],
  [
    'members who cost more than they leave',
    { prime: { ...primeOffer, margin: 0.1 }, fixedPerYearMicros: 10n ** 12n },
    /note: a new Prime member leaves 1\.50 and costs 2\.00 USD a month to serve: no number of them is enough/,
  ],
  [
    'more members than households',
    { prime: primeOffer, fixedPerYearMicros: 10n ** 12n },
    /note: it needs more new Prime members than there are households without Prime, 500/,
  ],
] as [string, Partial<Scenario>, RegExp][]) {
  test(`says what ${name} means`, () => {
    assert.match(table(changed), line)
  })
}

test('the month of breaking even is a month, none of the horizon, or never', () => {
  const cell = (changed: Partial<Scenario>) => /^breaks even in month +(.+)$/m.exec(table(changed))?.[1]
  assert.equal(cell({}), '1')
  assert.equal(cell({ fixedPerYearMicros: 10n ** 12n }), 'not within 24')
  assert.equal(cell({ priceMicros: 0n }), 'never')
})

test('four scenarios stand side by side within the width of a table', () => {
  const answers = ['$5 for all', '$8 for all', '$10 for all', '$19.99 or Prime'].map((name, at) =>
    answer({ name, households: 1_000_000, horizonMonths: 12 * (at + 1), prime: at === 3 ? primeOffer : null }),
  )
  const [, rows] = printPaidTier(answers, 7, 'table').split('\n\n')
  const lines = rows!.split('\n')
  assert.ok(Math.max(...lines.map((line) => line.length)) <= tableColumnsMax)
  assert.match(lines[0]!, /\$5 for all +\$8 for all +\$10 for all +\$19\.99 or Prime$/)
  assert.match(rows!, /^horizon, months +12 +24 +36 +48$/m)
})

test('JSON has every month, exact sums as text, and no figure that does not apply', () => {
  const printed = JSON.parse(printPaidTier([answer({ priceMicros: 0n })], 3, 'json')) as {
    kind: string
    seed: number
    scenarios: {
      figures: Record<string, { estimate: number | null; low: number | null }>
      months: { revenueMicros: string; marginMicros: string; intervals: { paying: { low: number } } }[]
      notes: Record<string, string[]>
    }[]
  }
  const [scenario] = printed.scenarios
  assert.equal(printed.kind, 'scenario')
  assert.equal(printed.seed, 3)
  assert.equal(scenario!.months.length, 24)
  assert.equal(scenario!.months[0]!.marginMicros, '-200000000')
  assert.ok(scenario!.months[3]!.intervals.paying.low > 0)
  assert.deepEqual(scenario!.figures['neededPrimeMembers'], { estimate: null, low: null, high: null })
  assert.equal(scenario!.notes['warnings']!.length, 1)
})
