import assert from 'node:assert/strict'
import { test } from 'node:test'

import { exposureScaled } from '../../../../../services/shared/domain/stats/exposure-scaled.ts'
import { mergeMoments, momentsOf, noUnits, pairMoments } from '../../../../../services/shared/domain/stats/moments.ts'
import { normalQuantile } from '../../../../../services/shared/domain/stats/normal.ts'
import { welchDifference } from '../../../../../services/shared/domain/stats/welch.ts'
import { createRandom } from '../../../../support/random-usage.ts'

const of = (...outcomes: readonly number[]) => pairMoments(outcomes.map((outcome) => ({ outcome, earlier: 0 })))

test('all exposed against none is the difference itself', () => {
  const [first, second] = [of(1, 4, 6, 9), of(2, 3, 5)]
  const plain = { outcome: 1, earlier: 0 }
  const welch = welchDifference(momentsOf(first, plain), momentsOf(second, plain))
  const found = exposureScaled({ exposed: first, others: noUnits }, { exposed: noUnits, others: second })
  assert.equal(found.exposureDifference, 1)
  assert.equal(found.estimate, welch.estimate)
  for (const name of ['standardError', 'low', 'high'] as const)
    assert.ok(Math.abs(found[name]! - welch[name]!) < 1e-12, name)
})

test('is the difference over the difference of exposure', () => {
  const found = exposureScaled({ exposed: of(10, 12), others: of(4, 6) }, { exposed: of(9), others: of(4, 6, 5) })
  assert.equal(found.exposureDifference, 0.25)
  assert.equal(found.estimate, (8 - 6) / 0.25)
})

test('arms that are exposed alike have no effect per exposed', () => {
  const arm = { exposed: of(10, 12), others: of(4, 6) }
  const found = exposureScaled(arm, arm)
  assert.deepEqual([found.estimate, found.low, found.high], [null, null, null])
})

test('holds the truth in 95 % of draws; where exposures hardly differ, most have no bounds', () => {
  const seed = 1
  for (const [leak, unboundedMin, unboundedMax] of [
    [0.01, 0, 0],
    [0.3, 70, 100],
  ] as const) {
    const random = createRandom(seed)
    const normal = () => normalQuantile(random())
    // Who would be exposed spends more anyway, and what exposure adds differs.
    const arm = (size: number, share: number) => {
      const units = Array.from({ length: size }, () => {
        const level = normal()
        const earlier = level + normal()
        const isExposed = random() < share * (1 + 0.5 * Math.tanh(level))
        return { isExposed, earlier, outcome: 2 * level + normal() + (isExposed ? 1 : 0) }
      })
      return {
        exposed: pairMoments(units.filter(({ isExposed }) => isExposed)),
        others: pairMoments(units.filter(({ isExposed }) => !isExposed)),
      }
    }
    const draws = 400
    let [held, unbounded] = [0, 0]
    for (let draw = 0; draw < draws; draw++) {
      const { low, high } = exposureScaled(arm(1_000, 0.32), arm(200, leak), { theta: 1 })
      unbounded += low === null ? 1 : 0
      held += low === null || (low <= 1 && 1 <= high!) ? 1 : 0
    }
    const [coverage, without] = [held, unbounded].map((count) => (100 * count) / draws)
    assert.ok(coverage! > 92, `${coverage} % with seed ${seed}, leak ${leak}`)
    assert.ok(without! >= unboundedMin && without! <= unboundedMax, `${without} % without bounds, leak ${leak}`)
  }
})

test('theta takes out what earlier values explain, in the covariance with exposure, too', () => {
  const rows = (all: readonly (readonly [number, number])[]) =>
    pairMoments(all.map(([outcome, earlier]) => ({ outcome, earlier })))
  const first = { exposed: rows([[10, 3], [14, 6]]), others: rows([[6, 2], [8, 3]]) } // prettier-ignore
  const second = { exposed: noUnits, others: rows([[5, 1], [9, 4], [7, 2]]) } // prettier-ignore
  const adjust = (group: ReturnType<typeof rows>) => {
    const { n, mean, variance } = momentsOf(group, { outcome: 1, earlier: -1.5 })
    return { ...noUnits, n, outcomeMean: mean, outcomeSquares: n < 2 ? 0 : variance * (n - 1) }
  }
  const adjusted = (arm: typeof first) => ({ exposed: adjust(arm.exposed), others: adjust(arm.others) })
  const found = exposureScaled(first, second, { theta: 1.5 })
  const again = exposureScaled(adjusted(first), { ...adjusted(second), exposed: noUnits })
  assert.equal(mergeMoments([second.exposed, second.others]).n, 3)
  for (const name of ['estimate', 'standardError', 'low', 'high'] as const)
    assert.ok(found[name] === again[name] || Math.abs(found[name]! - again[name]!) < 1e-9, name)
})
