import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { defaultFateSettings } from '../../../../services/shared/domain/fate.ts'
import {
  batchToken,
  decodePlan,
  encodePlan,
  schemasPerBatchMax,
  type Plan,
} from '../../../../services/shared/domain/plan.ts'

const plan: Plan = {
  topicId: '8c2a1f5e-0000-4000-8000-0123456789ab',
  first: 40,
  last: 59,
  taxonomyVersion: 1,
  taxonomyHash: '0123456789abcdef',
  fates: defaultFateSettings,
  schemas: { 1: 'fedcba9876543210', 2: '0011223344556677' },
}

test('comes back from the metadata as it went in', () => {
  const offset = fc.nat({ max: Number.MAX_SAFE_INTEGER })
  const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(
      fc.record({
        topicId: fc.uuid(),
        range: fc.tuple(offset, offset).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) })),
        taxonomyVersion: fc.integer({ min: 1, max: 65_535 }),
        taxonomyHash: hash,
        fates: fc.record(
          {
            duplicateWindowOffsets: offset,
            futureToleranceMs: offset,
            ageMaxMs: offset,
            eventBytesMax: offset,
          },
          { noNullPrototype: true },
        ),
        schemas: fc.dictionary(fc.nat().map(String), hash, { maxKeys: schemasPerBatchMax, noNullPrototype: true }),
      }),
      ({ range, ...rest }) => {
        const made: Plan = { ...rest, ...range }
        assert.deepEqual(decodePlan(encodePlan(made)), made)
      },
    ),
  )
})

test('fits far below the 4,096 characters Kafka keeps, at its largest', () => {
  const ids = Array.from({ length: schemasPerBatchMax }, (_, index) => [String(4_294_967_295 - index), 'f'.repeat(16)])
  const max = Number.MAX_SAFE_INTEGER
  const largest: Plan = {
    ...plan,
    first: max - 1,
    last: max,
    taxonomyVersion: 65_535,
    fates: { duplicateWindowOffsets: max, futureToleranceMs: max, ageMaxMs: max, eventBytesMax: max },
    schemas: Object.fromEntries(ids) as Record<string, string>,
  }
  assert.equal(schemasPerBatchMax, 16)
  const bytes = Buffer.byteLength(encodePlan(largest))
  assert.ok(bytes < 1_024, `${bytes} bytes`)
  assert.deepEqual(decodePlan(encodePlan(largest)), largest)
})

test('takes empty metadata for no plan', () => {
  assert.equal(decodePlan(''), undefined)
  assert.equal(decodePlan(null), undefined)
  assert.equal(decodePlan(undefined), undefined)
})

const encoded = JSON.parse(encodePlan(plan)) as Record<string, unknown>
for (const [name, metadata] of [
  ['text that is not JSON', 'committed by hand'],
  ['a blank', ' '],
  ['JSON cut off', encodePlan(plan).slice(0, -1)],
  ['null', 'null'],
  ['a number', '7'],
  ['a list', '[]'],
  ['an empty object', '{}'],
  ['another version', { ...encoded, v: 2 }],
  ['no topic', { ...encoded, topic: undefined }],
  ['a first offset that is text', { ...encoded, first: '40' }],
  ['a negative first offset', { ...encoded, first: -1 }],
  ['an offset beyond 2^53', { ...encoded, last: 2 ** 53 }],
  ['a fraction of an offset', { ...encoded, last: 59.5 }],
  ['a last offset before the first', { ...encoded, last: 39 }],
  ['no taxonomy', { ...encoded, taxonomy: [] }],
  ['a taxonomy without its hash', { ...encoded, taxonomy: [1] }],
  ['a taxonomy version that is text', { ...encoded, taxonomy: ['1', 'hash'] }],
  ['a fate setting missing', { ...encoded, fates: [1, 2, 3] }],
  ['a fate setting too many', { ...encoded, fates: [1, 2, 3, 4, 5] }],
  ['a negative fate setting', { ...encoded, fates: [1, 2, 3, -4] }],
  ['no schemas', { ...encoded, schemas: undefined }],
  ['schemas as a list', { ...encoded, schemas: ['a'] }],
  ['a schema without a fingerprint', { ...encoded, schemas: { 1: null } }],
] as const) {
  test(`throws on ${name}: an unreadable plan is never taken for none`, () => {
    assert.throws(
      () => decodePlan(typeof metadata === 'string' ? metadata : JSON.stringify(metadata)),
      /the committed metadata is not /,
    )
  })
}

test('names the batch by topic id, partition and range', () => {
  assert.equal(batchToken({ ...plan, partition: 3 }), '8c2a1f5e-0000-4000-8000-0123456789ab/3/40-59')
})
