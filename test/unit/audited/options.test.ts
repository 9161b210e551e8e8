import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseDrawOptions, parseDropOptions, parseLoadOptions } from '../../../services/audited/options.ts'

test('takes what was typed', () => {
  assert.deepEqual(parseDrawOptions({ events: '1000', drawn: 'random', seed: '7' }), {
    ...{ events: 1_000, drawn: 'random', seed: 7 },
  })
  assert.deepEqual(parseLoadOptions({ name: 'Spring-2026.1', drawn: 'by-broad-label' }), {
    ...{ name: 'Spring-2026.1', drawn: 'by-broad-label', dryRun: false, format: 'table' },
  })
})

test('tells all mistakes of a call in one sentence', () => {
  assert.throws(
    () => parseDrawOptions({ events: '10', drawn: 'label', seed: '-1', from: '2026-02-30' }),
    /^PipelineError: audited draw: <events> must be at least 11; --drawn must be random, by-strict-label, by-broad-label; --seed must be at least 0; --from must be a day as 2026-03-31$/,
  )
  assert.throws(
    () => parseLoadOptions({ name: "a'b", drawn: 'random', format: 'csv' }),
    /--name must be 1 to 32 letters/,
  )
  assert.throws(() => parseDropOptions({ audit: '-x' }), /^PipelineError: audited drop: <audit> must be/)
  assert.throws(
    () => parseDrawOptions({ events: '20', drawn: 'random', from: '2026-03-02', to: '2026-03-01' }),
    /--from 2026-03-02 is a day after --to 2026-03-01/,
  )
})
