import assert from 'node:assert/strict'
import { test } from 'node:test'

import { countScale, estimateText, moneyScale } from '../../../services/impact/scale.ts'

for (const [largest, says, text] of [
  [9_999, 'USD', '9,999.00'],
  [10_000, 'USD k', '10.0'],
  [9_999_999, 'USD k', '10,000.0'],
  [10_000_000, 'USD m', '10.0'],
  [10_000_000_000, 'USD bn', '10.0'],
] as const) {
  test(`a sum of ${largest} is written as ${text} ${says}`, () => {
    const scale = moneyScale([1, Infinity, -largest * 1e6], 'USD')
    assert.equal(scale.says, says)
    assert.equal(estimateText(largest * 1e6, null, scale), text)
  })
}

test('writes an interval behind its estimate, and never for what no number reaches', () => {
  const scale = countScale([12_000])
  assert.equal(estimateText(12_000, { low: -1_000, high: 13_400 }, scale), '12.0 (-1.0 to 13.4)')
  assert.equal(estimateText(12_000, { low: 11_000, high: Infinity }, scale), '12.0 (11.0 to never)')
  assert.equal(estimateText(Infinity, { low: 1, high: Infinity }, scale), 'never')
  assert.equal(estimateText(3, null, countScale([])), '3')
  assert.equal(estimateText(-0.4, null, countScale([])), '0')
})
