import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parsePaidTierFlags } from '../../../services/impact/flags.ts'

test('a file is enough', () => {
  assert.deepEqual(parsePaidTierFlags(['a.yaml'], {}), { scenario: ['a.yaml'], seed: 1, format: 'table' })
})

test('reads numbers', () => {
  const { seed, months } = parsePaidTierFlags(['a', 'b'], { seed: '7', months: '24', format: 'json' })
  assert.deepEqual([seed, months], [7, 24])
})

for (const [files, given, sentence] of [
  [['a'], { seed: '-1' }, '--seed must be at least 0'],
  [['a'], { months: '0' }, '--months must be at least 1'],
  [['a'], { months: '241' }, '--months must be at most 240'],
  [['a'], { months: 'x' }, '--months must be a number'],
  [['a'], { format: 'csv' }, '--format must be table or json'],
  [[''], {}, '<scenario> is no path'],
  [['a', 'b', 'c', 'd', 'e', 'f', 'g'], {}, '<scenario> are more than 6'],
] as [string[], object, string][]) {
  test(`refuses ${JSON.stringify(given)} of ${files.length} files: ${sentence}`, () => {
    assert.throws(
      () => parsePaidTierFlags(files, given),
      (thrown: Error) => {
        assert.ok(thrown.message.startsWith(`impact paid-tier: ${sentence}`), thrown.message)
        return true
      },
    )
  })
}
