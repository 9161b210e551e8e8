import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chooseWindow, describeWindow } from '../../../services/report/window.ts'

const now = Date.parse('2026-03-31T10:00:00Z')
const choose = (
  given: { from?: string; to?: string },
  oldestDay: string | null = '2026-01-01',
  newestDay: string | null = '2026-03-31',
) => {
  const { from, to, days } = chooseWindow(given, { oldestDay, newestDay }, now)
  return [from, to, days]
}

test('is the last 28 days that are over', () => {
  assert.deepEqual(choose({}), ['2026-03-03', '2026-03-30', 28])
})

test('ends where the data end, and starts where they start', () => {
  assert.deepEqual(choose({}, '2026-03-10', '2026-03-20'), ['2026-03-10', '2026-03-20', 11])
  assert.deepEqual(choose({}, '2026-01-01', '2026-03-20'), ['2026-02-21', '2026-03-20', 28])
})

test('is the present day when no other has data', () => {
  assert.deepEqual(choose({}, '2026-03-31', '2026-03-31'), ['2026-03-31', '2026-03-31', 1])
})

test('takes the days that are given', () => {
  assert.deepEqual(choose({ from: '2025-01-01', to: '2025-01-02' }), ['2025-01-01', '2025-01-02', 2])
  assert.deepEqual(choose({ from: '2026-03-01' }), ['2026-03-01', '2026-03-30', 30])
  assert.deepEqual(choose({ to: '2026-03-10' }), ['2026-02-11', '2026-03-10', 28])
  assert.deepEqual(choose({ from: '2026-03-31' }), ['2026-03-31', '2026-03-31', 1])
  assert.deepEqual(choose({ to: '2025-12-31' }), ['2025-12-04', '2025-12-31', 28])
})

test('stands also before anything was ingested, and says so', () => {
  const window = chooseWindow({}, { oldestDay: null, newestDay: null }, now)
  assert.equal(describeWindow(window), '2026-03-03 to 2026-03-30, 28 days (UTC), nothing was ingested yet')
})
