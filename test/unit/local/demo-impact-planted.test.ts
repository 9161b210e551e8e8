import assert from 'node:assert/strict'
import { test } from 'node:test'

import { plantedOf } from '../../../services/local/demo-impact-planted.ts'
import { defaultSettings } from '../../../services/producer/ecosystem/facts.ts'
import { countOrders, drawHousehold } from '../../../services/producer/ecosystem/household.ts'
import { countHousehold, createTally, describeTruth } from '../../../services/producer/ecosystem/truth.ts'

const households = Array.from({ length: 400 }, (_, index) => drawHousehold(1, index, defaultSettings))

test('what is planted of a product is the sum of what was drawn for each household', () => {
  const tally = createTally()
  for (const { profile, orders } of households) {
    countHousehold(tally, profile)
    for (const order of orders) countOrders(tally, profile, [order])
  }
  const [kindle] = plantedOf(describeTruth(tally), ['kindle'])
  const caused = households.flatMap(({ orders }) => orders.filter(({ causedBy }) => causedBy === 'kindle'))
  assert.deepEqual(
    kindle!.years.map(({ year, causedMicros }) => [year, causedMicros]),
    [2017, 2018, 2019, 2020, 2021].map((year) => [
      year,
      caused
        .filter(({ occurredAt }) => new Date(occurredAt).getUTCFullYear() === year)
        .reduce((sum, { marginMicros }) => sum + marginMicros, 0),
    ]),
  )
  const ofArm = (arm: 'treatment' | 'holdout') => {
    const drawn = households.filter(({ profile }) => profile.arms.kindle === arm)
    const sum = drawn
      .flatMap(({ orders }) => orders)
      .reduce((total, { causedBy, marginMicros }) => total + (causedBy === 'kindle' ? marginMicros : 0), 0)
    const owners = drawn.filter(({ profile }) => profile.devices.kindle[0]?.returnedAt === Infinity).length
    return { margin: sum / drawn.length, owning: owners / drawn.length }
  }
  const [treatment, holdout] = [ofArm('treatment'), ofArm('holdout')]
  assert.ok(Math.abs(kindle!.perHouseholdMicros - (treatment.margin - holdout.margin)) <= 2)
  const expected = (treatment.margin - holdout.margin) / (treatment.owning - holdout.owning)
  assert.ok(Math.abs(kindle!.perOwnerMicros / expected - 1) < 1e-5, `${kindle!.perOwnerMicros} ${expected}`)
})
