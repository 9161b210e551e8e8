import assert from 'node:assert/strict'
import { test } from 'node:test'

import { shareBounds } from '../../../../../services/shared/domain/share-interval.ts'
import { bucketResiduals } from '../../../../../services/shared/domain/stats/bucket-residuals.ts'

test('gives the share and residuals that sum to 0, one a bucket', () => {
  const found = bucketResiduals({ requests: [10, 0, 30], monetised: [5, 0, 3] }, 4)!
  assert.equal(found.share, 0.2)
  assert.equal(found.requests, 40)
  assert.deepEqual([...found.residuals], [3 / 40, 0, -3 / 40, 0])
  assert.deepEqual([...found.used], [1, 0, 1, 0])
})

test('has the variance that the interval of a share is made of', () => {
  const requests = Array.from({ length: 64 }, (_, b) => 100 + b)
  const monetised = requests.map((x, b) => Math.floor(x * (0.2 + (b % 7) / 50)))
  const { residuals, share } = bucketResiduals({ requests, monetised })!
  const variance = (64 / 63) * residuals.reduce((sum, u) => sum + u * u, 0)
  // With thousands of contributing households in the sums nothing is shrunk, and n* = R(1-R)/v.
  const { effectiveRequests } = shareBounds({ requests, monetised })
  assert.ok(Math.abs((share * (1 - share)) / variance / effectiveRequests - 1) < 0.05)
})

test('has none without requests', () => {
  assert.equal(bucketResiduals({ requests: [0, 0], monetised: [0, 0] }), null)
  assert.equal(bucketResiduals({ requests: [], monetised: [] }), null)
})

test('refuses sums that no table can hold', () => {
  assert.throws(() => bucketResiduals({ requests: [1], monetised: [2] }), /bucket 0 has 2 monetised requests of 1/)
  assert.throws(() => bucketResiduals({ requests: [1], monetised: [Number.NaN] }), RangeError)
  assert.throws(() => bucketResiduals({ requests: [1, 1], monetised: [1] }), /same number/)
  assert.throws(() => bucketResiduals({ requests: [1, 1, 1], monetised: [1, 1, 1] }, 2), /at most 2/)
})
