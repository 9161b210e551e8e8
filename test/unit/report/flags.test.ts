import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  parseIntentFlags,
  parseRejectedFlags,
  parseRepairFlags,
  parseShareFlags,
} from '../../../services/report/flags.ts'

test('share has its defaults', () => {
  assert.deepEqual(parseShareFlags({}), {
    by: ['product'],
    product: '',
    cohort: '',
    country: '',
    plans: 'any',
    format: 'table',
  })
})

test('dimensions are a list without doubles; none is one total', () => {
  assert.deepEqual(parseShareFlags({ by: 'day, product,day' }).by, ['day', 'product'])
  assert.deepEqual(parseShareFlags({ by: 'none' }).by, [])
})

test('plans are a sorted set; none is no plan, any is everybody', () => {
  assert.deepEqual(
    ['prime,music', 'none', 'any', 'prime,prime'].map((plans) => parseShareFlags({ plans }).plans),
    ['music,prime', '', 'any', 'prime'],
  )
})

test('all mistakes of a call come together, in one sentence', () => {
  assert.throws(() => parseShareFlags({ from: '2026-02-30', cohort: '2026-13', format: 'xml' }), {
    message:
      'share: --from must be a day as 2026-03-31; --cohort must be a month as 2026-03; --format must be table, json, csv',
  })
  assert.throws(() => parseIntentFlags({ limit: '0', class: 'dear' }), {
    message:
      'intents: --limit must be at least 1; --class must be direct, assisted, entitlement, free, unclassified, not_a_request',
  })
  assert.throws(() => parseRejectedFlags({ list: 'all' }), { message: 'rejected: --list must be a number' })
  assert.throws(() => parseShareFlags({ from: '2026-03-02', to: '2026-03-01' }), {
    message: 'share: --from 2026-03-02 is a day after --to 2026-03-01',
  })
})

test('repair changes nothing by itself', () => {
  assert.deepEqual(parseRepairFlags({}), { dryRun: false, yes: false })
})
