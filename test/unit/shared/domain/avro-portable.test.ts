import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { createPortableCheck } from '../../../../services/shared/domain/avro-portable.ts'
import { parseSchema } from '../../../../services/shared/domain/avro-schema.ts'

const long = avro.parse('long')

function isPortable(schema: unknown, body: Uint8Array): boolean {
  // After other bytes, because bodies stand in the middle of a fetch.
  return createPortableCheck(parseSchema(schema))(Buffer.concat([Buffer.alloc(5, 0xff), body]), 5)
}

const encoded = (schema: unknown, value: unknown) => avro.parse(schema).toBuffer(value)
const text = (bytes: Uint8Array) => Buffer.concat([long.toBuffer(bytes.length), bytes])
const badText = Buffer.from([0xc3, 0x28])

for (const [what, bytes, expected] of [
  ['nothing', Buffer.alloc(0), true],
  ['ASCII', Buffer.from('plain'), true],
  ['two, three and four bytes', Buffer.from('é€😀'), true],
  ['a byte order mark', Buffer.from('\ufeffx'), true],
  ['a broken sequence', badText, false],
  ['a sequence that is cut short', Buffer.from([0x61, 0xe2, 0x82]), false],
  ['half of a surrogate pair', Buffer.from([0xed, 0xa0, 0x80]), false],
] as const) {
  test(`text of ${what} is ${expected ? '' : 'not '}portable`, () => {
    assert.equal(isPortable('string', text(bytes)), expected)
  })
}

const day = 86_400_000
for (const [logicalType, type, value, expected] of [
  ['date', 'int', -719_162, true],
  ['date', 'int', -719_163, false],
  ['date', 'int', 2_932_896, true],
  ['date', 'int', 2_932_897, false],
  ['timestamp-millis', 'long', -719_162 * day, true],
  ['timestamp-millis', 'long', -719_162 * day - 1, false],
  ['timestamp-millis', 'long', 2_932_897 * day - 1, true],
  ['timestamp-millis', 'long', 2_932_897 * day, false],
  ['local-timestamp-millis', 'long', 2_932_897 * day, false],
  ['timestamp-micros', 'long', 2 ** 52 - 1, true],
  ['timestamp-micros', 'long', 2 ** 52, false],
  ['time-millis', 'int', 86_399_999, true],
  ['time-millis', 'int', 86_400_000, false],
  ['time-micros', 'long', -1, false],
  ['of-our-own', 'int', 2 ** 31 - 1, true],
] as const) {
  test(`${logicalType} ${value} is ${expected ? '' : 'not '}portable`, () => {
    assert.equal(isPortable({ type, logicalType }, encoded(type, value)), expected)
  })
}

test('a uuid must be one', () => {
  const schema = { type: 'string', logicalType: 'uuid' }
  assert.equal(isPortable(schema, encoded('string', '0189f7ea-7d0f-7d0f-8d0f-0189f7ea7d0f')), true)
  assert.equal(isPortable(schema, encoded('string', '0189f7ea')), false)
})

test('looks into records, unions, arrays and maps, and past every other type', () => {
  const schema = {
    type: 'record',
    name: 'Outer',
    fields: [
      ...['null', 'boolean', 'float', 'double', 'bytes'].map((type) => ({ name: type, type })),
      { name: 'size', type: { type: 'fixed', name: 'Size', size: 3 } },
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['a', 'b'] } },
      { name: 'list', type: { type: 'array', items: 'string' } },
      { name: 'map', type: { type: 'map', values: 'long' } },
      { name: 'maybe', type: ['null', { type: 'record', name: 'Inner', fields: [{ name: 'word', type: 'string' }] }] },
    ],
  }
  const good = {
    ...{ null: null, boolean: true, float: 1.5, double: 2.5, bytes: badText, size: badText.subarray(0, 1) },
    ...{ kind: 'b', list: ['x', 'yz'], map: { key: 7 }, maybe: { Inner: { word: 'zzw' } } },
  }
  good.size = Buffer.from([0xc3, 0x28, 0xff])
  const body = encoded(schema, good)
  assert.equal(isPortable(schema, body), true)
  for (const word of ['yz', 'key', 'zzw']) {
    const spoiled = Buffer.from(body)
    spoiled[body.indexOf(word)] = 0xff
    assert.equal(isPortable(schema, spoiled), false, word)
  }
})

test('reads array blocks that say their size in bytes', () => {
  const body = Buffer.concat([long.toBuffer(-1), long.toBuffer(2), text(Buffer.from('a')), long.toBuffer(0)])
  assert.equal(isPortable({ type: 'array', items: 'string' }, body), true)
  body[3] = 0xff
  assert.equal(isPortable({ type: 'array', items: 'string' }, body), false)
})
