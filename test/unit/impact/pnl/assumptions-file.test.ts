import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'

import { stringify } from 'yaml'

import { loadAssumptions, parseAssumptions } from '../../../../services/impact/pnl/assumptions-file.ts'
import { complaintOf } from '../../../support/fault-of.ts'

const echo = {
  product: 'echo',
  freight: '4.00 USD',
  returnHandling: '6.00 USD',
  returnLoss: '30%',
  perRequest: '0.0021 USD',
}
const least = { version: 1, horizonMonths: 60, products: [echo] }
const parse = (fields: object) => parseAssumptions(stringify({ ...least, ...fields }), 'a.yaml')
const complaint = (fields: object) => complaintOf('config_invalid', () => parse(fields))

test('the fields that must be there are enough: all requests are stored, and later is worth as much as now', () => {
  assert.deepEqual(parse({}), {
    assumptions: [],
    currency: 'USD',
    horizonMonths: 60,
    discountPerYear: 0,
    requestsPerEvent: 1n,
    products: [
      {
        product: 'echo',
        freightMicros: 4_000_000n,
        returnHandlingMicros: 6_000_000n,
        returnLossMillionths: 300_000n,
        perRequestMicros: 2_100n,
      },
    ],
  })
})

test('the file that ships is right, and has the products of the simulation', () => {
  const shipped = loadAssumptions(join(import.meta.dirname, '../../../../infra/impact/devices.yaml'))
  assert.deepEqual(
    shipped.products.map(({ product }) => product),
    ['kindle', 'fire_tv', 'ring', 'echo'],
  )
})

for (const [name, fields, said] of [
  ['no products', { products: [] }, 'a.yaml:3: products is a list of 0; write a list with an entry a product'],
  [
    'a field that is none',
    { products: [{ ...echo, colour: 'red' }] },
    'a.yaml:9: products item 1.colour is no field; take product, freight, returnHandling, returnLoss, perRequest',
  ],
  [
    'a product twice',
    { products: [echo, { ...echo }] },
    'a.yaml:9: products item 2.product is echo for the second time; write each product once',
  ],
  [
    'two currencies',
    { products: [echo, { ...echo, product: 'ring', perRequest: '0.001 EUR' }] },
    'a.yaml:13: products item 2.perRequest is in EUR and the first amount in USD; write all amounts in one currency',
  ],
  [
    'a name that no product can have',
    { products: [{ ...echo, product: 'Echo Dot' }] },
    'a.yaml:4: products item 1.product is "Echo Dot"; write the name of a product as its devices have it: kindle',
  ],
  [
    'a loss of more than all',
    { products: [{ ...echo, returnLoss: '130%' }] },
    'a.yaml:7: products item 1.returnLoss is "130%"; write 0 to 100 %: 5% or 0.05',
  ],
] as const) {
  test(`refuses ${name}, with file, line and field`, () => {
    assert.equal(complaint(fields), said)
  })
}
