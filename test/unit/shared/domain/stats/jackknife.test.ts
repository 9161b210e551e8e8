import assert from 'node:assert/strict'
import { test } from 'node:test'

import { jackknifeCovariance } from '../../../../../services/shared/domain/stats/jackknife.ts'

const groups = [
  [1, 4],
  [2, 8],
  [6, 3],
  [7, 9],
] as const
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test('of means of equal groups it is the covariance of the means', () => {
  const found = jackknifeCovariance(groups, (left) => [mean(left.map(([x]) => x)), mean(left.map(([, y]) => y))])
  const covariance = (i: 0 | 1, j: 0 | 1) => {
    const [meanI, meanJ] = [mean(groups.map((each) => each[i])), mean(groups.map((each) => each[j]))]
    return groups.reduce((sum, each) => sum + (each[i] - meanI) * (each[j] - meanJ), 0) / (3 * 4)
  }
  for (const i of [0, 1] as const)
    for (const j of [0, 1] as const) assert.ok(Math.abs(found[i]![j]! - covariance(i, j)) < 1e-12)
})

test('what can not be estimated without some group has no covariance, all else has', () => {
  const found = jackknifeCovariance(groups, (left) => [left.length, left[0]![0] === 2 ? NaN : 1])
  assert.deepEqual(found[0]![0], 0)
  assert.ok(Number.isNaN(found[1]![1]) && Number.isNaN(found[0]![1]))
})

test('needs two groups', () => {
  assert.throws(() => jackknifeCovariance([1], () => [1]), RangeError)
})
