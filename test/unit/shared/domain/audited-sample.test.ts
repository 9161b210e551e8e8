import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  agreementOf,
  correctedShare,
  sampleFor,
  type AuditedSample,
} from '../../../../services/shared/domain/audited-sample.ts'
import { wilson } from '../../../../services/shared/domain/share-interval.ts'
import { auditedAtRandom, auditedByLabel } from '../../../../services/shared/domain/stats/audited-share.ts'

const z = 1.959963984540054
const sample: AuditedSample = {
  ...{ audit: 'spring', drawn: 'random', loadedAt: '2026-03-01 00:00:00.000', taxonomyVersion: 1, events: 1_000 },
  strict: { said: 50, called: 60, both: 45 },
  broad: { said: 300, called: 320, both: 290 },
}
const shown = { share: 0.06, ...wilson(0.06, 20_000, z) }

function assertClose(actual: object | null, expected: object) {
  assert.deepEqual(Object.keys(actual!), Object.keys(expected))
  const values = Object.values(expected) as number[]
  Object.values(actual!).forEach((value: number, index) => assert.ok(Math.abs(value - values[index]!) < 1e-9))
}

test('a random sample corrects by sensitivity and specificity', () => {
  const expected = auditedAtRandom(
    { share: 0.06, effectiveRequests: 20_000 },
    { monetised: { events: 45, trials: 50 }, notMonetised: { events: 935, trials: 950 } },
  )
  assertClose(correctedShare(shown, sample, 'strict'), expected)
})

test('a sample by label corrects by what is true of either label, at the confidence that is asked for', () => {
  const expected = auditedByLabel(
    { share: 0.06, effectiveRequests: 20_000 },
    { calledMonetised: { events: 45, trials: 60 }, calledNotMonetised: { events: 5, trials: 940 } },
    0.99,
  )
  assertClose(correctedShare(shown, { ...sample, drawn: 'by-strict-label' }, 'strict', 0.99), expected)
})

test('nothing is corrected where a figure is hidden or a bound left out, or without an audit', () => {
  assert.equal(correctedShare({ share: null, low: null, high: null }, sample, 'strict'), null)
  assert.equal(correctedShare({ ...shown, low: null }, sample, 'strict'), null)
  assert.equal(correctedShare(shown, undefined, 'strict'), null)
})

test('the latest sample that can correct a share does', () => {
  const one = (over: Partial<AuditedSample>) => ({ ...sample, ...over })
  const none = { said: 0, called: 5, both: 0 }
  const cases: [what: string, samples: AuditedSample[], strict: string | undefined, broad: string | undefined][] = [
    ['none', [], undefined, undefined],
    ['the latest', [one({ audit: 'new' }), sample], 'new', 'new'],
    ['one of another taxonomy does not', [one({ audit: 'new', taxonomyVersion: 2 }), sample], 'spring', 'spring'],
    [
      'by label of its own definition alone',
      [one({ audit: 'new', drawn: 'by-strict-label' }), sample],
      'new',
      'spring',
    ],
    ['nothing direct found at random', [one({ audit: 'new', strict: none }), sample], 'spring', 'new'],
    [
      'all are called so',
      [one({ drawn: 'by-broad-label', broad: { said: 9, called: 1_000, both: 9 } })],
      undefined,
      undefined,
    ],
    ['all are said to be', [one({ broad: { said: 1_000, called: 9, both: 9 } })], 'spring', undefined],
  ]
  for (const [what, samples, strict, broad] of cases) {
    assert.deepEqual(
      [sampleFor(samples, 'strict', 1)?.audit, sampleFor(samples, 'broad', 1)?.audit],
      [strict, broad],
      what,
    )
  }
})

test('counts what people and the classifier say', () => {
  const events = [
    { trueClass: 'direct', valueClass: 'direct' },
    { trueClass: 'direct', valueClass: 'assisted' },
    { trueClass: 'entitlement', valueClass: 'unclassified' },
    { trueClass: 'not_a_request', valueClass: 'direct' },
    { trueClass: 'free', valueClass: 'free' },
  ] as const
  assert.deepEqual(agreementOf(events, 'strict'), { said: 2, called: 2, both: 1 })
  assert.deepEqual(agreementOf(events, 'broad'), { said: 3, called: 3, both: 2 })
})
