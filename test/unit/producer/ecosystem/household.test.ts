import assert from 'node:assert/strict'
import { test } from 'node:test'

import { defaultSettings } from '../../../../services/producer/ecosystem/facts.ts'
import { drawHousehold } from '../../../../services/producer/ecosystem/household.ts'
import { products } from '../../../../services/producer/population.ts'

const seed = 8

test('the same seed and index give the same household, another index or seed another', () => {
  assert.deepEqual(drawHousehold(seed, 3, defaultSettings), drawHousehold(seed, 3, defaultSettings))
  assert.notDeepEqual(drawHousehold(seed, 3, defaultSettings).orders, drawHousehold(seed, 4, defaultSettings).orders)
  assert.notDeepEqual(drawHousehold(seed, 3, defaultSettings).orders, drawHousehold(9, 3, defaultSettings).orders)
})

test('what a household buys anyway depends neither on effects nor on what is withheld from it', () => {
  const anyway = (settings: typeof defaultSettings) =>
    Array.from({ length: 300 }, (_, index) =>
      drawHousehold(seed, index, settings)
        .orders.filter(({ causedBy }) => causedBy === undefined)
        .map(({ claims: _claims, ...order }) => order),
    )
  const base = anyway(defaultSettings)
  const none = Object.fromEntries(products.map((product) => [product, 0])) as typeof defaultSettings.effects
  assert.deepEqual(anyway({ ...defaultSettings, effects: none }), base)
  assert.deepEqual(anyway({ ...defaultSettings, holdoutMillionths: 1_000_000 }), base)
})

test('the truth of a household is what its orders add up to', () => {
  for (let index = 0; index < 500; index++) {
    const { orders, truth } = drawHousehold(seed, index, defaultSettings)
    for (const product of products) {
      const caused = orders.filter(({ causedBy }) => causedBy === product)
      const claimed = orders.filter(
        ({ claims, currency }) => currency === 'USD' && claims.some((claim) => claim.product === product),
      )
      const sum = (of: typeof orders) => of.reduce((total, { marginMicros }) => total + marginMicros, 0)
      const total = (years: readonly number[]) => years.reduce((all, year) => all + year, 0)
      assert.equal(total(truth.products[product].causedMicros), sum(caused))
      assert.equal(total(truth.products[product].claimedMicros), sum(claimed))
    }
  }
})
