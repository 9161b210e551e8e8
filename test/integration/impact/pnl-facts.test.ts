import assert from 'node:assert/strict'
import { test } from 'node:test'

import { daysIn, monthOf, monthText } from '../../../services/impact/pnl/month.ts'
import { readFacts, readOtherCurrencies, readSpan } from '../../../services/impact/pnl/read-facts.ts'
import { insertDevices, type DeviceRow } from '../../support/device-rows.ts'
import { createRandom } from '../../support/random-usage.ts'
import { viewsCase } from '../../support/views-case.ts'

const question = { from: '2017-01-01', to: '2018-12-31', currency: 'USD' }
const day = (at: number) => new Date(Date.parse('2017-01-01') + at * 86_400_000).toISOString().slice(0, 10)

test('reads devices, returns, requests and owners as a count by hand has them', async (t) => {
  const work = await viewsCase(t)
  const source = { clickHouse: work.pipeline, database: work.database }
  const seed = 20261123
  const unit = createRandom(seed)
  t.diagnostic(`seed ${seed}`)
  const devices = Array.from({ length: 600 }, (_, device): DeviceRow => {
    const since = Math.floor(unit() * 700)
    // Some come back on the day they were activated, some after the report.
    const back = unit() < 0.3 ? day(since + Math.floor(unit() * 100)) : undefined
    return {
      ...{
        device,
        household: Math.floor(unit() * 200),
        product: unit() < 0.5 ? 'echo' : 'ring',
        since: day(since),
        back,
      },
      ...{ price: 49_990_000 + device, cost: 60_000_000, currency: unit() < 0.1 ? 'EUR' : 'USD' },
    }
  })
  await insertDevices(work, devices)
  const usage = { country: 'US', plans: '', taxonomy_version: 1, household_ids: [1], bucket: 1 }
  await work.insertUsage([
    { ...usage, product: 'echo', day: '2017-03-31', cohort_month: '2017-02-01', value_class: 'free', requests: 3 },
    {
      ...usage,
      product: 'echo',
      day: '2017-03-01',
      cohort_month: '2017-02-01',
      value_class: 'not_a_request',
      requests: 2,
    },
    { ...usage, product: 'echo', day: '2019-01-01', cohort_month: '2017-02-01', value_class: 'free', requests: 9 },
  ])
  const facts = await readFacts(source, question)

  const backBy = (device: DeviceRow) =>
    device.back !== undefined && device.back <= question.to ? device.back : undefined
  for (const product of ['echo', 'ring']) {
    const ours = devices.filter((device) => device.product === product)
    const sold = ours.filter(({ currency }) => currency === 'USD')
    const sales = facts.sales.filter((row) => row.product === product)
    for (const { cohort, devices: count, households, priceMicros, costOfGoodsMicros } of sales) {
      const those = sold.filter(({ since }) => monthOf(since) === cohort)
      assert.equal(count, those.length)
      assert.equal(households, new Set(those.map(({ household }) => household)).size)
      assert.equal(
        priceMicros,
        those.reduce((sum, { price }) => sum + BigInt(price!), 0n),
      )
      assert.equal(costOfGoodsMicros, 60_000_000n * BigInt(those.length))
    }
    assert.equal(
      sales.reduce((sum, row) => sum + row.devices, 0),
      sold.length,
    )
    assert.deepEqual(
      facts.households.filter((row) => row.product === product),
      [{ product, households: new Set(sold.map(({ household }) => household)).size }],
    )
    const returns = facts.returns.filter((row) => row.product === product)
    assert.equal(
      returns.reduce((sum, row) => sum + row.devices, 0),
      sold.filter((device) => backBy(device) !== undefined).length,
    )
    for (const { cohort, month, priceMicros } of returns) {
      const those = sold.filter(
        (device) => monthOf(device.since) === cohort && backBy(device) !== undefined && monthOf(device.back!) === month,
      )
      assert.equal(
        priceMicros,
        those.reduce((sum, { price }) => sum + BigInt(price!), 0n),
      )
    }
    assert.deepEqual(
      ownerDays(facts.owners.filter((row) => row.product === product)),
      ownerDaysByHand(ours.map((device) => ({ ...device, back: backBy(device) }))),
    )
  }
  assert.deepEqual(facts.requests, [
    { product: 'echo', cohort: monthOf('2017-02'), month: monthOf('2017-03'), events: 5n },
  ])

  const others = devices.filter(({ currency }) => currency === 'EUR')
  assert.deepEqual(await readOtherCurrencies(source, question), [
    {
      currency: 'EUR',
      devices: others.length,
      priceMicros: others.reduce((sum, { price }) => sum + BigInt(price!), 0n),
    },
  ])
})

test('the report reaches by default from the first activation to the last day of anything; without devices nowhere', async (t) => {
  const work = await viewsCase(t)
  const source = { clickHouse: work.pipeline, database: work.database }
  assert.equal(await readSpan(source), null)
  await insertDevices(work, [{ device: 1, household: 1, product: 'echo', since: '2017-03-05', back: '2017-04-01' }])
  assert.deepEqual(await readSpan(source), { from: '2017-03-05', to: '2017-04-01' })
  await work.insertUsage([
    {
      ...{ product: 'echo', day: '2018-03-31', cohort_month: '2017-03-01', value_class: 'free', requests: 3 },
      ...{ country: 'US', plans: '', taxonomy_version: 1, household_ids: [1], bucket: 1 },
    },
  ])
  assert.deepEqual(await readSpan(source), { from: '2017-03-05', to: '2018-03-31' })
})

interface Step {
  readonly cohort: number
  readonly month: number
  readonly change: number
  readonly days: number
}

/** Days of each cohort in each month, where there are any: `2017-03 2017-05` to a number. */
function ownerDays(steps: readonly Step[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [cohort, rows] of Map.groupBy(steps, (step) => step.cohort)) {
    let owning = 0
    for (let month = monthOf(question.from); month <= monthOf(question.to); month++) {
      const step = rows.find((row) => row.month === month)
      const days = owning * daysIn(month) + (step?.days ?? 0)
      owning += step?.change ?? 0
      if (days !== 0) found[`${monthText(cohort)} ${monthText(month)}`] = days
    }
  }
  return sorted(found)
}

/** Asks each household on each day. */
function ownerDaysByHand(devices: readonly DeviceRow[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [, owned] of Map.groupBy(devices, ({ household }) => household)) {
    const cohort = owned
      .map(({ since }) => since)
      .sort()[0]!
      .slice(0, 7)
    for (let at = 0; day(at) <= question.to; at++) {
      const owns = owned.some(({ since, back }) => since <= day(at) && (back === undefined || day(at) < back))
      if (owns) {
        const cell = `${cohort} ${day(at).slice(0, 7)}`
        found[cell] = (found[cell] ?? 0) + 1
      }
    }
  }
  return sorted(found)
}

const sorted = (record: Record<string, number>) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
