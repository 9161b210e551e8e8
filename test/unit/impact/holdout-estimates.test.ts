import assert from 'node:assert/strict'
import { test } from 'node:test'

import { estimateHoldout, type HoldoutCell } from '../../../services/impact/holdout-estimates.ts'
import { pairMoments, type Unit } from '../../../services/shared/domain/stats/moments.ts'
import { holdoutCoverage } from '../../statistics/holdout.ts'
import { createRandom } from '../../support/random-usage.ts'

const cell = (arm: HoldoutCell['arm'], owner: boolean, bucket: number, units: readonly Unit[]): HoldoutCell => ({
  ...{ arm, owner, bucket, moments: pairMoments(units) },
})
const spends = (...outcomes: readonly number[]): Unit[] =>
  outcomes.map((outcome) => ({ outcome, earlier: outcome % 7 }))

test('nothing of no cells', () => {
  for (const one of Object.values(estimateHoldout([], 1))) assert.equal(one, null)
})

test('without a holdout only owners are compared, without owners only arms', () => {
  const told = (cells: readonly HoldoutCell[]) =>
    Object.entries(estimateHoldout(cells, null)).flatMap(([name, one]) => (one === null ? [] : [name]))
  const offered = [cell('treatment', true, 0, spends(5, 9)), cell('treatment', false, 1, spends(2, 4, 1))]
  assert.deepEqual(told(offered), ['naive'])
  const ownerless = [cell('treatment', false, 0, spends(5, 9)), cell('holdout', false, 1, spends(2, 4, 1))]
  assert.deepEqual(told(ownerless), ['intentionToTreat'])
})

test('how cells are cut into buckets changes no estimate, only what the jackknife makes of them', () => {
  const random = createRandom(3)
  const units = Array.from({ length: 400 }, (_, at) => {
    const earlier = 10 * random()
    const arm = at % 5 === 0 ? ('holdout' as const) : ('treatment' as const)
    const owner = random() < (arm === 'holdout' ? 0.05 : 0.1 + earlier / 20)
    return { arm, owner, unit: { earlier, outcome: 3 * earlier + 5 * random() + (owner ? 2 : 0) } }
  })
  const cellsOf = (buckets: number) =>
    [0, 1, 2, 3].flatMap((group) => {
      const [arm, owner] = [group < 2 ? ('holdout' as const) : ('treatment' as const), group % 2 === 0]
      return Array.from({ length: buckets }, (_, bucket) =>
        cell(
          arm,
          owner,
          bucket,
          units.flatMap((one, at) =>
            one.arm === arm && one.owner === owner && at % buckets === bucket ? [one.unit] : [],
          ),
        ),
      )
    })
  const [few, many] = [estimateHoldout(cellsOf(8), 1), estimateHoldout(cellsOf(64), 1)]
  for (const [name, one] of Object.entries(few)) {
    const other = many[name as keyof typeof many]!
    assert.ok(Math.abs(one!.estimateMicros - other.estimateMicros) < 1e-9, name)
  }
  // The regression's standard error has no other formula: of 64 groups it is near that of the residuals.
  const { standardErrorMicros } = many.regressionAdjusted!
  assert.ok(standardErrorMicros! > 0.1 && standardErrorMicros! < 0.25, String(standardErrorMicros))
})

test('a naive figure that may be 0 has no credibility ratio', () => {
  const random = createRandom(5)
  const cells = Array.from({ length: 64 }, (_, bucket) =>
    (['treatment', 'holdout'] as const).flatMap((arm) =>
      [true, false].map((owner) =>
        cell(arm, owner, bucket, spends(random(), random(), ...(owner === (arm === 'treatment') ? [random()] : []))),
      ),
    ),
  ).flat()
  const { naive, exposureScaled } = estimateHoldout(cells, 1)
  assert.ok(naive!.lowMicros! < 0 && naive!.highMicros! > 0)
  assert.ok(exposureScaled!.lowMicros !== null)
  assert.equal(exposureScaled!.credibility, null)
})

/** The table of a run twenty times as long stands in test/statistics/README.md. */
test('of simulated populations the holdout holds what was planted, and comparing owners of Echo does not', (t) => {
  const seed = 1
  const found = holdoutCoverage({ households: 600, holdoutMillionths: 500_000 }, { seeds: 30, seed })
  const mean = (name: 'intentionToTreat' | 'intentionToTreatCuped' | 'exposureScaled' | 'exposureScaledCuped') =>
    found.reduce((sum, { covered }) => sum + covered[name], 0) / found.length
  for (const name of ['intentionToTreat', 'intentionToTreatCuped', 'exposureScaled', 'exposureScaledCuped'] as const) {
    t.diagnostic(`${name}: ${mean(name).toFixed(1)} %, seed ${seed}`)
    // Seven scopes of 30 seeds, not independent: four standard errors of 140 draws.
    assert.ok(mean(name) > 87, `${name} holds the truth in ${mean(name)} %`)
  }
  const echo = found.find(({ product }) => product === 'echo')!
  assert.ok(echo.covered.naive < 10, `naive of echo: ${echo.covered.naive} %`)
  assert.ok(echo.naive > 20 * Math.abs(echo.truth), `${echo.naive} for ${echo.truth}`)
  assert.ok(echo.halfWidth.cuped < 0.8 * echo.halfWidth.plain)
})
