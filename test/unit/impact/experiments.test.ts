import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chooseExperiment, type Experiment } from '../../../services/impact/experiments.ts'

const drawn = { from: '2020-01-01', to: '2020-12-31' }
const all: readonly Experiment[] = [
  { product: 'echo', experiment: 'echo_holdout', drawn },
  { product: 'ring', experiment: 'ring_north', drawn },
  { product: 'ring', experiment: 'ring_south', drawn },
]

test('takes the only experiment of a product, or the one that is named', () => {
  assert.equal(chooseExperiment(all, { product: 'echo' }).experiment, 'echo_holdout')
  assert.equal(chooseExperiment(all, { product: 'ring', experiment: 'ring_south' }).experiment, 'ring_south')
})

for (const [asked, says] of [
  [{ product: 'kindle' }, 'no experiment withholds product kindle; there are echo, ring'],
  [{ product: 'ring' }, 'several experiments withhold product ring; name one: there are ring_north, ring_south'],
  [{ product: 'ring', experiment: 'x' }, 'product ring has no experiment x; there are ring_north, ring_south'],
] as const)
  test(`says: ${says}`, () => {
    assert.throws(() => chooseExperiment(all, asked), { message: says, code: 'usage_invalid' })
  })

test('says that there are none yet', () => {
  assert.throws(() => chooseExperiment([], { product: 'echo' }), /there are no products of experiments yet/)
})
