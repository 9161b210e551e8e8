import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseLogBound } from '../../../services/shared/domain/log-bound.ts'
import { fixRanges, type RangeQuestion } from '../../../services/replay/ranges.ts'

const none = new Map<number, number>()
const fix = (over: Partial<RangeQuestion>) =>
  fixRanges({
    ...{ topic: 't', source: 'kafka' },
    from: undefined,
    to: undefined,
    watermarks: [
      { partition: 0, low: 0, high: 100 },
      { partition: 1, low: 0, high: 50 },
    ],
    fromTime: none,
    toTime: none,
    duplicateWindowOffsets: 20,
    ...over,
  }).map(({ partition, first, end }) => `${partition}:${first}-${end}`)
const from = (text: string) => parseLogBound('--from', text)
const to = (text: string) => parseLogBound('--to', text)
const oneMark = [{ partition: 0, low: 40, high: 100 }]

test('is the whole log where nothing is said and nothing was deleted', () => {
  assert.deepEqual(fix({}), ['0:0-100', '1:0-50'])
})

test('begins a window of duplicates after what retention has left, where nothing is said', () => {
  assert.deepEqual(fix({ watermarks: oneMark }), ['0:60-100'])
})

test('takes offsets as they are, the end not included, and a partition without any', () => {
  assert.deepEqual(fix({ from: from('0:10,1:50'), to: to('0:30,1:50') }), ['0:10-30', '1:50-50'])
})

test('takes times as the first offsets at or after them', () => {
  const fromTime = new Map([
    [0, 5],
    [1, 7],
  ])
  const toTime = new Map([
    [0, 90],
    [1, 50],
  ])
  assert.deepEqual(fix({ from: from('2026-03-01'), to: to('2026-03-02'), fromTime, toTime }), ['0:5-90', '1:7-50'])
})

for (const [what, question, expected] of [
  ['a partition left out', { from: from('0:10') }, /leaves out 1; t has partitions 0, 1/],
  ['a partition that is none', { to: to('0:10,1:9,7:1') }, /names 7; t has partitions 0, 1/],
  ['an end beyond the log', { to: to('0:101,1:50') }, /--to: t\/0 ends at 100, 101 is beyond it/],
  ['a beginning after the end', { from: from('0:60,1:0'), to: to('0:50,1:1') }, /--from: t\/0 would begin at 60/],
  ['no offsets at all', { from: from('0:5,1:5'), to: to('0:5,1:5') }, /holds no offsets/],
  [
    'deleted offsets of the range',
    { watermarks: oneMark, from: from('0:39') },
    /t\/0 has events only from offset 40 on, .*this range begins at 39; begin at 60 or later, .*archive/,
  ],
  [
    'deleted offsets before the range that copies are known by',
    { watermarks: oneMark, from: from('0:59') },
    /from offset 40 on.*by the 20 offsets before it; begin at 60/,
  ],
  ['a log that is shorter than the window', { watermarks: [{ partition: 0, low: 90, high: 100 }] }, /no offsets/],
] as const) {
  test(`refuses ${what}`, () => {
    assert.throws(() => fix(question), { message: expected })
  })
}

test('needs nothing before a range that is empty', () => {
  const watermarks = [...oneMark, { partition: 1, low: 0, high: 9 }]
  assert.deepEqual(fix({ watermarks, from: from('0:41,1:0'), to: to('0:41,1:9') }), ['0:41-41', '1:0-9'])
})
