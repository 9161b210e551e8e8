import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import {
  discountedLifetime,
  discountedResidualLifetime,
  fitRetention,
  logLikelihood,
  survival,
  type ShiftedBetaGeometric,
} from '../../../../../services/shared/domain/stats/shifted-beta-geometric.ts'
import { retentionCoverage } from '../../../../statistics/retention.ts'

/** Fader & Hardie 2007, table 1: customers of two segments by renewal, the first seven. */
const highEnd = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]
const regular = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]

for (const [name, alive, alpha, beta, atTwelve] of [
  ['High End', highEnd, '0.668', '3.806', '37.8'],
  ['Regular', regular, '0.704', '1.182', '17.0'],
] as const) {
  test(`gives the published parameters and the survival at 12 of the segment ${name}`, () => {
    const fit = fitRetention(alive)
    assert.equal(fit.shape, 'heterogeneous')
    assert.equal(fit.alpha!.toFixed(3), alpha)
    assert.equal(fit.beta!.toFixed(3), beta)
    assert.equal((100 * survival(fit, 12)[12]!).toFixed(1), atTwelve)
  })
}

test('the same counted as customers gives the same fit', () => {
  const { churn, spread } = fitRetention(highEnd)
  const counted = fitRetention(highEnd.map((part) => Math.round(10 * part)))
  assert.ok(Math.abs(counted.churn - churn) < 1e-9 && Math.abs(counted.spread - spread) < 1e-8)
})

for (const [name, alive, shape, ahead] of [
  ['nobody leaves', [100, 100, 100], 'nobody_left', [1, 1, 1]],
  ['all leave at the first renewal', [100, 0, 0], 'all_left_at_once', [1, 0, 0]],
  ['a constant part leaves', [1_000, 500, 250, 125], 'constant', [1, 0.5, 0.25]],
  ['more leave the longer they stay', [100, 100, 20], 'constant', [1, 0.6, 0.36]],
  ['some leave at once and the others never', [100, 50, 50, 50], 'at_once_or_never', [1, 0.5, 0.5]],
  ['there is one customer, who stays once', [1, 1, 0], 'constant', [1, 0.5, 0.25]],
  ['there is one customer, who leaves at once', [1, 0, 0], 'all_left_at_once', [1, 0, 0]],
  ['all leave at the second renewal', [100, 50, 0], 'constant', [1, 1 / 3, 1 / 9]],
] as const) {
  test(`has an answer where ${name}`, () => {
    const fit = fitRetention(alive)
    assert.equal(fit.shape, shape)
    assert.deepEqual([fit.alpha, fit.beta], [null, null])
    survival(fit, 2).forEach((part, month) => assert.ok(Math.abs(part - ahead[month]!) < 1e-5, `${month}: ${part}`))
  })
}

test('refuses a cohort that grows, is empty, or was seen at one renewal', () => {
  assert.throws(() => fitRetention([100, 80, 81]), /never become more, got 81 after 80/)
  assert.throws(() => fitRetention([0, 0, 0]), RangeError)
  assert.throws(() => fitRetention([100, 80]), RangeError)
  assert.throws(() => fitRetention([100, Number.NaN, 3]), RangeError)
  assert.throws(() => fitRetention([100, 80, -1]), RangeError)
  assert.throws(() => discountedLifetime({ churn: 0.1, spread: 1 }, 0), /above 0, got 0/)
})

const cohorts = fc
  .tuple(
    fc.integer({ min: 2, max: 5_000 }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 14 }),
  )
  .map(([customers, parts]) =>
    parts.reduce((alive, part) => [...alive, Math.floor(alive.at(-1)! * part ** 0.3)], [customers]),
  )
const curves: fc.Arbitrary<ShiftedBetaGeometric> = fc.record({
  churn: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
  spread: fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 100, noNaN: true })),
})

test('no other curve makes a cohort likelier', () => {
  fc.assert(
    fc.property(cohorts, curves, (alive, other) => {
      const best = logLikelihood(alive, fitRetention(alive))
      assert.ok(best >= logLikelihood(alive, other) - 1e-6 * Math.abs(best), `${best}`)
    }),
    { numRuns: 2_000 },
  )
})

test('survival begins at 1 and falls, and retention rises', () => {
  fc.assert(
    fc.property(cohorts, (alive) => {
      const parts = survival(fitRetention(alive), 60)
      assert.equal(parts[0], 1)
      for (let t = 1; t <= 60; t++) {
        assert.ok(parts[t]! >= 0 && parts[t]! <= parts[t - 1]!)
        if (t > 1 && parts[t - 1]! > 1e-9)
          assert.ok(parts[t]! / parts[t - 1]! >= parts[t - 1]! / parts[t - 2]! - 1e-9, `renewal ${t}`)
      }
    }),
  )
})

test('finds the curve again that a very large cohort was made by', () => {
  fc.assert(
    fc.property(curves, (curve) => {
      const found = survival(fitRetention([...survival(curve, 10)].map((part) => 1e9 * part)), 30)
      survival(curve, 30).forEach((part, month) => assert.ok(Math.abs(part - found[month]!) < 1e-4, `month ${month}`))
    }),
  )
})

test('lifetimes are the sums that they stand for', () => {
  fc.assert(
    fc.property(
      curves,
      fc.double({ min: 0.003, max: 0.5, noNaN: true }),
      fc.integer({ min: 1, max: 24 }),
      (curve, discount, months) => {
        const parts = survival(curve, 12_000)
        const sum = (from: number) =>
          parts.subarray(from).reduce((total, part, t) => total + part * (1 + discount) ** -t, 0)
        const close = (found: number, expected: number) =>
          assert.ok(Math.abs(found - expected) <= 1e-8 * expected, `${found}, not ${expected}`)
        close(discountedLifetime(curve, discount), sum(0))
        if (parts[months - 1]! > 1e-200)
          close(discountedResidualLifetime(curve, months, discount), sum(months) / parts[months - 1]!)
      },
    ),
    { numRuns: 50 },
  )
})

test('who never leaves is paid for ever: (1 + d) / d', () => {
  assert.ok(Math.abs(discountedLifetime({ churn: 0, spread: 0 }, 0.01) - 101) < 1e-9)
  assert.equal(discountedLifetime({ churn: 1, spread: 0 }, 0.01), 1)
})

// The tables are in test/statistics/README.md.
test('the bootstrap interval of 1,000 customers over seven months holds the truth in 89 % or more', (t) => {
  const truth = { churn: 0.668 / 4.474, spread: 1 / 4.474 }
  const scenario = { truth, customers: 1_000, months: 7, horizonMonths: 24 }
  const found = retentionCoverage(scenario, { draws: 150, resamples: 200, seed: 1 })
  t.diagnostic(`seed 1: ${found.atEnd.coverage}, ${found.overHorizon.coverage}, ${found.lifetime.coverage} %`)
  assert.equal(found.without, 0)
  for (const { coverage } of [found.atEnd, found.overHorizon, found.lifetime]) {
    assert.ok(coverage >= 89 && coverage <= 99, `${coverage}`)
  }
})
