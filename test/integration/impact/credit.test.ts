/** The credit of orders on the tables as they are, beside a second implementation that goes by the definitions alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { creditModel, type Credits } from '../../support/credit-model.ts'
import { creditsOf, ecosystemCase } from '../../support/ecosystem-case.ts'
import type { DeviceRow, OrderRow } from '../../support/ecosystem-rows.ts'
import { randomEcosystem } from '../../support/random-ecosystem.ts'
import { createRandom } from '../../support/random-usage.ts'

test('credits conserve the margin of every order and are those of the definitions, of random orders, refunds and claims', async (t) => {
  const work = await ecosystemCase(t)
  for (let seed = 1; seed <= 8; seed++) {
    const world = randomEcosystem(createRandom(seed), { households: 20 * seed })
    await work.fill(world)
    const found = await creditsOf(work, world)
    const expected = creditModel(world)
    assert.equal(found.size, expected.size, `seed ${seed}`)
    for (const [order, credited] of expected) {
      const told = found.get(world.orders.indexOf(order))!
      const where = `seed ${seed}, order ${world.orders.indexOf(order)}`
      assert.deepEqual(told, credited, where)
      for (const credits of [told.lastTouch, told.equalSplit, told.shapley]) {
        assert.equal(sum(credits), BigInt(order.marginMicros), where)
      }
    }
  }
})

test('each oddity of an order has its outcome', async (t) => {
  const work = await ecosystemCase(t)
  const window = { from: '2020-01-01', to: '2020-01-31' }
  const devices: DeviceRow[] = [
    { household: 1, device: 1, product: 'echo', activatedOn: '2019-06-01' },
    { household: 2, device: 2, product: 'kindle', activatedOn: '2019-06-01' },
    { household: 3, device: 3, product: 'echo', activatedOn: '2019-06-01' },
    { household: 3, device: 4, product: 'kindle', activatedOn: '2019-06-01' },
    { household: 5, device: 5, product: 'echo', activatedOn: '2020-02-01' },
    { household: 6, device: 6, product: 'echo', activatedOn: '2019-06-01', returnedOn: '2020-01-10' },
    // Nobody owns ring alone on any day.
    { household: 7, device: 7, product: 'echo', activatedOn: '2019-06-01' },
    { household: 7, device: 8, product: 'ring', activatedOn: '2019-06-01' },
  ]
  const base = { day: '2020-01-15', marginMicros: 7, revenueMicros: 70, line: 'odd' }
  const touch = (product: string, touchedAt = '2020-01-15 09:00:00.000') => ({ product, touchedAt })
  const all = [touch('echo'), touch('kindle', '2020-01-15 08:00:00.000')]
  const cases: Record<string, OrderRow> = {
    'claimed by nobody': { ...base, household: 3 },
    'claimed by all': { ...base, household: 3, claims: all, orderId: 'a' },
    'claimed twice by one': { ...base, household: 1, claims: [touch('echo'), touch('echo')] },
    'touched at one time by two': { ...base, household: 3, claims: [touch('kindle'), touch('echo')] },
    'taken back': { ...base, household: 3, day: '2020-01-20', marginMicros: -7, revenueMicros: -70, orderId: 'a' },
    'taken back again': {
      ...base,
      household: 3,
      day: '2020-01-21',
      marginMicros: -7,
      revenueMicros: -70,
      orderId: 'a',
    },
    'taken back without an order': {
      ...base,
      household: 1,
      marginMicros: -7,
      revenueMicros: -70,
      claims: [touch('echo')],
    },
    'in another currency': { ...base, household: 1, currency: 'QQQ', claims: [touch('echo')] },
    'of a household without devices': { ...base, household: 4, claims: [touch('echo')] },
    'before activation': { ...base, household: 5, claims: [touch('echo')] },
    'after it was given back': { ...base, household: 6, claims: [touch('echo', '2020-01-09 09:00:00.000')] },
    'touched after the order': { ...base, household: 1, claims: [touch('echo', '2020-01-15 12:00:00.001')] },
    'of a product that nobody owns': { ...base, household: 1, claims: [touch('phone')] },
    'a set never seen alone': { ...base, household: 7, claims: [touch('ring')] },
  }
  const orders = Object.entries(cases).map(([name, order]): OrderRow => ({ orderId: name, ...order }))
  const world = { orders, devices, drawn: [], ...window }
  await work.fill(world)
  const found = await creditsOf(work, world)
  const told = Object.fromEntries(
    Object.keys(cases).map((name, at) => {
      const one = found.get(at)
      const text = (credits: Credits) =>
        [...credits].map(([product, micros]) => `${product === '' ? 'uncredited' : product} ${micros}`).join(', ')
      return [name, one === undefined ? 'left out' : [text(one.lastTouch), text(one.equalSplit), one.claims.join(', ')]]
    }),
  )
  assert.deepEqual(told, {
    'claimed by nobody': ['uncredited 7', 'uncredited 7', ''],
    'claimed by all': ['echo 7', 'echo 3, kindle 4', 'valid, valid'],
    'claimed twice by one': ['echo 7', 'echo 7', 'valid, valid'],
    'touched at one time by two': ['echo 7', 'echo 3, kindle 4', 'valid, valid'],
    'taken back': ['echo -7', 'echo -3, kindle -4', 'valid, valid'],
    'taken back again': ['echo -7', 'echo -3, kindle -4', 'valid, valid'],
    'taken back without an order': ['echo -7', 'echo -7', 'valid'],
    'in another currency': 'left out',
    'of a household without devices': ['uncredited 7', 'uncredited 7', 'never_owned'],
    'before activation': ['uncredited 7', 'uncredited 7', 'before_activation'],
    'after it was given back': ['uncredited 7', 'uncredited 7', 'given_back'],
    'touched after the order': ['uncredited 7', 'uncredited 7', 'touched_later'],
    'of a product that nobody owns': ['uncredited 7', 'uncredited 7', 'never_owned'],
    'a set never seen alone': ['ring 7', 'ring 7', 'valid'],
  })
  const shapleyOf = (name: string) => Object.fromEntries(found.get(Object.keys(cases).indexOf(name))!.shapley)
  assert.deepEqual(shapleyOf('a set never seen alone'), { '': 7n })
  assert.deepEqual(shapleyOf('of a household without devices'), { '': 7n })
  assert.deepEqual(found, new Map([...creditModel(world)].map(([order, one]) => [world.orders.indexOf(order), one])))
})

test('Shapley shares what a line earns more of those who own more', async (t) => {
  const work = await ecosystemCase(t)
  const devices: DeviceRow[] = [
    { household: 2, device: 1, product: 'echo', activatedOn: '2019-06-01' },
    { household: 3, device: 2, product: 'kindle', activatedOn: '2019-06-01' },
    { household: 4, device: 3, product: 'echo', activatedOn: '2019-06-01' },
    { household: 4, device: 4, product: 'kindle', activatedOn: '2019-06-01' },
  ]
  // v(none) 1, v(echo) 3, v(kindle) 2, v(both) 6 a day: phi(echo) (3 - 1 + 6 - 2) / 2 = 3, phi(kindle) (2 - 1 + 6 - 3) / 2 = 2.
  const orders = [1, 3, 2, 6].map((units, at): OrderRow => ({
    ...{ household: at + 1, day: '2020-01-05', marginMicros: 10_000_000 * units },
  }))
  const world = { orders, devices, drawn: [], from: '2020-01-01', to: '2020-01-10' }
  await work.fill(world)
  const found = await creditsOf(work, world)
  const near = (at: number, expected: Record<string, number>) => {
    const { shapley } = found.get(at)!
    assert.deepEqual([...shapley.keys()].sort(), Object.keys(expected).sort())
    for (const [product, micros] of shapley) {
      assert.ok(Math.abs(Number(micros) - expected[product]!) <= 1, `${product} ${micros}`)
    }
  }
  near(0, { '': 10_000_000 })
  near(1, { echo: 20_000_000, '': 10_000_000 })
  near(2, { kindle: 10_000_000, '': 10_000_000 })
  near(3, { echo: 30_000_000, kindle: 20_000_000, '': 10_000_000 })
})

const sum = (credits: Credits) => [...credits.values()].reduce((total, credit) => total + credit, 0n)
