import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseLogBound } from '../../../../services/shared/domain/log-bound.ts'

for (const [given, expected] of [
  ['2026-03-02', Date.UTC(2026, 2, 2)],
  ['2026-03-02T14:00Z', Date.UTC(2026, 2, 2, 14)],
  ['2026-03-02T14:00', Date.UTC(2026, 2, 2, 14)],
  ['2026-03-02T14:00:01.5Z', Date.UTC(2026, 2, 2, 14, 0, 1, 500)],
] as const) {
  test(`${given} is a time, UTC`, () => {
    assert.deepEqual(parseLogBound('--from', given), { kind: 'time', timeMs: expected, text: given })
  })
}

for (const [given, expected] of [
  ['0:0', [[0, 0]]],
  [
    '0:1000,12:2000',
    [
      [0, 1_000],
      [12, 2_000],
    ],
  ],
  [
    ' 1:2 , 3:4 ',
    [
      [1, 2],
      [3, 4],
    ],
  ],
] as const) {
  test(`${given} is offsets by partition`, () => {
    assert.deepEqual(parseLogBound('--to', given), { kind: 'offsets', offsets: new Map(expected), text: given })
  })
}

for (const given of [
  '',
  '5',
  '0:',
  ':1',
  '0:-1',
  '0:1;1:2',
  '0:1,0:2',
  '2026-02-30T25:00Z',
  '2026-13-01',
  'now',
  '0:1e3',
]) {
  test(`"${given}" is neither`, () => {
    assert.throws(() => parseLogBound('--from', given), {
      code: 'usage_invalid',
      message: /^--from .* is no place in the log; give a time as/,
    })
  })
}
