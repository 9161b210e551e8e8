import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { mayBreakEven, projectPaidTier } from '../../../services/impact/paid-tier.ts'
import { monthlyDiscountOf, type Scenario } from '../../../services/impact/scenario.ts'
import { fitRetention, survival } from '../../../services/shared/domain/stats/shifted-beta-geometric.ts'
import { plainScenario, primeOffer } from '../../support/paid-tier-scenario.ts'

const nobodyLeaves = { churn: 0, spread: 0 }
const halfLeaves = { churn: 0.5, spread: 0 }

test('a month is paid and served at its begin, by those who are still there', () => {
  const { months, horizon } = projectPaidTier({ ...plainScenario, horizonMonths: 3 }, halfLeaves)
  assert.deepEqual(
    months.map(({ paying, revenueMicros, costToServeMicros, marginMicros }) => [
      paying,
      revenueMicros,
      costToServeMicros,
      marginMicros,
    ]),
    [
      [100, 1_000_000_000n, 200_000_000n, 800_000_000n],
      [50, 500_000_000n, 100_000_000n, 400_000_000n],
      [25, 250_000_000n, 50_000_000n, 200_000_000n],
    ],
  )
  assert.equal(horizon.marginMicros, 1_400_000_000n)
  assert.equal(horizon.paying, 25)
})

test('who takes it month by month is a cohort of its own each time', () => {
  const scenario: Scenario = { ...plainScenario, horizonMonths: 3, takeUp: { kind: 'monthly', share: 0.1 } }
  const { months } = projectPaidTier(scenario, halfLeaves)
  const paying = months.map((month) => month.paying)
  for (const [at, expected] of [100, 90 + 50, 81 + 45 + 25].entries()) {
    assert.ok(Math.abs(paying[at]! - expected) < 1e-9)
  }
})

test('a trial is served and not charged', () => {
  const { months } = projectPaidTier({ ...plainScenario, horizonMonths: 3, trialMonths: 1 }, halfLeaves)
  assert.deepEqual(
    months.map(({ onTrial, paying }) => [onTrial, paying]),
    [
      [100, 0],
      [0, 50],
      [0, 25],
    ],
  )
  assert.equal(months[0]!.revenueMicros, 0n)
  assert.equal(months[0]!.costToServeMicros, 200_000_000n)
})

test('members of Prime have it free, are served, and do not pay', () => {
  const { months, figures } = projectPaidTier({ ...plainScenario, prime: primeOffer }, nobodyLeaves)
  assert.equal(months[0]!.paying, 50)
  assert.equal(months[0]!.freeWithPrime, 200)
  assert.equal(months[0]!.costToServeMicros, 500_000_000n)
  assert.equal(figures.freeAtEnd, 200)
})

test('discounts by the month, so that a year costs the rate of a year', () => {
  const scenario = { ...plainScenario, horizonMonths: 13, requestsPerMonth: 0 }
  assert.ok(Math.abs((1 + monthlyDiscountOf(scenario)) ** 12 - 1.1) < 1e-12)
  const year = projectPaidTier({ ...scenario, horizonMonths: 12 }, nobodyLeaves).figures.presentValueMicros!
  const longer = projectPaidTier(scenario, nobodyLeaves).figures.presentValueMicros!
  assert.ok(Math.abs(longer - year - 1e9 / 1.1) < 1e-3)
})

test('at the price that breaks even the discounted margin is nothing', () => {
  const scenario: Scenario = {
    ...plainScenario,
    prime: primeOffer,
    takeUp: { kind: 'monthly', share: 0.01 },
    fixedPerYearMicros: 1_000_000_000n,
  }
  const fit = fitRetention(scenario.retention.alive)
  const { breakEvenPriceMicros } = projectPaidTier(scenario, fit).figures
  const at = { ...scenario, priceMicros: BigInt(Math.round(breakEvenPriceMicros!)) }
  const { presentValueMicros, costToServeMicros } = projectPaidTier(at, fit).figures
  assert.ok(Math.abs(presentValueMicros!) < 1e-5 * costToServeMicros!)
})

test('with the new members of Prime that it needs, the discounted margin is nothing', () => {
  const scenario: Scenario = { ...plainScenario, prime: primeOffer, fixedPerYearMicros: 10_000_000_000n }
  const fit = fitRetention(scenario.retention.alive)
  const { neededPrimeMembers, presentValueMicros } = projectPaidTier(scenario, fit).figures
  const discount = 1 / (1 + monthlyDiscountOf(scenario))
  const brings = survival(fit, scenario.horizonMonths - 1).reduce(
    (sum, stays, month) => sum + stays * (3_000_000 - 2_000_000) * discount ** month,
    0,
  )
  assert.ok(presentValueMicros! < 0)
  assert.ok(Math.abs(presentValueMicros! + neededPrimeMembers! * brings) < 1)
})

test('needs no new members where it earns, none counts without Prime, and none is enough where each costs more than it leaves', () => {
  const needed = (changed: Partial<Scenario>) =>
    projectPaidTier({ ...plainScenario, ...changed }, halfLeaves).figures.neededPrimeMembers
  assert.equal(needed({ prime: { ...primeOffer, share: 0 } }), 0)
  assert.equal(needed({}), null)
  assert.equal(needed({ prime: { ...primeOffer, margin: 0.1 }, fixedPerYearMicros: 10n ** 12n }), Infinity)
})

