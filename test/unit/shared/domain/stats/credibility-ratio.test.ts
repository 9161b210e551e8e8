import assert from 'node:assert/strict'
import { test } from 'node:test'

import { credibilityRatio } from '../../../../../services/shared/domain/stats/credibility-ratio.ts'
import { momentsOfValues } from '../../../../../services/shared/domain/stats/moments.ts'
import { hillstromFile, readMailing } from '../../../../support/reference-data.ts'
import { sharedDataMissing } from '../../../../support/shared-data.ts'

const naive = { estimate: 10, standardError: 1 }
const independent = { correlation: 0, degreesOfFreedom: Infinity }

test(
  'e-mails are credited with 1.848 and 2.538 times what they cause',
  { skip: sharedDataMissing(hillstromFile) },
  () => {
    const { men, women, none } = readMailing()
    const mean = (units: typeof none) => momentsOfValues(units.map(({ outcome }) => outcome))
    const without = mean(none)
    for (const [units, attributedOverIncremental] of [
      [men, '1.848'],
      [women, '2.538'],
    ] as const) {
      const got = mean(units)
      const [attributed, rest] = [got.variance / got.n, without.variance / without.n]
      const found = credibilityRatio({
        incremental: { estimate: got.mean - without.mean, standardError: Math.sqrt(attributed + rest) },
        naive: { estimate: got.mean, standardError: Math.sqrt(attributed) },
        correlation: Math.sqrt(attributed / (attributed + rest)),
        degreesOfFreedom: got.n - 1,
      })!
      assert.equal((1 / found.ratio).toFixed(3), attributedOverIncremental)
      assert.ok(0 < found.low && found.low < found.ratio && found.ratio < found.high && found.high < 1)
    }
  },
)

test('is 0 for what has no effect and below 0 for what takes away', () => {
  const none = credibilityRatio({ incremental: { estimate: 0, standardError: 1 }, naive, ...independent })!
  assert.equal(none.ratio, 0)
  assert.ok(none.low < 0 && none.high > 0)
  const harm = credibilityRatio({ incremental: { estimate: -5, standardError: 1 }, naive, ...independent })!
  assert.equal(harm.ratio, -0.5)
  assert.ok(harm.high < 0)
})

test('is surer where both figures move together', () => {
  const incremental = { estimate: 9, standardError: 1 }
  const [apart, together] = [0, 0.9].map((correlation) => {
    const { low, high } = credibilityRatio({ incremental, naive, correlation, degreesOfFreedom: 60 })!
    return high - low
  })
  assert.ok(together! < apart! / 2)
})

test('there is none of a naive figure that can be 0', () => {
  const incremental = { estimate: 5, standardError: 1 }
  for (const estimate of [0, 1, -1.9])
    assert.equal(credibilityRatio({ incremental, naive: { estimate, standardError: 1 }, ...independent }), null)
})
