import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type { PnlDocument } from '../../../services/impact/pnl/document.ts'
import type { DrawnHousehold } from '../../../services/producer/ecosystem/household.ts'
import type { Product } from '../../../services/producer/population.ts'
import { cliEnvironment } from '../../support/cli.ts'
import { insertDevices } from '../../support/device-rows.ts'
import { insertPopulation } from '../../support/ecosystem-population.ts'
import { runVerbHere } from '../../support/verb-here.ts'
import { viewsCase } from '../../support/views-case.ts'

const shipped = join(import.meta.dirname, '../../../infra/impact/devices.yaml')
const days = ['--from', '2017-01-01', '--to', '2021-12-31']

test('impact pnl of a drawn population is what a count by hand makes of it', async (t) => {
  const work = await viewsCase(t)
  const households = await insertPopulation(
    { clickHouse: work.pipeline, database: work.database },
    { households: 1_200, seed: 7 },
  )
  const env = { ...cliEnvironment(work.stack), CLICKHOUSE_DATABASE: work.database }
  const verb = (...words: string[]) => runVerbHere(['impact', 'pnl', ...words], env)
  const read = async (...words: string[]) => {
    const { code, stdout, stderr } = await verb(...words, '--format', 'json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as PnlDocument
  }
  const document = await read(shipped, ...days)

  await t.test('devices, prices, returns and claims', () => {
    for (const { product, devices, returned, lines, asClaimed } of document.products) {
      const hand = byHand(households, product as Product)
      assert.deepEqual([devices, returned], [hand.devices, hand.returned])
      assert.equal(lines!.priceMicros, String(hand.priceMicros))
      assert.equal(lines!.costOfGoodsMicros, String(hand.costMicros))
      assert.equal(lines!.costToServeMicros, '0')
      assert.equal(asClaimed!.downstreamMicros, String(hand.claimedMicros))
    }
    assert.ok(document.notes.some((note) => /claims of households that never had one$/.test(note)))
  })

  await t.test('years, months and cohorts add up to the total, and each has an interval', () => {
    for (const { years, cohorts, cumulative, asClaimed, incremental, suppressed } of document.products) {
      assert.equal(suppressed, false)
      const sum = (texts: readonly (string | undefined)[]) => texts.reduce((total, text) => total + BigInt(text!), 0n)
      assert.equal(sum(years.map((year) => year.asClaimed!.profitMicros)), BigInt(asClaimed!.profitMicros))
      assert.equal(sum(years.map((year) => year.incremental!.profit.micros)), BigInt(incremental!.profit.micros))
      assert.deepEqual(cumulative.at(-1)!.incremental, incremental!.profit)
      const { low, micros, high } = incremental!.profit
      assert.ok(BigInt(low!) < BigInt(micros) && BigInt(micros) < BigInt(high!))
      // Of 1,200 households most months have fewer than 11 with a new device.
      assert.ok(cohorts.every((cohort) => cohort.suppressed || cohort.devices! >= 11))
      assert.ok(cohorts.some((cohort) => cohort.suppressed))
    }
  })

  await t.test('requests cost what they stand for', async () => {
    await work.insertUsage([
      {
        ...{ day: '2019-05-03', product: 'echo', cohort_month: '2019-04-01', country: 'US', plans: '', bucket: 1 },
        ...{ value_class: 'free', taxonomy_version: 1, household_ids: [1], requests: 3 },
      },
    ])
    const { products } = await read(shipped, ...days, '--product', 'echo')
    assert.equal(products.length, 1)
    assert.equal(products[0]!.lines!.costToServeMicros, String(3 * 200 * 6_000))
  })

  await t.test('a second run says the same, as table, by cohort and as CSV', async () => {
    const table = await verb(shipped, ...days)
    assert.match(table.stdout, /^echo +\d+ /m)
    assert.match((await verb(shipped, ...days, '--by', 'cohort')).stdout, /^2019-0\d +(\d+|suppressed)/m)
    const csv = await verb(shipped, ...days, '--by', 'cohort', '--format', 'csv')
    assert.equal(csv.stdout.split('\r\n')[0]!.split(',')[1], 'cohort')
    assert.deepEqual((await read(shipped, ...days)).products[0], document.products[0])
  })

  await t.test(
    'a year outside of the experiment says why it is not known, and counts for nothing while nobody owns it',
    async () => {
      const { products, notes } = await read(shipped, '--from', '2016-12-01', '--to', '2018-12-31', '--product', 'ring')
      const [within] = (await read(shipped, '--from', '2017-01-01', '--to', '2018-12-31', '--product', 'ring')).products
      assert.deepEqual(products[0]!.incremental, within!.incremental)
      assert.ok(notes.some((note) => note.startsWith('ring 2016: no incremental margin, because ring_holdout')))
    },
  )

  await t.test('a year that is not known leaves the claimed side', async () => {
    const { products } = await read(shipped, '--from', '2017-01-01', '--to', '2022-01-31', '--product', 'ring')
    assert.equal(products[0]!.incremental, null)
    assert.notEqual(products[0]!.asClaimed, null)
  })

  await t.test('devices of another currency, and of a product without assumptions, are left out and said', async () => {
    const device = { household: 5, since: '2019-01-02', price: 10_000_000, currency: 'EUR' }
    await insertDevices(work, [
      { ...device, device: 9_000_001, product: 'echo' },
      { ...device, device: 9_000_002, product: 'halo', currency: 'USD' },
    ])
    const { notes, products } = await read(shipped, ...days)
    assert.ok(notes.includes('left out: 1 devices that were paid in EUR (10.00 EUR); this report is in USD'))
    assert.ok(notes.some((note) => note.startsWith('left out: halo has devices and stands in no assumption')))
    assert.equal(products.find(({ product }) => product === 'echo')!.devices, byHand(households, 'echo').devices)
  })

  await t.test('refuses a currency or product that the file has not, and a file that is none', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-pnl-'))
    t.after(() => rm(folder, { recursive: true }))
    const euros = join(folder, 'euros.yaml')
    await writeFile(euros, 'version: 1\n')
    for (const [words, said] of [
      [
        [shipped, '--currency', 'EUR'],
        /amounts of devices\.yaml are in USD and --currency is EUR; nothing here converts/,
      ],
      [
        [shipped, '--product', 'halo'],
        /devices\.yaml says nothing of --product halo; it has kindle, fire_tv, ring, echo/,
      ],
      [[euros], /euros\.yaml:1: horizonMonths is missing/],
      [[join(folder, 'nothing.yaml')], /can't be read/],
    ] as const) {
      const { code, stderr } = await verb(...words)
      assert.equal(code, 2)
      assert.match(stderr, said)
    }
  })
})

test('impact pnl refuses to report of no devices', async (t) => {
  const work = await viewsCase(t)
  const env = { ...cliEnvironment(work.stack), CLICKHOUSE_DATABASE: work.database }
  const { code, stderr } = await runVerbHere(['impact', 'pnl', shipped], env)
  assert.equal(code, 2)
  assert.equal(stderr, 'there are no devices yet, so there is nothing to report')
})

function byHand(households: readonly DrawnHousehold[], product: Product) {
  const owned = households.flatMap(({ profile }) => profile.devices[product])
  const sum = (of: (device: (typeof owned)[number]) => number) =>
    owned.reduce((total, device) => total + BigInt(of(device)), 0n)
  const claimed = households
    .filter(({ profile }) => profile.devices[product].length > 0)
    .flatMap(({ orders }) => orders)
    .filter(({ currency, occurredAt }) => currency === 'USD' && occurredAt >= Date.UTC(2017, 0, 1))
    .flatMap(({ claims, marginMicros }) => claims.filter((claim) => claim.product === product).map(() => marginMicros))
  return {
    devices: owned.length,
    returned: owned.filter(({ returnedAt }) => returnedAt !== Infinity).length,
    priceMicros: sum(({ priceMicros }) => priceMicros),
    costMicros: sum(({ costMicros }) => costMicros),
    claimedMicros: claimed.reduce((total, micros) => total + BigInt(micros), 0n),
  }
}
