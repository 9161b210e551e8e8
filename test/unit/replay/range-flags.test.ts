import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readBound } from '../../../services/replay/range-flags.ts'

test('reads offsets, days and times, UTC', () => {
  assert.deepEqual(readBound('--from', '0:100,12:5'), {
    kind: 'offsets',
    offsets: new Map([
      [0, 100],
      [12, 5],
    ]),
    text: '0:100,12:5',
  })
  for (const [text, timeMs] of [
    ['2026-03-01', Date.UTC(2026, 2, 1)],
    ['2026-03-01T12:30', Date.UTC(2026, 2, 1, 12, 30)],
    ['2026-03-01T12:30:15.5Z', Date.UTC(2026, 2, 1, 12, 30, 15, 500)],
  ] as const) {
    assert.deepEqual(readBound('--to', text), { kind: 'time', timeMs, text })
  }
})

for (const text of [
  '',
  '0',
  '0:',
  ':1',
  '0:1,',
  '0:-1',
  '0:1;1:2',
  '1:9999999999999999',
  '2026-13-01',
  'yesterday',
  'May 1',
]) {
  test(`refuses "${text}"`, () => {
    assert.throws(() => readBound('--from', text), /--from .*neither offsets .*nor a time/)
  })
}

test('refuses a partition that is named twice', () => {
  assert.throws(() => readBound('--to', '1:2,1:3'), /--to 1:2,1:3 names a partition twice/)
})
