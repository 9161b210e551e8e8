import assert from 'node:assert/strict'
import { test } from 'node:test'

import { comparePlanted, type Planted } from '../../../../services/impact/page/planted.ts'
import { documentOf, plainFacts } from '../../../support/pnl-document.ts'
import { holdoutOf } from '../../../support/holdout-report.ts'

const planted: Planted = {
  product: 'echo',
  years: [
    { year: 2017, causedMicros: 300_000_000 },
    { year: 2018, causedMicros: 100_000_000 },
  ],
  perHouseholdMicros: 3,
  perOwnerMicros: 30,
}

test('each estimate stands beside what was planted, and says whether it holds it and whether it is by lot', () => {
  const [echo] = comparePlanted(documentOf(plainFacts()), [holdoutOf('echo')], [planted])
  assert.deepEqual(
    echo!.comparisons.map(({ what, isObservational, plantedMicros, holds }) => [
      ...[what, isObservational, plantedMicros, holds],
    ]),
    [
      ['a household that is offered it', false, 3, true],
      ['an owner', false, 30, null],
      ['an owner, less the others', true, 30, false],
      ['an owner, change in differences', true, 30, null],
      ['an owner, adjusted', true, 30, null],
    ],
  )
  // 400 USD in each year, give or take 240; together give or take 240 too.
  assert.deepEqual(
    echo!.sums.map(({ what, estimate, plantedMicros, holds }) => [what, estimate?.micros, plantedMicros, holds]),
    [
      ['2017', 400_000_000, 300_000_000, true],
      ['2018', 400_000_000, 100_000_000, false],
      ['all', 800_000_000, 400_000_000, false],
    ],
  )
})

for (const [name, caused, facts, expected] of [
  ['a loss that is found as one', 700, plainFacts(), true],
  ['a profit that is found as a loss', 900, plainFacts(), false],
  ['a loss that is not even claimed to be a profit', 700, { ...plainFacts(), claimed: [] }, false],
  ['a profit of which nothing is known', 900, { ...plainFacts(), effects: noEffects() }, false],
] as const) {
  test(`the sign: ${name}`, () => {
    const truth = { ...planted, years: [{ year: 2017, causedMicros: caused * 1_000_000 }] }
    const [echo] = comparePlanted(documentOf(facts), [holdoutOf('echo')], [truth])
    assert.equal(echo!.signIsPlanted, expected)
    assert.equal(echo!.profitMicros, String(BigInt(caused) * 1_000_000n - 800_000_400n))
  })
}

function noEffects() {
  return plainFacts().effects.map((effect) => ({ ...effect, perOwner: null, whyNone: 'none', upToYear: null }))
}
