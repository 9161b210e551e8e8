import assert from 'node:assert/strict'
import { test } from 'node:test'

import { cusumChart, cusumStep, CUSUM_START } from '../../../../../services/shared/domain/stats/cusum.ts'
import { normalQuantile } from '../../../../../services/shared/domain/stats/normal.ts'
import { createRandom } from '../../../../support/random-usage.ts'

/** Montgomery, Introduction to Statistical Quality Control, table 9.1: target 10, sigma 1; the mean is 11 from 21 on. */
const montgomery = [
  ...[9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.2, 10.34, 9.03, 11.47, 10.51, 9.4, 10.08, 9.37],
  ...[10.62, 10.31, 8.52, 10.84, 10.9, 9.33, 12.29, 11.5, 10.6, 11.08, 10.38, 11.62, 11.31, 10.52],
].map((x) => x - 10)

test("signals at the 29th point of Montgomery's table, with C+ 5.28", () => {
  const chart = cusumChart(montgomery)
  const first = chart.findIndex(({ signal }) => signal !== null)
  assert.equal(first, 28)
  assert.equal(chart[first]!.high.toFixed(2), '5.28')
  assert.equal(chart[first]!.signal, 'rise')
})

test('sees a fall as it sees a rise', () => {
  const mirrored = cusumChart(montgomery.map((z) => -z))
  cusumChart(montgomery).forEach((point, row) => {
    assert.equal(mirrored[row]!.low, point.high)
    assert.equal(mirrored[row]!.signal, point.signal === 'rise' ? 'fall' : point.signal)
  })
})

test('leaves the sums as they are where nothing is known', () => {
  const chart = cusumChart([2, null, 2])
  assert.deepEqual(chart, [
    { high: 1.5, low: 0, signal: null },
    { high: 1.5, low: 0, signal: null },
    { high: 3, low: 0, signal: null },
  ])
})

test('goes on or starts anew after a signal', () => {
  const jump = [6, 6, 0]
  assert.deepEqual(
    cusumChart(jump).map(({ high }) => high),
    [5.5, 11, 10.5],
  )
  assert.deepEqual(
    cusumChart(jump, { afterSignal: 'reset' }).map(({ high }) => high),
    [5.5, 5.5, 0],
  )
})

test('signals above h, not at it', () => {
  assert.equal(cusumStep(CUSUM_START, 5.5, { k: 0.5, h: 5 }).signal, null)
  assert.equal(cusumStep(CUSUM_START, 5.5001, { k: 0.5, h: 5 }).signal, 'rise')
  assert.equal(cusumStep(CUSUM_START, -5.5001, { k: 0.5, h: 5 }).signal, 'fall')
})

test('refuses a residual that is no number', () => {
  assert.throws(() => cusumStep(CUSUM_START, Number.NaN), /NaN/)
})

// 465 and 10.4 in Montgomery's table 9.3; the standard error is 1.6 % of the length for 4,000 runs.
const lengths: [shift: number, runs: number, length: number, tolerance: number][] = [
  [0, 4_000, 465, 22],
  [1, 4_000, 10.4, 0.4],
]
for (const [shift, runs, length, tolerance] of lengths) {
  test(`runs ${length} points on average at a shift of ${shift} sigma`, (t) => {
    const random = createRandom(20_262)
    let points = 0
    for (let run = 0; run < runs; run++) {
      for (let point = { ...CUSUM_START, signal: null as string | null }; point.signal === null; points++)
        point = cusumStep(point, shift + normalQuantile((random() * 2 ** 32 + 0.5) / (2 ** 32 + 1)))
    }
    t.diagnostic(`seed 20262: ${points / runs} of ${runs} runs`)
    assert.ok(Math.abs(points / runs - length) < tolerance, `${points / runs}`)
  })
}
