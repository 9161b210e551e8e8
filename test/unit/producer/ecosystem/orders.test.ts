import assert from 'node:assert/strict'
import { test } from 'node:test'

import { firstDayOfYear, salesFromDay, years } from '../../../../services/producer/ecosystem/calendar.ts'
import { defaultSettings, oddities } from '../../../../services/producer/ecosystem/facts.ts'
import { drawHousehold } from '../../../../services/producer/ecosystem/household.ts'
import { noveltyOf, type Order } from '../../../../services/producer/ecosystem/orders.ts'
import { owns } from '../../../../services/producer/ecosystem/profile.ts'
import { products } from '../../../../services/producer/population.ts'
import { dayMs } from '../../../../services/producer/traffic.ts'

const seed = 44
const drawn = Array.from({ length: 3_000 }, (_, index) => drawHousehold(seed, index, defaultSettings))
const orders = drawn.flatMap((household) => household.orders.map((order) => ({ household, order })))

test('every order lies in the six years, is in whole cents and has an identity of its own', () => {
  const ids = new Set<string>()
  for (const { household, order } of orders) {
    assert.ok(order.occurredAt >= firstDayOfYear(0) * dayMs && order.occurredAt < firstDayOfYear(years.length) * dayMs)
    assert.ok(
      Number.isSafeInteger(order.marginMicros) && order.revenueMicros % 10_000 === 0 && order.revenueMicros !== 0,
    )
    assert.ok(Math.sign(order.revenueMicros) === Math.sign(order.marginMicros))
    ids.add(`${household.profile.index} ${order.place}`)
  }
  assert.equal(ids.size, orders.length)
  assert.equal(
    new Set(orders.filter(({ order }) => order.kind === 'order').map(({ order }) => order.orderId)).size,
    orders.filter(({ order }) => order.kind === 'order').length,
  )
})

test('nothing is owned or caused before 2017, and only by a product that is owned', () => {
  for (const { household, order } of orders) {
    if (order.causedBy !== undefined && order.kind === 'order') {
      assert.ok(order.occurredAt >= salesFromDay * dayMs)
      assert.ok(
        owns(household.profile, order.causedBy, order.occurredAt),
        `${order.line} of a household without ${order.causedBy}`,
      )
    }
  }
  assert.ok(drawn.every(({ devices }) => devices.every(({ occurredAt }) => occurredAt >= salesFromDay * dayMs)))
})

test('a refund takes back a whole order within 30 days, with its claims; a few orders are refunded twice', () => {
  const originals = new Map(
    orders.filter(({ order }) => order.kind === 'order').map(({ order }) => [order.orderId, order]),
  )
  const kinds = { refund: 0, second_refund: 0 }
  for (const { order } of orders) {
    if (order.kind === 'order') {
      continue
    }
    kinds[order.kind] += 1
    const original = originals.get(order.orderId)!
    const { occurredAt, revenueMicros, marginMicros } = order
    const same = ({ line, currency, claims, causedBy }: Order) => ({ line, currency, claims, causedBy })
    assert.deepEqual(same(order), same(original))
    assert.equal(revenueMicros, -original.revenueMicros)
    assert.equal(marginMicros, -original.marginMicros)
    assert.ok(occurredAt > original.occurredAt && occurredAt <= original.occurredAt + oddities.refundDaysMax * dayMs)
  }
  const retail = [...originals.values()].filter(({ line }) => line === 'retail').length
  assert.ok(kinds.refund > 0.03 * retail && kinds.refund < 0.06 * retail, `${kinds.refund} refunds`)
  assert.ok(
    kinds.second_refund > 0 && kinds.second_refund < 0.02 * kinds.refund,
    `${kinds.second_refund} second refunds`,
  )
})

test('a few orders are in euros, one is in a currency that there is none of', () => {
  const foreign = orders.filter(({ order }) => order.currency !== 'USD')
  const euros = foreign.filter(({ order }) => order.currency === 'EUR')
  const unknown = foreign.filter(
    ({ order }) => order.currency === oddities.unknownCurrency.code && order.kind === 'order',
  )
  assert.ok(euros.length > 2 && euros.length < 40, `${euros.length} in euros`)
  assert.deepEqual(
    unknown.map(({ household }) => household.profile.index),
    [oddities.unknownCurrency.household],
  )
  assert.ok(foreign.every(({ order }) => order.line === 'retail'))
})

test('a novelty is 1 + a at first and 1 in the end', () => {
  for (const product of products) {
    assert.ok(noveltyOf(product, 0) > 1.3)
    assert.ok(Math.abs(noveltyOf(product, 120) - 1) < 1e-4)
  }
})
