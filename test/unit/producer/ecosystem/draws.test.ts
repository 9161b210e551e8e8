import assert from 'node:assert/strict'
import { test } from 'node:test'

import { cents, ecosystemRandom, logNormal, poisson } from '../../../../services/producer/ecosystem/draws.ts'

const draws = 20_000
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test('a Poisson number has its mean as its variance', () => {
  const random = ecosystemRandom(1, 'quarter', 1)
  for (const expected of [0, 0.3, 4, 60]) {
    const values = Array.from({ length: draws }, () => poisson(random, expected))
    const average = mean(values)
    const variance = mean(values.map((value) => (value - average) ** 2))
    assert.ok(Math.abs(average - expected) <= 4 * Math.sqrt(expected / draws), `mean ${average} of ${expected}`)
    assert.ok(Math.abs(variance - expected) <= 0.06 * expected, `variance ${variance} of ${expected}`)
  }
})

test('a log-normal number has mean 1', () => {
  const random = ecosystemRandom(1, 'quarter', 2)
  const average = mean(Array.from({ length: draws }, () => logNormal(random, 0.5)))
  assert.ok(Math.abs(average - 1) < 0.016, `${average}`)
})

test('money is in whole cents, one at least', () => {
  assert.deepEqual([cents(12.345), cents(12.344), cents(0.001)], [12_350_000, 12_340_000, 10_000])
})

test('purposes and words have streams of their own', () => {
  const first = (...of: Parameters<typeof ecosystemRandom>) => ecosystemRandom(...of).bits()
  const all = [first(1, 'quarter', 1), first(1, 'quarter', 2), first(1, 'profile', 1), first(2, 'quarter', 1)]
  assert.equal(new Set(all).size, all.length)
})
