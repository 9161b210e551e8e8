import assert from 'node:assert/strict'
import { test } from 'node:test'

import { salesFromDay } from '../../../../services/producer/ecosystem/calendar.ts'
import { claimFault, claimFaults, type ClaimFault } from '../../../../services/producer/ecosystem/claims.ts'
import { defaultSettings } from '../../../../services/producer/ecosystem/facts.ts'
import { drawHousehold } from '../../../../services/producer/ecosystem/household.ts'
import { drawProfile, type OwnedDevice, type Profile } from '../../../../services/producer/ecosystem/profile.ts'
import { products } from '../../../../services/producer/population.ts'
import { dayMs } from '../../../../services/producer/traffic.ts'

const hourMs = 3_600_000
const activatedAt = salesFromDay * dayMs + 10 * hourMs
const returnedAt = activatedAt + 5 * dayMs
const profile = withDevice({
  ...{ place: 0, product: 'ring', model: 'ring_doorbell_2', activatedAt, returnedAt },
  ...{ priceMicros: 1, costMicros: 1, requestsPerDay: 1, appVersion: '1.0.0' },
})

function withDevice(device: OwnedDevice): Profile {
  const devices = { echo: [], kindle: [], fire_tv: [], ring: [device] }
  return { ...drawProfile(1, 1, defaultSettings), devices }
}

const cases: [string, { product?: 'echo'; orderedAt: number; touchedAt?: number }, ClaimFault | undefined][] = [
  ['a product that was never owned', { product: 'echo', orderedAt: activatedAt }, 'never_owned'],
  ['the day before the activation', { orderedAt: salesFromDay * dayMs - 1 }, 'not_yet_activated'],
  ['the day of the activation, hours before it', { orderedAt: salesFromDay * dayMs }, undefined],
  [
    'the last moment before the day on which it was given back',
    { orderedAt: (salesFromDay + 5) * dayMs - 1 },
    undefined,
  ],
  ['the day on which it was given back', { orderedAt: (salesFromDay + 5) * dayMs }, 'given_back'],
  ['a touch at the moment of the order', { orderedAt: activatedAt, touchedAt: activatedAt }, undefined],
  ['a touch just after the order', { orderedAt: activatedAt, touchedAt: activatedAt + 1 }, 'touched_after_order'],
]
for (const [name, { product = 'ring', orderedAt, touchedAt = 0 }, expected] of cases) {
  test(`${name}: ${expected ?? 'counts'}`, () => {
    assert.equal(claimFault(profile, { product, ground: 'owned', touchedAt }, orderedAt), expected)
  })
}

test('claims overlap, some orders have none, some those of all; few are wrong, in each way there is', () => {
  const faults = new Map<ClaimFault, number>()
  let [claims, claimed, overlapping, unclaimed, byAll] = [0, 0, 0, 0, 0]
  for (let index = 0; index < 8_000; index++) {
    const { profile: own, orders } = drawHousehold(12, index, defaultSettings)
    for (const order of orders.filter(({ kind }) => kind === 'order')) {
      const wrong = order.claims
        .map((claim) => claimFault(own, claim, order.occurredAt))
        .filter((fault) => fault !== undefined)
      wrong.forEach((fault) => faults.set(fault, (faults.get(fault) ?? 0) + 1))
      const rightly = order.claims.length - wrong.length
      claims += order.claims.length
      overlapping += rightly > 1 ? 1 : 0
      unclaimed += order.claims.length === 0 ? 1 : 0
      byAll += new Set(order.claims.map(({ product }) => product)).size === products.length ? 1 : 0
      claimed += rightly > 0 ? 1 : 0
    }
  }
  assert.deepEqual([...faults.keys()].sort(), [...claimFaults].sort())
  const wrong = [...faults.values()].reduce((sum, count) => sum + count, 0)
  assert.ok(wrong / claims > 0.005 && wrong / claims < 0.03, `${wrong} of ${claims} claims are wrong`)
  assert.ok(overlapping / claimed > 0.12, `${overlapping} of ${claimed} claimed orders are claimed more than once`)
  assert.ok(unclaimed > 0 && byAll > 0)
})
