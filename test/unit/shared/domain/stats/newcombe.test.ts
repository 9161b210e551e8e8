import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { newcombeDifference, wilsonOfCount } from '../../../../../services/shared/domain/stats/newcombe.ts'

const count = (text: string) => {
  const [events, trials] = text.split('/').map(Number)
  return { events: events!, trials: trials! }
}

// Newcombe 1998, Statistics in Medicine 17, 857-872 and 873-890.
const wilsons: [count: string, low: number, high: number][] = [
  ['81/263', 0.2553, 0.3662],
  ['15/148', 0.0624, 0.1605],
  ['0/20', 0, 0.1611],
  ['1/29', 0.0061, 0.1718],
]
for (const [text, low, high] of wilsons) {
  test(`equals the printed Wilson interval of ${text}`, () => assertInterval(wilsonOfCount(count(text)), low, high))
}

const differences: [first: string, second: string, low: number, high: number][] = [
  ['56/70', '48/80', 0.0524, 0.3339],
  ['9/10', '3/10', 0.1705, 0.809],
  ['5/56', '0/29', -0.0381, 0.1926],
  ['10/10', '0/20', 0.6791, 1],
]
for (const [first, second, low, high] of differences) {
  test(`equals the printed difference of ${first} and ${second}`, () => {
    const { events, trials } = count(first)
    const found = newcombeDifference(count(first), count(second))
    assertInterval(found, low, high)
    assert.equal(found.estimate, events / trials - count(second).events / count(second).trials)
  })
}

test('is wider at a higher confidence', () => {
  const [a, b] = [count('9/10'), count('3/10')]
  assert.ok(newcombeDifference(a, b, 0.99).low < newcombeDifference(a, b, 0.95).low)
})

test('is mirrored when the two change places, and stays within -1 and 1', () => {
  const anyCount = fc
    .tuple(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([trials, part]) => ({ events: Math.round(trials * part), trials }))
  fc.assert(
    fc.property(anyCount, anyCount, (a, b) => {
      const there = newcombeDifference(a, b)
      const back = newcombeDifference(b, a)
      assert.ok(Math.abs(there.low + back.high) < 1e-12 && Math.abs(there.high + back.low) < 1e-12)
      assert.ok(there.low >= -1 - 1e-12 && there.high <= 1 + 1e-12)
      assert.ok(there.low <= there.estimate && there.estimate <= there.high)
    }),
  )
})

test('refuses counts that can not be', () => {
  for (const text of ['3/2', '0/0', '-1/2']) assert.throws(() => wilsonOfCount(count(text)), RangeError)
})

function assertInterval({ low, high }: { low: number; high: number }, expectedLow: number, expectedHigh: number) {
  assert.ok(Math.abs(low - expectedLow) < 5.1e-5 && Math.abs(high - expectedHigh) < 5.1e-5, `${low} to ${high}`)
}
