import assert from 'node:assert/strict'
import { test } from 'node:test'

import { firstDayOfYear } from '../../../../services/producer/ecosystem/calendar.ts'
import { defaultSettings, requestFacts } from '../../../../services/producer/ecosystem/facts.ts'
import { drawHousehold } from '../../../../services/producer/ecosystem/household.ts'
import {
  createPopulation,
  ecosystemStreams,
  type EcosystemEvent,
} from '../../../../services/producer/ecosystem/population.ts'
import { countOrder, createTally, countHousehold } from '../../../../services/producer/ecosystem/truth.ts'
import { products } from '../../../../services/producer/population.ts'
import { createRequestWriter } from '../../../../services/producer/request.ts'
import { dayMs } from '../../../../services/producer/traffic.ts'

const seed = 5
const writer = createRequestWriter()
const create = (households: number) =>
  createPopulation({ seed, households, settings: defaultSettings, householdKey: Buffer.alloc(32, 1), writer })
const eventsOf = (population: ReturnType<typeof create>) => [...population.quarters()].flat()
const population = create(600)
const events = eventsOf(population)

test('each stream is in the order of time, and a quarter holds no more than its own', () => {
  let last = 0
  for (const quarter of create(50).quarters()) {
    const times = quarter.map(({ occurredAt }) => occurredAt)
    assert.deepEqual(
      times,
      [...times].sort((left, right) => left - right),
    )
    assert.ok((times[0] ?? last) >= last)
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) <= 92 * dayMs)
    last = times.at(-1) ?? last
  }
})

test('a smaller population is the start of a larger one', () => {
  const told = ({ member, stream, row }: EcosystemEvent) =>
    `${member.key.toString('hex')} ${stream} ${JSON.stringify(row)}`
  const smaller = eventsOf(create(80)).map(told).sort()
  const larger = events.filter(({ member }) => member.profile.index < 80)
  assert.deepEqual(larger.map(told).sort(), smaller)
})

test('holds all that its households do, each once, and counts what is true of it', () => {
  const expected = Array.from({ length: 600 }, (_, index) => drawHousehold(seed, index, defaultSettings))
  const rows = (stream: EcosystemEvent['stream']) => events.filter((event) => event.stream === stream).length
  const sum = (pick: (household: (typeof expected)[number]) => number) =>
    expected.reduce((total, household) => total + pick(household), 0)
  assert.equal(
    rows('ecosystem-orders'),
    sum(({ orders }) => orders.length),
  )
  assert.equal(
    rows('device-activations'),
    sum(({ devices }) => devices.length),
  )
  assert.equal(rows('experiment-arms'), 600 * products.length)
  assert.equal(
    ecosystemStreams.reduce((total, stream) => total + rows(stream), 0),
    events.length,
  )

  const truth = createTally()
  for (const { profile, orders } of expected) {
    countHousehold(truth, profile)
    const orderedAt = new Map(
      orders.filter(({ kind }) => kind === 'order').map((order) => [order.orderId, order.occurredAt]),
    )
    orders.forEach((order) => countOrder(truth, profile, order, orderedAt.get(order.orderId)!))
  }
  for (const product of products) {
    truth.products[product].requestsSent = population.truth.products[product].requestsSent
  }
  assert.deepEqual(population.truth, truth)
})

test('a request that is sent stands for so many of a device, and lies between its activation and its return', () => {
  let expected = 0
  const end = firstDayOfYear(6) * dayMs
  const requests = events.filter((event) => event.stream === 'assistant-intents')
  for (const member of new Set(events.map((event) => event.member))) {
    for (const device of products.flatMap((product) => member.profile.devices[product])) {
      expected += (device.requestsPerDay * (Math.min(end, device.returnedAt) - device.activatedAt)) / dayMs
    }
  }
  const { a, bMonths } = requestFacts.novelty
  const sent = requests.length * requestFacts.requestsPerEvent
  // The novelty adds a * b months of use to each device, of some 30 on average.
  assert.ok(sent > expected && sent < expected * (1 + (2 * a * bMonths) / 20), `${sent} for ${expected}`)
  for (const { row } of requests) {
    assert.ok(row.occurredAt > row.device.activatedAt && row.occurredAt < row.device.returnedAt)
  }
})
