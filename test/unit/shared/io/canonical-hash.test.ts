import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'

import { canonicalHash } from '../../../../services/shared/io/canonical-hash.ts'

test('is the first 16 hex digits of the SHA-256 of JSON with sorted keys', () => {
  const wanted = createHash('sha256').update('{"a":[{"c":1,"d":null}],"b":"x"}').digest('hex').slice(0, 16)
  assert.equal(canonicalHash({ b: 'x', a: [{ d: null, c: 1 }] }), wanted)
})

test('is the same whatever the order of keys and whether undefined keys are named', () => {
  assert.equal(canonicalHash({ a: 1, b: { c: 2, d: 3 } }), canonicalHash({ b: { d: 3, c: 2 }, a: 1, e: undefined }))
})

test('differs when a value, a key or the order of a list differs', () => {
  const all = [{ a: 1 }, { a: 2 }, { b: 1 }, { a: '1' }, { a: [1, 2] }, { a: [2, 1] }, { a: null }, [], {}, null, '']
  assert.equal(new Set(all.map(canonicalHash)).size, all.length)
})
