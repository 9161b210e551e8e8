import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { binomial, resampleCohort } from '../../../../../services/shared/domain/stats/cohort-resample.ts'
import { createRandom } from '../../../../support/random-usage.ts'

const seeds = fc.integer()
const chances = fc.double({ min: 0, max: 1, noNaN: true })

test('a cohort that is drawn anew is as large, never grows, and keeps who cannot leave', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.array(chances, { maxLength: 12 }),
      seeds,
      (customers, parts, seed) => {
        const alive = parts.reduce((counts, part) => [...counts, counts.at(-1)! * part], [100])
        const drawn = resampleCohort(alive, customers, createRandom(seed))
        assert.equal(drawn.length, alive.length)
        assert.equal(drawn[0], customers)
        drawn.slice(1).forEach((count, month) => {
          assert.ok(Number.isInteger(count) && count >= 0 && count <= drawn[month]!)
          if (alive[month + 1] === alive[month]) assert.equal(count, drawn[month])
          if (alive[month + 1] === 0) assert.equal(count, 0)
        })
      },
    ),
  )
})

for (const [trials, chance] of [
  [1, 0.3],
  [7, 0.5],
  [40, 0.02],
  [1_000, 0.869],
  [2_000_000, 0.4],
] as const) {
  test(`of ${trials} trials at ${chance} mean and variance are those of the binomial distribution`, () => {
    const random = createRandom(trials)
    const draws = 4_000
    const drawn = Array.from({ length: draws }, () => binomial(trials, chance, random))
    const mean = drawn.reduce((sum, count) => sum + count, 0) / draws
    const variance = drawn.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (draws - 1)
    const expected = trials * chance * (1 - chance)
    assert.ok(Math.abs(mean - trials * chance) < 4 * Math.sqrt(expected / draws), `${mean}`)
    assert.ok(Math.abs(variance / expected - 1) < 0.15, `${variance}, not ${expected}`)
  })
}

test('the smallest and the largest number that chance can draw end the walk', () => {
  for (const drawn of [0, 0.5, 1 - 2 ** -53]) {
    const count = binomial(1_000, 0.3, () => drawn)
    assert.ok(count >= 0 && count <= 1_000, `${count}`)
  }
  assert.equal(
    binomial(10, 0, () => 0.5),
    0,
  )
  assert.equal(
    binomial(10, 1, () => 0.5),
    10,
  )
  assert.equal(
    binomial(0, 0.5, () => 0.5),
    0,
  )
})

test('the same draws give the same cohort', () => {
  const drawn = () => resampleCohort([100, 80, 60], 500, createRandom(3))
  assert.deepEqual(drawn(), drawn())
})
