import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseEcosystemFlags } from '../../../../services/producer/ecosystem/options.ts'

test('has defaults, and draws a seed when none is given', () => {
  const { seed, ...rest } = parseEcosystemFlags({})
  assert.ok(Number.isInteger(seed) && seed >= 0)
  assert.deepEqual(rest, { households: 30_000, duplicatesShare: 0, truthFile: undefined, format: 'table' })
})

test('takes what is typed', () => {
  const given = { households: '500', seed: '0', duplicates: '0.01', truth: 'truth.json', format: 'json' }
  const expected = { households: 500, seed: 0, duplicatesShare: 0.01, truthFile: 'truth.json', format: 'json' }
  assert.deepEqual(parseEcosystemFlags(given), expected)
})

test('tells all mistakes in one sentence', () => {
  assert.throws(() => parseEcosystemFlags({ households: '0', seed: 'x', duplicates: '2', truth: '', format: 'csv' }), {
    message:
      'simulate-ecosystem: --households must be at least 1; --seed must be a number; --duplicates must be from 0 to 1; --truth is no path; --format must be table or json',
  })
})
