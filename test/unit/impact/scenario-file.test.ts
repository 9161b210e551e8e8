import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { stringify } from 'yaml'

import { loadScenario, parseScenario } from '../../../services/impact/scenario-file.ts'
import { complaintOf } from '../../support/fault-of.ts'

type Fields = Record<string, unknown>
const least = {
  version: 1,
  name: '$8 for all',
  horizonMonths: 60,
  discountPerYear: '10%',
  households: 1_000_000,
  price: '8.00 USD',
  takeUp: { once: '5%' },
  retention: { alive: [100, 86.9, 74.3] },
  costToServe: { requestsPerMonth: 200, perRequest: '0.0021 USD' },
  fixedPerYear: '2000000 USD',
}
const prime = { share: '60%', takeUp: { monthly: 0.03 }, fee: '14.99 USD', margin: '20%' }
const parse = (fields: Fields) => parseScenario(stringify({ ...least, ...fields }), 'a.yaml')

const complaint = (work: () => unknown) => complaintOf('config_invalid', work)

test('the fields that must be there are enough', () => {
  assert.deepEqual(parse({}), {
    name: '$8 for all',
    assumptions: [],
    currency: 'USD',
    horizonMonths: 60,
    discountPerYear: 0.1,
    households: 1_000_000,
    priceMicros: 8_000_000n,
    trialMonths: 0,
    takeUp: { kind: 'once', share: 0.05 },
    prime: null,
    retention: { alive: [100, 86.9, 74.3], customers: null },
    requestsPerMonth: 200,
    perRequestMicros: 2_100n,
    fixedPerYearMicros: 2_000_000_000_000n,
  })
})

test('Prime, a trial and counts of customers are read', () => {
  const read = parse({ prime, trialMonths: 1, retention: { alive: [500, 400, 400], customers: 500 } })
  assert.deepEqual(read.prime, {
    share: 0.6,
    takeUp: { kind: 'monthly', share: 0.03 },
    feeMicros: 14_990_000n,
    margin: 0.2,
  })
  assert.equal(read.trialMonths, 1)
  assert.deepEqual(read.retention, { alive: [500, 400, 400], customers: 500 })
})

test('the scenarios that ship are right, of one currency, and have names of their own', () => {
  const folder = join(import.meta.dirname, '../../../infra/impact')
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== 'devices.yaml')
  const loaded = files.map((file) => loadScenario(join(folder, file)))
  assert.equal(files.length, 4)
  assert.equal(new Set(loaded.map(({ name }) => name)).size, 4)
  assert.deepEqual(loaded.map(({ currency, priceMicros }) => `${priceMicros} ${currency}`).sort(), [
    '10000000 USD',
    '19990000 USD',
    '5000000 USD',
    '8000000 USD',
  ])
  assert.deepEqual(
    loaded.map((one) => one.prime !== null),
    files.map((file) => file.includes('prime')),
  )
})

for (const [name, fields, expected] of [
  ['an unknown field', { colour: 'red' }, 'colour is no field; take version, name, assumptions,'],
  [
    'an unknown field of a part',
    { prime: { ...prime, price: '1 USD' } },
    'prime.price is no field; take share, takeUp, fee, margin',
  ],
  ['a missing field', { households: undefined }, 'households is missing; write a whole number of 1 to 1000000000'],
  [
    'a price without a currency',
    { price: 8 },
    'price is 8; write an amount with its currency, at most six decimals: 8.00 USD',
  ],
  ['a price of seven decimals', { price: '0.0000001 USD' }, 'price is "0.0000001 USD"; write an amount'],
  ['a negative price', { price: '-1 USD' }, 'price is "-1 USD"; write an amount'],
  ['a share above all', { takeUp: { once: '150%' } }, 'takeUp.once is "150%"; write 0 to 100 %: 5% or 0.05'],
  ['a share without a unit', { takeUp: { once: 5 } }, 'takeUp.once is 5; write 0 to 100 %: 5% or 0.05'],
  ['both ways to take it', { takeUp: { once: '5%', monthly: '1%' } }, 'takeUp is a map; write once: 5%'],
  ['no way to take it', { takeUp: {} }, 'takeUp is a map; write once: 5%'],
  ['no discount', { discountPerYear: 0 }, 'discountPerYear is 0; write a rate above 0 and at most 100 % a year: 10%'],
  ['no horizon', { horizonMonths: 0 }, 'horizonMonths is 0; write a whole number of 1 to 240'],
  [
    'a name that is too long',
    { name: 'x'.repeat(19) },
    'name is "xxxxxxxxxxxxxxxxxxx"; write a name of at most 18 characters',
  ],
  [
    'one renewal',
    { retention: { alive: [100, 80] } },
    'retention.alive is a list of 2; write months 0, 1 and 2 at least',
  ],
  [
    'retention that rises',
    { retention: { alive: [100, 80, 81] } },
    'retention.alive item 3 is 81 after 80; customers of one cohort never become more, so mend it',
  ],
  [
    'counts without their number',
    { retention: { alive: [500, 400, 300] } },
    'retention.alive item 1 is 500; month 0 is everybody, so write 100 for per cent, or customers: 500 for counts',
  ],
  [
    'a cohort of nobody',
    { retention: { alive: [0, 0, 0], customers: 10 } },
    'retention.alive item 1 is 0; month 0 is everybody, so write 100 for per cent',
  ],
  [
    'another currency',
    { fixedPerYear: '1 EUR' },
    'fixedPerYear is in EUR and price in USD; write all amounts in one currency',
  ],
  ['another currency of Prime', { prime: { ...prime, fee: '15 GBP' } }, 'prime.fee is in GBP and price in USD'],
  ['another version', { version: 2 }, 'version is 2; write 1'],
] as [string, Fields, string][]) {
  test(`refuses ${name}, in one sentence with file and field`, () => {
    const said = complaint(() => parse(fields))
    assert.match(said, /^a\.yaml:\d+: /)
    assert.equal(said.split('\n').length, 1)
    assert.ok(said.includes(expected), said)
  })
}

test('tells all mistakes at once, in the order of the file', () => {
  const said = complaint(() => parse({ price: '8', households: -1, costToServe: { requestsPerMonth: 1 } }))
  assert.deepEqual(
    said.split('\n').map((line) => line.split(' ')[1]),
    ['households', 'price', 'costToServe.perRequest'],
  )
})

test('refuses what is no YAML, no map, and no file', () => {
  assert.match(
    complaint(() => parseScenario('a: [1', 'a.yaml')),
    /^a\.yaml:1: column \d+ is no good YAML/,
  )
  assert.match(
    complaint(() => parseScenario('just text', 'a.yaml')),
    /^a\.yaml:1: the file is "just text"; write the fields/,
  )
  assert.match(
    complaint(() => loadScenario('/nonexistent/a.yaml')),
    /can't be read: .*; name a file of a scenario$/,
  )
})
