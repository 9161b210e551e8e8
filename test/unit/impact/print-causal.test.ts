import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { HoldoutReport } from '../../../services/impact/holdout.ts'
import type { CausalEstimate } from '../../../services/impact/holdout-estimates.ts'
import { printCausal } from '../../../services/impact/print-causal.ts'
import { tableColumnsMax } from '../../../services/shared/io/render.ts'

const estimate = (estimateMicros: number, half: number | null, ratio: number | null = null): CausalEstimate => ({
  estimateMicros,
  ...{ standardErrorMicros: half === null ? null : half / 2, degreesOfFreedom: half === null ? null : 60 },
  lowMicros: half === null ? null : estimateMicros - half,
  highMicros: half === null ? null : estimateMicros + half,
  credibility: ratio === null ? null : { ratio, low: ratio - 0.1, high: ratio + 0.1 },
})

const figures = (households: number, owners: number) => ({ households, owners, meanMarginMicros: 1e6 })

const plain: HoldoutReport = {
  ...{ product: 'echo', experiment: 'echo_holdout', currency: 'USD', line: null },
  drawn: { from: '2017-01-01', to: '2021-12-31' },
  window: { from: '2018-01-01', to: '2018-12-31', days: 365 },
  before: { from: '2016-01-02', to: '2016-12-31', days: 365 },
  bothArms: 3,
  sampleRatio: { expectedFirst: 28_500, chiSquared: 0.4, pValue: 0.53, passes: true },
  refusal: null,
  arms: { treatment: figures(28_512, 8_700), holdout: figures(1_488, 15) },
  owning: { owners: figures(8_715, 8_715), others: figures(21_285, 0) },
  estimates: {
    naive: estimate(482.7e6, 10e6),
    differenceInDifferences: estimate(150e6, 10e6, 0.31),
    regressionAdjusted: estimate(60e6, 12e6, 0.12),
    exposureScaled: estimate(12e6, 131e6, 0.03),
    exposureScaledCuped: estimate(2.1e6, 76e6, 0.004),
    intentionToTreat: estimate(3.5e6, 38e6),
    intentionToTreatCuped: estimate(0.6e6, 22e6),
    placebo: estimate(-2e6, 9e6),
  },
  otherCurrencies: [{ currency: 'EUR', lines: 2, marginMicros: 5_000_000n }],
}
const table = (changed: Partial<HoldoutReport> = {}) => printCausal([{ ...plain, ...changed }], 'table')

test('labels what is observational, and says what each figure means', () => {
  const said = table()
  for (const line of [
    /^echo: echo_holdout, 2018-01-01 to 2018-12-31, 365 days \(UTC\), USD, all lines$/m,
    /^28,512 households offered it, 1,488 held out, 3 in both arms left out; sizes as drawn \(p = 0\.53\)$/m,
    /^own it on the last day: 30\.51 % of those offered it, 1\.01 % of those held out$/m,
    /^owners minus others +observational +owner +482\.70 \(472\.70 to 492\.70\)$/m,
    /^exposure-scaled, CUPED +by lot +owner +2\.10 \(-73\.90 to 78\.10\) +0\.00 \(-0\.10 to 0\.10\)$/m,
    /^naive: who owns echo brings 482\.70 USD more .* so this is no effect$/m,
    /^by lot: owning echo adds 2\.10 USD per owner, earlier spending taken out; it may be nothing$/m,
    /^credibility: 0 % of the naive figure \(-10 % to 10 %\)$/m,
    /^placebo: before the experiment the arms did not differ/m,
    /^order lines in other currencies, left out: 2 in EUR \(margin 5\.00\)$/m,
  ])
    assert.match(said, line)
})

test('every line of a table fits a terminal', () => {
  const wide = estimate(-123_456_789e6, 98_765_432e6, -0.123)
  const estimates = Object.fromEntries(Object.keys(plain.estimates).map((name) => [name, wide]))
  for (const text of [table(), table({ estimates: estimates as never })])
    for (const line of text.split('\n').filter((one) => /observational +owner|by lot +/.test(one)))
      assert.ok(line.length <= tableColumnsMax, line)
})

const changed = (estimates: Partial<HoldoutReport['estimates']>) =>
  table({ estimates: { ...plain.estimates, ...estimates } })

for (const [what, said, line] of [
  ['an effect', changed({ exposureScaledCuped: estimate(50e6, 20e6, 0.1) }), /; it is above 0$/m],
  ['harm', changed({ exposureScaledCuped: estimate(-50e6, 20e6, -0.1) }), /; it is below 0: it takes away$/m],
  [
    'an effect without bounds',
    changed({ exposureScaledCuped: estimate(50e6, null) }),
    /50\.00 \(no bounds\)[\s\S]*nothing bounds it: the arms own it nearly alike[\s\S]*credibility: none, for nothing bounds/,
  ],
  [
    'a naive figure that may be nothing',
    changed({ naive: estimate(1e6, 20e6), exposureScaledCuped: estimate(5e6, 20e6) }),
    /^credibility: none, for the naive figure may be 0$/m,
  ],
  [
    'arms that differed before',
    changed({ placebo: estimate(30e6, 9e6) }),
    /^placebo: the arms differed by 30\.00 USD/m,
  ],
  ['no time before', table({ before: null }), /^no orders before the experiment, so nothing that needs them$/m],
  [
    'a refusal',
    table({ arms: null, owning: null, refusal: { code: 'sample_ratio', says: 'the arms are not as drawn' } }),
    /^refused: the arms are not as drawn$/m,
  ],
] as const)
  test(`says ${what}`, () => assert.match(said, line))

test('hides what fewer than 11 households stand behind', () => {
  const few = { treatment: figures(500, 10), holdout: figures(10, 0) }
  const owning = { owners: figures(10, 10), others: figures(500, 0) }
  const said = table({ arms: few, owning })
  assert.match(said, /own it on the last day: fewer than 11 households of those offered it/)
  assert.match(said, /^hidden: an arm is fewer than 11 households$/m)
  assert.match(said, /^hidden: owners or the others are fewer than 11 households$/m)
  for (const head of ['owners minus others', 'intention to treat', 'exposure-scaled', 'placebo: time before'])
    assert.match(said, new RegExp(`^${head} .* -$`, 'm'))
  const json = JSON.parse(printCausal([{ ...plain, arms: few, owning }], 'json')) as {
    experiments: { arms: { treatment: { owners: null } }; estimates: Record<string, null> }[]
  }
  assert.equal(json.experiments[0]!.arms.treatment.owners, null)
  for (const one of Object.values(json.experiments[0]!.estimates)) assert.equal(one, null)
})

test('JSON has every figure in micros, with what it compares', () => {
  const json = JSON.parse(printCausal([plain], 'json')) as {
    experiments: { estimates: Record<string, { kind: string; per: string }>; otherCurrencies: unknown }[]
  }
  const { estimates, otherCurrencies } = json.experiments[0]!
  assert.deepEqual(estimates['naive'], { kind: 'observational', per: 'owner', ...plain.estimates.naive })
  assert.deepEqual(estimates['placebo'], { kind: 'by lot', per: 'household', ...plain.estimates.placebo })
  assert.deepEqual(otherCurrencies, [{ currency: 'EUR', lines: 2, marginMicros: '5000000' }])
})
