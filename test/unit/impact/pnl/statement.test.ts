import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { claimedProfitOf, nothing, sumAmounts, type Amounts } from '../../../../services/impact/pnl/amounts.ts'
import type { CohortLedger } from '../../../../services/impact/pnl/ledger.ts'
import { monthOf } from '../../../../services/impact/pnl/month.ts'
import { lifeOf, paybackOf, perDevice, statementOf } from '../../../../services/impact/pnl/statement.ts'

const first = monthOf('2017-11')
const earns = (claimedMicros: bigint, micros: bigint, spread = 0n): Amounts => ({
  ...{ ...nothing, claimedMicros },
  incremental: { micros, low: micros - spread, high: micros + spread },
})
const cohortOf = (cohort: number, devices: number, months: Amounts[]): CohortLedger => ({
  ...{ cohort, households: devices, devices, returned: 0, months },
})
const flat = { discountPerYear: 0 }

for (const [name, cumulative, expected] of [
  ['earned at once', [5, 6], 1],
  ['covered in month 3', [-5, -1, 0, 2], 3],
  ['covered, lost again and covered', [-5, 1, -1, 1], 4],
  ['covered and lost again', [-5, 1, -1], null],
  ['never', [-5, -4], null],
  ['nothing seen', [], null],
] as const) {
  test(`payback: ${name}`, () => {
    assert.equal(paybackOf(cumulative), expected)
  })
}

test('a device’s life is the mean over the cohorts that were seen at that age', () => {
  const old = cohortOf(first, 10, [earns(-100n, -100n), earns(30n, 10n), earns(90n, 10n)])
  const young = cohortOf(first + 1, 30, [earns(-100n, -100n), earns(10n, 30n)])
  const { life, paybackClaimed, paybackIncremental } = lifeOf([old, young], flat)
  assert.deepEqual(
    life.map(({ claimed }) => claimed),
    [-5, -4, 5],
  )
  assert.deepEqual(
    life.map(({ incremental }) => incremental?.micros),
    [-5, -4, -3],
  )
  assert.deepEqual([paybackClaimed, paybackIncremental], [3, null])
})

test('what comes a year later is discounted by a year’s rate', () => {
  const months = Array.from({ length: 13 }, (_, age) => (age === 12 ? earns(110n, 0n) : nothing))
  const { life } = lifeOf([cohortOf(first, 1, months)], { discountPerYear: 0.1 })
  assert.ok(Math.abs(life[12]!.claimed - 100) < 1e-9)
})

test('bounds are added up; from a month without one on there is none, and from one that is not known on no figure', () => {
  const bounded = earns(0n, 10n, 4n)
  const unbounded = { ...nothing, incremental: { micros: 1n, low: null, high: null } }
  const unknown = { ...nothing, incremental: null }
  const { life, paybackIncremental } = lifeOf([cohortOf(first, 1, [bounded, bounded, unbounded, unknown])], flat)
  assert.deepEqual(
    life.map(({ incremental }) => incremental),
    [
      { micros: 10, low: 6, high: 14 },
      { micros: 20, low: 12, high: 28 },
      { micros: 21, low: -Infinity, high: Infinity },
      null,
    ],
  )
  assert.equal(paybackIncremental, null)
})

test('years, months and cohorts each add up to the total, to the micro-unit', () => {
  const sum = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n })
  const amounts: fc.Arbitrary<Amounts> = fc.record({
    ...{ priceMicros: sum, costOfGoodsMicros: sum, freightMicros: sum, returnsMicros: sum, costToServeMicros: sum },
    ...{ claimedMicros: sum, incremental: fc.record({ micros: sum, low: sum, high: sum }) },
  })
  const cohorts = fc.array(fc.array(amounts, { minLength: 30, maxLength: 30 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(cohorts, (months) => {
      const span = { first, last: first + 29 }
      const {
        total,
        years,
        months: byMonth,
        cohorts: apart,
      } = statementOf(
        {
          ...{ product: 'echo', households: 1, isCut: false },
          cohorts: months.map((of, at) => cohortOf(first + at, 1, of.slice(0, 30 - at))),
          years: [2017, 2018, 2019, 2020].map((year) => ({ year, owners: 0, reach: null })),
        },
        span,
        flat,
      )
      const estimates = (list: readonly Amounts[]) => {
        const { incremental, ...sums } = sumAmounts(list)
        return { ...sums, incremental: incremental!.micros }
      }
      const expected = estimates([total])
      assert.deepEqual(estimates(years.map((year) => year.amounts)), expected)
      assert.deepEqual(estimates(byMonth.map((month) => month.amounts)), expected)
      assert.deepEqual(estimates([byMonth.at(-1)!.cumulative]), expected)
      assert.deepEqual(estimates(apart.map((cohort) => cohort.total)), expected)
      assert.equal(
        claimedProfitOf(total),
        apart.reduce((sum, cohort) => sum + claimedProfitOf(cohort.total), 0n),
      )
    }),
    { numRuns: 20 },
  )
})

test('the bounds of a sum of years are those of the whole, and between the ends of years they are drawn straight', () => {
  const months = Array.from({ length: 14 }, () => earns(0n, 10n, 100n))
  const reach = { below: 20n, above: 40n }
  const statement = statementOf(
    {
      ...{ product: 'echo', households: 1, isCut: false, cohorts: [cohortOf(first, 1, months)] },
      years: [
        { year: 2017, owners: 1, reach },
        { year: 2018, owners: 1, reach: { below: 140n, above: 160n } },
      ],
    },
    { first, last: first + 13 },
    flat,
  )
  const incremental = statement.months.map(({ cumulative }) => cumulative.incremental)
  assert.deepEqual(incremental[0], { micros: 10n, low: 0n, high: 30n })
  assert.deepEqual(incremental[1], { micros: 20n, low: 0n, high: 60n })
  assert.deepEqual(incremental[7], { micros: 80n, low: 0n, high: 180n })
  assert.deepEqual(statement.total.incremental, { micros: 140n, low: 0n, high: 300n })
  assert.deepEqual(statement.years[1]!.amounts.incremental, { micros: 120n, low: -1_080n, high: 1_320n })
})

test('a sum per device needs devices', () => {
  assert.equal(perDevice(10n, 4), 2.5)
  assert.equal(perDevice(10n, 0), null)
})
