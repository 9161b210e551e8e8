import assert from 'node:assert/strict'
import { test } from 'node:test'

import { frame, headerBytes, schemaIdOf } from '../../../../services/shared/domain/wire.ts'

test('frames a body as byte 0, the id as 4 bytes big-endian, and the body', () => {
  assert.deepEqual([...frame(0x01020304, Buffer.from([9, 8]))], [0, 1, 2, 3, 4, 9, 8])
  assert.equal(headerBytes, 5)
})

for (const id of [0, 1, 255, 256, 2_147_483_647, 2_147_483_648, 4_294_967_295]) {
  test(`reads back schema id ${id}`, () => {
    assert.equal(schemaIdOf(frame(id, Buffer.from('body'))), id)
  })
}

for (const [name, value, id] of [
  ['no value', null, -1],
  ['an empty value', [], -1],
  ['4 bytes', [0, 0, 0, 1], -1],
  ['5 bytes, which is an empty body', [0, 0, 0, 0, 1], 1],
  ['another first byte', [1, 0, 0, 0, 1, 9], -1],
  ['JSON', [...Buffer.from('{"intent":1}')], -1],
] as const) {
  test(`${id < 0 ? 'takes for not framed' : 'takes for framed'}: ${name}`, () => {
    assert.equal(schemaIdOf(value === null ? null : Uint8Array.from(value)), id)
  })
}