test('says from which month on what was spent is covered, and that none is enough', () => {
  const breaksEven = (changed: Partial<Scenario>) => projectPaidTier({ ...plainScenario, ...changed }, nobodyLeaves)
  assert.equal(breaksEven({}).breakEvenMonth, 1)
  // 800 a month in, 100 a month out; the first month is on trial and costs 200 more.
  const late = breaksEven({ trialMonths: 1, fixedPerYearMicros: 1_200_000_000n })
  assert.equal(late.breakEvenMonth, 2)
  const never = { priceMicros: 2_000_000n, fixedPerYearMicros: 1n }
  assert.equal(breaksEven(never).breakEvenMonth, null)
  assert.equal(mayBreakEven({ ...plainScenario, ...never }, breaksEven(never)), false)
  assert.equal(
    mayBreakEven({ ...plainScenario, priceMicros: 2_000_001n }, breaksEven({ priceMicros: 2_000_001n })),
    true,
  )
})

test('what was covered once and is spent again later is not broken even', () => {
  const { breakEvenMonth } = projectPaidTier({ ...plainScenario, fixedPerYearMicros: 4_800_000_000n }, halfLeaves)
  // 800, 400, 200 … against 400 a month: covered at first, not in the end.
  assert.equal(breakEvenMonth, null)
})

test('where all have it free with Prime nobody pays and no price breaks even', () => {
  const scenario: Scenario = { ...plainScenario, prime: { ...primeOffer, share: 1 } }
  const projection = projectPaidTier(scenario, halfLeaves)
  assert.equal(projection.horizon.revenueMicros, 0n)
  assert.equal(projection.figures.payingAtEnd, 0)
  assert.equal(projection.figures.breakEvenPriceMicros, null)
  assert.equal(mayBreakEven(scenario, projection), false)
  assert.ok(projection.figures.neededPrimeMembers! > 0)
})

test('where all leave at the first renewal only the first month is paid', () => {
  const { months } = projectPaidTier(plainScenario, fitRetention([100, 0, 0]))
  assert.deepEqual(months.map(({ paying }) => paying).slice(0, 3), [100, 0, 0])
})

test('a horizon that is shorter than what was observed is projected alike', () => {
  const fit = fitRetention(plainScenario.retention.alive)
  const [long, short] = [24, 2].map((horizonMonths) => projectPaidTier({ ...plainScenario, horizonMonths }, fit))
  assert.deepEqual(short!.months, long!.months.slice(0, 2))
  assert.equal(short!.figures.lifetimeMonths, long!.figures.lifetimeMonths)
})

const shares = fc.double({ min: 0, max: 1, noNaN: true })
const takeUps = fc.record({ kind: fc.constantFrom('once' as const, 'monthly' as const), share: shares })
const micros = fc.bigInt({ min: 0n, max: 10n ** 9n })
const scenarios: fc.Arbitrary<Scenario> = fc.record({
  ...{ name: fc.constant('any'), assumptions: fc.constant([]), currency: fc.constant('USD') },
  horizonMonths: fc.integer({ min: 1, max: 70 }),
  discountPerYear: fc.double({ min: 0.001, max: 1, noNaN: true }),
  households: fc.integer({ min: 1, max: 1_000_000_000 }),
  priceMicros: micros,
  trialMonths: fc.integer({ min: 0, max: 24 }),
  takeUp: takeUps,
  prime: fc.option(fc.record({ share: shares, takeUp: takeUps, feeMicros: micros, margin: shares })),
  retention: fc.constant(plainScenario.retention),
  requestsPerMonth: fc.double({ min: 0, max: 10_000, noNaN: true }),
  perRequestMicros: fc.bigInt({ min: 0n, max: 10n ** 6n }),
  fixedPerYearMicros: fc.bigInt({ min: 0n, max: 10n ** 15n }),
})
const curves = fc.record({ churn: shares, spread: fc.double({ min: 0, max: 100, noNaN: true }) })

test('months add up to years and years to the horizon, to the micro-unit', () => {
  fc.assert(
    fc.property(scenarios, curves, (scenario, fit) => {
      const { months, years, horizon } = projectPaidTier(scenario, fit)
      for (const sum of ['revenueMicros', 'costToServeMicros', 'fixedMicros', 'marginMicros'] as const) {
        const of = (periods: typeof months) => periods.reduce((total, period) => total + period[sum], 0n)
        assert.equal(of(months), horizon[sum])
        assert.equal(of(years), horizon[sum])
      }
      for (const period of [...months, ...years, horizon]) {
        assert.equal(period.marginMicros, period.revenueMicros - period.costToServeMicros - period.fixedMicros)
      }
      if (scenario.horizonMonths >= 12) assert.equal(years[0]!.fixedMicros, scenario.fixedPerYearMicros)
    }),
  )
})

test('never has more households than there are, and earns no less when fewer leave and serving costs nothing', () => {
  fc.assert(
    fc.property(scenarios, curves, (scenario, fit) => {
      for (const { onTrial, paying, freeWithPrime } of projectPaidTier(scenario, fit).months) {
        assert.ok(onTrial >= 0 && paying >= 0 && freeWithPrime >= 0)
        assert.ok(onTrial + paying + freeWithPrime <= scenario.households * (1 + 1e-9))
      }
      const free = { ...scenario, requestsPerMonth: 0 }
      const revenue = (churn: number) => projectPaidTier(free, { ...fit, churn }).figures.revenueMicros!
      assert.ok(revenue(fit.churn / 2) >= revenue(fit.churn) * (1 - 1e-12) - 100)
    }),
  )
})
