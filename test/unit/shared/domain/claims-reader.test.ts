import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { parseSchema } from '../../../../services/shared/domain/avro-schema.ts'
import { claimsMax, createClaimReader } from '../../../../services/shared/domain/claims-reader.ts'
import { arrayColumn, nativeBlock } from '../../../../services/shared/domain/native-columns.ts'
import { nativeRows } from '../../../support/native-rows.ts'

interface Claim {
  product: string
  ground: string
  touchedAt: number
}

const field = (name: string, type: unknown = 'string') => ({ name, type })
const ours = [field('product'), field('ground'), field('touchedAt', 'long')]
const arrayOf = (fields: unknown[]) => ({ type: 'array', items: { type: 'record', name: 'Claim', fields } })
const openLists = () => ({
  products: arrayColumn('String'),
  grounds: arrayColumn('String'),
  touches: arrayColumn("DateTime64(3, 'UTC')"),
})
const rowsOf = (rows: number, lists: ReturnType<typeof openLists>) =>
  nativeRows(
    nativeBlock(
      rows,
      Object.entries(lists).map(([name, list]) => ({ name, type: list.type, parts: list.parts() })),
    ),
  )

/** What is read of bytes that this schema wrote; undefined where they hold no claims that can be read. */
function read(schema: unknown, body: Buffer) {
  const reader = createClaimReader(parseSchema(schema))
  if (!reader.read(body, 0, body.length)) {
    return undefined
  }
  const lists = openLists()
  reader.append(body, lists)
  return rowsOf(1, lists)[0]
}
const written = (fields: unknown[], claims: readonly object[]) => avro.parse(arrayOf(fields)).toBuffer(claims)
const claim = (over: Partial<Claim> = {}): Claim => ({ product: 'echo', ground: 'owned', touchedAt: 1.5e12, ...over })

test('gives products, grounds and touches as three arrays, in the order in which they stand', () => {
  const claims = [claim(), claim({ product: 'fire_tv', ground: 'viewed', touchedAt: 1.6e12 })]
  assert.deepEqual(read(arrayOf(ours), written(ours, claims)), {
    products: ['echo', 'fire_tv'],
    grounds: ['owned', 'viewed'],
    touches: [1.5e12, 1.6e12],
  })
  assert.deepEqual(read(arrayOf(ours), written(ours, [])), { products: [], grounds: [], touches: [] })
})

test('finds the fields wherever the writer has them, and goes over others', () => {
  const fields = [field('weight', 'double'), ours[2], field('note', ['null', 'string']), ours[1], ours[0]]
  const claims = [
    { ...claim(), weight: 0.5, note: { string: 'x' } },
    { ...claim(), weight: 1, note: null },
  ]
  const found = read(arrayOf(fields), written(fields, claims))
  assert.deepEqual(found, { products: ['echo', 'echo'], grounds: ['owned', 'owned'], touches: [1.5e12, 1.5e12] })
})

test('reads blocks that carry their size, and several blocks', () => {
  const whole = written(ours, [claim()])
  const item = whole.subarray(1, -1)
  const varint = (value: number) => avro.parse('long').toBuffer(value)
  const blocks = Buffer.concat([varint(-1), varint(item.length), item, varint(1), item, varint(0)])
  assert.deepEqual((read(arrayOf(ours), blocks) as { products: string[] }).products, ['echo', 'echo'])
})

test('takes as many claims as an order may have, and no more', () => {
  const claims = (count: number) => Array.from({ length: count }, () => claim())
  assert.notEqual(read(arrayOf(ours), written(ours, claims(claimsMax))), undefined)
  assert.equal(read(arrayOf(ours), written(ours, claims(claimsMax + 1))), undefined)
})

for (const [what, over] of Object.entries({
  'an empty product': { product: '' },
  'a product in upper case': { product: 'Echo' },
  'a product of 33 bytes': { product: 'x'.repeat(33) },
  'an empty ground': { ground: '' },
  'a touch in 1999': { touchedAt: 946_684_799_999 },
  'a touch in 2100': { touchedAt: 4_102_444_800_000 },
})) {
  test(`refuses ${what}, also behind claims that are right`, () => {
    assert.equal(read(arrayOf(ours), written(ours, [claim(), claim(over)])), undefined)
  })
}

test('reads nothing of claims that lack a field, or are no records', () => {
  const two = ours.slice(0, 2)
  assert.equal(read(arrayOf(two), written(two, [claim()])), undefined)
  assert.equal(read({ type: 'array', items: 'string' }, Buffer.of(0)), undefined)
  assert.equal(createClaimReader(undefined).read(Buffer.of(0), 0, 1), false)
})

test('starts anew with each order', () => {
  const reader = createClaimReader(parseSchema(arrayOf(ours)))
  const [full, empty] = [written(ours, [claim()]), written(ours, [])]
  assert.ok(reader.read(full, 0, full.length))
  assert.ok(reader.read(empty, 0, empty.length))
  const lists = openLists()
  reader.append(empty, lists)
  assert.ok(reader.read(full, 0, full.length))
  reader.append(full, lists)
  assert.deepEqual(rowsOf(2, lists), [
    { products: [], grounds: [], touches: [] },
    { products: ['echo'], grounds: ['owned'], touches: [1.5e12] },
  ])
})
