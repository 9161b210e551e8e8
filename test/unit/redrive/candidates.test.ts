import assert from 'node:assert/strict'
import { test } from 'node:test'

import { batchesOf } from '../../../services/redrive/candidates.ts'

const rows = (sizes: readonly number[]) => sizes.map((size, offset) => ({ offset, size }))
const lengths = (sizes: readonly number[]) => batchesOf(rows(sizes)).map((batch) => batch.length)
const megabyte = 1_048_576

test('a batch has at most 1,000 messages', () => {
  assert.deepEqual(lengths(Array<number>(1_000).fill(10)), [1_000])
  assert.deepEqual(lengths(Array<number>(1_001).fill(10)), [1_000, 1])
})

test('and at most 4 MB, unless one message alone is larger', () => {
  assert.deepEqual(lengths([megabyte, megabyte, megabyte, megabyte, 1]), [4, 1])
  assert.deepEqual(lengths([1, 9 * megabyte, 1, 1]), [1, 1, 2])
})

test('all offsets are in a batch once, in their order; of none there is none', () => {
  assert.deepEqual(batchesOf(rows([3 * megabyte, 3 * megabyte, 0])), [[0], [1, 2]])
  assert.deepEqual(batchesOf([]), [])
})
