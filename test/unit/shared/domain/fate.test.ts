import assert from 'node:assert/strict'
import { test } from 'node:test'

import { defaultFateSettings, reasonMeanings, rejectionReasons } from '../../../../services/shared/domain/fate.ts'

test('says of every reason for rejection what it means, once each', () => {
  assert.deepEqual(Object.keys(reasonMeanings), [...rejectionReasons])
  assert.equal(new Set(Object.values(reasonMeanings)).size, rejectionReasons.length)
})

test('has the bounds of the contract as defaults: 200,000 offsets, 1 hour ahead, 400 days back', () => {
  assert.deepEqual(defaultFateSettings, {
    duplicateWindowOffsets: 200_000,
    futureToleranceMs: 60 * 60 * 1_000,
    ageMaxMs: 400 * 24 * 60 * 60 * 1_000,
    eventBytesMax: 64 * 1_024,
  })
})
