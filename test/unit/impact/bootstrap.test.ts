import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bootstrapPaidTier, whyNoIntervals } from '../../../services/impact/bootstrap.ts'
import { figureNames, projectPaidTier } from '../../../services/impact/paid-tier.ts'
import type { ObservedCohort } from '../../../services/impact/scenario.ts'
import { fitRetention } from '../../../services/shared/domain/stats/shifted-beta-geometric.ts'
import { plainScenario, primeOffer } from '../../support/paid-tier-scenario.ts'
import { createRandom } from '../../support/random-usage.ts'

const scenario = { ...plainScenario, priceMicros: 12_000_000n, prime: primeOffer, fixedPerYearMicros: 10_000_000_000n }
const drawn = (customers: number, seed = 1) =>
  bootstrapPaidTier(scenario, { customers, unit: createRandom(seed), draws: 300 })

test('each figure lies within its interval, and each month and year', () => {
  const { months, years, figures } = projectPaidTier(scenario, fitRetention(scenario.retention.alive))
  const intervals = drawn(1_000)
  for (const name of figureNames) {
    const { low, high } = intervals.figures[name]!
    assert.ok(low < high && low <= figures[name]! && figures[name]! <= high, `${name}: ${low} to ${high}`)
  }
  for (const [list, periods] of [
    [intervals.months, months],
    [intervals.years, years],
  ] as const) {
    assert.equal(list.length, periods.length)
    periods.forEach((period, at) => {
      for (const sum of ['revenueMicros', 'costToServeMicros', 'marginMicros'] as const) {
        const { low, high } = list[at]![sum]
        assert.ok(low <= Number(period[sum]) && Number(period[sum]) <= high, `${sum} of ${at + 1}`)
      }
    })
  }
})

test('a larger cohort leaves less open, by about the root of its size', () => {
  const width = (customers: number) => {
    const { low, high } = drawn(customers).figures.lifetimeMonths!
    return high - low
  }
  const ratio = width(1_000) / width(100_000)
  assert.ok(ratio > 7 && ratio < 14, `${ratio}`)
})

test('the same seed gives the same intervals, another one others', () => {
  assert.deepEqual(drawn(200), drawn(200))
  assert.notDeepEqual(drawn(200), drawn(200, 2))
})

test('what does not apply to a scenario has no interval', () => {
  const { figures } = bootstrapPaidTier(plainScenario, { customers: 500, unit: createRandom(1), draws: 20 })
  assert.equal(figures.neededPrimeMembers, null)
  assert.equal(figures.freeAtEnd, null)
})

for (const [name, cohort, why] of [
  ['of unknown size', { alive: [100, 90, 80], customers: null }, /does not say how many/],
  ['where nobody leaves', { alive: [100, 100, 100], customers: 1_000 }, /nobody left/],
  ['where all leave at once', { alive: [100, 0, 0], customers: 1_000 }, /all left at the first renewal/],
  ['of one', { alive: [1, 1, 0], customers: 1 }, /^of 1 observed customers 1 left, and an interval needs 30 and 10$/],
  ['of 29', { alive: [100, 50, 20], customers: 29 }, /of 29 observed customers 23 left/],
  ['of which too few leave', { alive: [100, 95, 91], customers: 100 }, /of 100 observed customers 9 left/],
] as [string, ObservedCohort, RegExp][]) {
  test(`a cohort ${name} has no intervals, and the reason is said`, () => {
    assert.match(whyNoIntervals(cohort, fitRetention(cohort.alive))!, why)
  })
}

test('30 customers of whom 10 leave are enough', () => {
  const cohort = { alive: [30, 24, 20], customers: 30 }
  assert.equal(whyNoIntervals(cohort, fitRetention(cohort.alive)), null)
})
