import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { auditedAtRandom, auditedByLabel } from '../../../../../services/shared/domain/stats/audited-share.ts'
import { auditCoverage } from '../../../../statistics/audit.ts'

test("gives Rogan and Gladen's share", () => {
  // Se .9 and Sp .8 make 38 % of a true 25.7 %: (.38 + .8 - 1) / (.9 + .8 - 1).
  const found = auditedAtRandom(
    { share: 0.38, effectiveRequests: 1e6 },
    { monetised: { events: 900, trials: 1000 }, notMonetised: { events: 800, trials: 1000 } },
  )
  assert.ok(Math.abs(found.estimate - 0.18 / 0.7) < 1e-12)
  assert.ok(found.low < found.estimate && found.estimate < found.high && found.high - found.low < 0.1)
})

test('the limits solve the equation of Fieller', () => {
  const z2 = 1.959963984540054 ** 2
  const found = auditedAtRandom(
    { share: 0.02, effectiveRequests: 5_000 },
    { monetised: { events: 48, trials: 50 }, notMonetised: { events: 4_920, trials: 4_950 } },
  )
  const variance = (p: number, n: number) => (p * (1 - p)) / n
  const n = 5_000 + z2
  const p = (100 + z2 / 2) / n
  const [se, sp] = [49 / 52, 4_921 / 4_952]
  for (const theta of [found.low, found.high]) {
    const distance = (p - (1 - sp) - theta * (se + sp - 1)) ** 2
    const spread = variance(p, n) + theta ** 2 * variance(se, 52) + (1 - theta) ** 2 * variance(sp, 4_952)
    assert.ok(Math.abs(distance / (z2 * spread) - 1) < 1e-9, `${theta}`)
  }
})

test('knows nothing when the classifier is no better than a coin', () => {
  for (const events of [50, 20]) {
    const found = auditedAtRandom(
      { share: 0.4, effectiveRequests: 1_000 },
      { monetised: { events, trials: 100 }, notMonetised: { events, trials: 100 } },
    )
    assert.deepEqual(found, { estimate: 0.4, low: 0, high: 1 })
  }
})

test('gives the share by label as the sum over labels, and the raw one when the audit found no mistake', () => {
  const classified = { share: 0.02, effectiveRequests: 10_000 }
  const found = auditedByLabel(classified, {
    calledMonetised: { events: 400, trials: 500 },
    calledNotMonetised: { events: 5, trials: 500 },
  })
  assert.ok(Math.abs(found.estimate - (0.02 * 0.8 + 0.98 * 0.01)) < 1e-15)
  const perfect = auditedByLabel(classified, {
    calledMonetised: { events: 500, trials: 500 },
    calledNotMonetised: { events: 0, trials: 500 },
  })
  assert.equal(perfect.estimate, 0.02)
  // 0 of 500 leaves room for 0.76 % among those not called monetised.
  assert.ok(perfect.high > 0.027 && perfect.low < 0.0185)
})

test('is within 0 and 1 and around its estimate, whatever was counted', () => {
  const count = fc
    .tuple(fc.integer({ min: 1, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([trials, part]) => ({ events: Math.round(trials * part), trials }))
  const classified = fc.record({
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    effectiveRequests: fc.double({ min: 1, max: 1e7, noNaN: true }),
  })
  fc.assert(
    fc.property(classified, count, count, (share, a, b) => {
      const both = [
        auditedAtRandom(share, { monetised: a, notMonetised: b }),
        auditedByLabel(share, { calledMonetised: a, calledNotMonetised: b }),
      ]
      for (const { estimate, low, high } of both) {
        assert.ok(low >= 0 && high <= 1)
        assert.ok(low <= estimate + 1e-12 && estimate <= high + 1e-12, `${low} ${estimate} ${high}`)
      }
    }),
  )
})

test('refuses an audit without events of a kind, and what is no share', () => {
  const [some, none] = [
    { events: 1, trials: 2 },
    { events: 0, trials: 0 },
  ]
  const classified = { share: 0.1, effectiveRequests: 100 }
  assert.throws(() => auditedAtRandom(classified, { monetised: none, notMonetised: some }), RangeError)
  assert.throws(() => auditedByLabel(classified, { calledMonetised: some, calledNotMonetised: none }), RangeError)
  assert.throws(
    () => auditedByLabel({ share: 1.1, effectiveRequests: 9 }, { calledMonetised: some, calledNotMonetised: some }),
    /between 0 and 1/,
  )
})

// Coverage at 95 %: 93 to 97 % from 1,000 audited events on. The standard error over 4,000 draws is 0.35 points.
const SEED = 20_265
const DRAWS = 4_000
for (const method of ['random', 'by label'] as const)
  for (const events of [1_000, 5_000])
    test(`covers 93 to 97 % with ${events} events audited ${method}`, (t) => {
      for (const theta of [0.005, 0.02, 0.3])
        for (const effectiveRequests of [2_000, 200_000]) {
          const { coverage } = auditCoverage({ method, theta, events, effectiveRequests }, { draws: DRAWS, seed: SEED })
          t.diagnostic(`seed ${SEED}: ${coverage.toFixed(1)} % at ${theta}, ${effectiveRequests} effective requests`)
          assert.ok(coverage >= 93 && coverage <= 97, `${coverage} % at ${theta}, ${effectiveRequests}`)
        }
    })
