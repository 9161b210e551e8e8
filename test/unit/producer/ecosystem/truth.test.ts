import assert from 'node:assert/strict'
import { test } from 'node:test'

import { firstDayOfYear, salesFromDay } from '../../../../services/producer/ecosystem/calendar.ts'
import { defaultSettings } from '../../../../services/producer/ecosystem/facts.ts'
import { countOrders } from '../../../../services/producer/ecosystem/household.ts'
import type { Order } from '../../../../services/producer/ecosystem/orders.ts'
import { drawProfile, type OwnedDevice, type Profile } from '../../../../services/producer/ecosystem/profile.ts'
import { countHousehold, createTally, describeTruth } from '../../../../services/producer/ecosystem/truth.ts'
import { dayMs } from '../../../../services/producer/traffic.ts'

const device = (over: Partial<OwnedDevice>): OwnedDevice => ({
  ...{ place: 0, product: 'kindle', model: 'kindle_10', activatedAt: salesFromDay * dayMs, returnedAt: Infinity },
  ...{ priceMicros: 85_000_000, costMicros: 72_000_000, requestsPerDay: 1, appVersion: '1.0.0' },
  ...over,
})

function household(arm: 'treatment' | 'holdout', kindles: readonly OwnedDevice[]): Profile {
  return {
    ...drawProfile(1, 1, defaultSettings),
    arms: { echo: 'treatment', kindle: arm, fire_tv: 'treatment', ring: 'treatment' },
    devices: { echo: [], kindle: kindles, fire_tv: [], ring: [] },
  }
}

const order = (over: Partial<Order>): Order => ({
  ...{ place: 0, kind: 'order', occurredAt: (salesFromDay + 40) * dayMs, orderId: 'order-1', line: 'e_books' },
  ...{ revenueMicros: 30_000_000, marginMicros: 9_000_000, currency: 'USD', claims: [], causedBy: 'kindle' },
  ...over,
})
const claim = (product: 'kindle' | 'echo') => ({ product, ground: 'owned', touchedAt: salesFromDay * dayMs })

test('owners are those of the last day, owner-years count days, and a device given back is paid back', () => {
  const tally = createTally()
  const returnedAt = (salesFromDay + 10) * dayMs + 1
  countHousehold(tally, household('treatment', [device({}), device({ place: 1 })]))
  countHousehold(tally, household('treatment', [device({ returnedAt })]))
  countHousehold(tally, household('holdout', []))
  const { products, households, householdsWithoutDevices } = describeTruth(tally)
  const { kindle } = products
  assert.deepEqual([households, householdsWithoutDevices], [3, 1])
  assert.deepEqual([kindle.owners, kindle.years[2016]!.owners, kindle.years[2017]!.owners], [1, 0, 1])
  assert.equal(kindle.years[2017]!.ownerYears, (365 + 10) / 365.25)
  assert.equal(kindle.ownerYears, (firstDayOfYear(6) - salesFromDay + 10) / 365.25)
  assert.deepEqual([kindle.devices, kindle.devicesReturned], [3, 1])
  assert.deepEqual([kindle.priceMicros, kindle.costOfGoodsMicros], [170_000_000, 216_000_000])
  assert.deepEqual(kindle.experiment.households, { treatment: 2, holdout: 1 })
  assert.deepEqual(kindle.experiment.ownersAtEnd, { treatment: 1, holdout: 0 })
})

test('what is caused and claimed is less what is refunded, in the year of each; only rightful claims count as such', () => {
  const tally = createTally()
  const owner = household('treatment', [device({})])
  const other = household('holdout', [device({})])
  countHousehold(tally, owner)
  countHousehold(tally, owner)
  countHousehold(tally, other)
  const claims = [claim('kindle'), claim('echo')]
  const refundedAt = (firstDayOfYear(2) + 1) * dayMs
  countOrders(tally, owner, [
    order({ claims }),
    order({ claims, kind: 'refund', occurredAt: refundedAt, revenueMicros: -30_000_000, marginMicros: -9_000_000 }),
    order({
      claims,
      kind: 'second_refund',
      occurredAt: refundedAt,
      revenueMicros: -30_000_000,
      marginMicros: -9_000_000,
    }),
    order({ orderId: 'order-2', causedBy: undefined, line: 'retail', marginMicros: 5_000_000, claims }),
    order({ orderId: 'order-3', causedBy: undefined, line: 'retail', currency: 'EUR', claims }),
  ])
  countOrders(tally, other, [order({ marginMicros: 3_000_000 })])
  const truth = describeTruth(tally)
  const { kindle, echo } = truth.products
  assert.equal(kindle.causedMarginMicros, 9_000_000 - 18_000_000 + 3_000_000)
  assert.equal(kindle.years[2017]!.causedMarginMicros, 12_000_000)
  assert.equal(kindle.years[2018]!.causedMarginMicros, -18_000_000)
  assert.equal(kindle.claimedMarginMicros, 9_000_000 - 18_000_000 + 5_000_000)
  assert.deepEqual([echo.claimedMarginMicros, echo.rightlyClaimedMarginMicros], [-4_000_000, 0])
  assert.deepEqual(kindle.experiment.causedPerHouseholdMicros, { treatment: -4_500_000, holdout: 3_000_000 })
  assert.equal(kindle.experiment.intentionToTreatMicros, -7_500_000)
  assert.deepEqual([truth.orders, truth.refunds, truth.secondRefunds], [4, 2, 1])
  assert.deepEqual([truth.secondRefundsMarginMicros, truth.claimedByNobody], [-9_000_000, 1])
  assert.equal(truth.invalidClaims.never_owned, 3)
  assert.deepEqual(truth.currencies['EUR'], { rows: 1, marginMicros: 9_000_000, revenueMicros: 30_000_000 })
})
