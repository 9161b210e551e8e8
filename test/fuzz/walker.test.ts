import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { createAvroJsOracle } from './avro-js-oracle.ts'
import { fuzz } from './fuzz.ts'
import { createJudge } from './judge.ts'
import { knownDifferences } from './known-differences.ts'
import { readOptions } from './options.ts'
import { bodyKinds, varint } from './random-body.ts'
import { watchedFuzz } from './watched-fuzz.ts'

const none = new Uint8Array(0)
const oneField = (type: unknown) => ({ type: 'record', name: 'R', fields: [{ name: 'a', type }] })
const judged = (type: unknown, body: Uint8Array) => createJudge(oneField(type), ['a'])(Buffer.from(body), none)
const array = (items: string) => ({ type: 'array', items })

for (const seed of [20_261_122, 7]) {
  test(`agrees with avro-js on a slice of the fuzz, seed ${seed}`, () => {
    const { count, failure } = fuzz({ seed, bodies: 8_000 })
    assert.equal(failure, undefined)
    for (const kind of bodyKinds) {
      assert.ok(count.bodies[kind] > 1_000, `${kind} ${count.bodies[kind]}`)
    }
    assert.ok(count.accepted > 1_000 && count.refused > 4_000, `${count.accepted} accepted`)
  })
}

// Each known difference: avro-js takes it, the walker refuses it, for the reason named.

const chain = {
  type: 'record',
  name: 'Link',
  fields: [{ name: 'next', type: ['null', 'Link'] }],
}
const textThenByte = {
  type: 'record',
  name: 'Pair',
  fields: [
    { name: 'text', type: 'string' },
    { name: 'byte', type: { type: 'fixed', name: 'Byte', size: 1 } },
  ],
}
/** The oracle's own bound refuses these before avro-js takes them. */
const stoppedByOracle = ['more items than bytes']
const shown: Record<string, [unknown, Uint8Array]> = {
  'boolean beyond 1': ['boolean', Buffer.from([2])],
  'int beyond 32 bits': ['int', varint(2n ** 31n)],
  'varint beyond 64 bits': ['long', Buffer.from([...new Array<number>(10).fill(0x80), 0])],
  'wrong block size': [array('int'), Buffer.from([3, 126, 0, 0, 0])],
  'negative length of text': [textThenByte, Buffer.from([1])],
  'length of text cut off': ['string', Buffer.from([0x81])],
  'more items than bytes': [array('null'), Buffer.from([20, 0])],
  'too deep': [chain, Buffer.concat([Buffer.alloc(100, 2), Buffer.alloc(1)])],
}

test('shows every known difference', () => {
  assert.deepEqual(Object.keys(shown).sort(), Object.keys(knownDifferences).sort())
})

for (const [reason, [type, body]] of Object.entries(shown)) {
  test(`avro-js takes what the walker refuses: ${reason}`, () => {
    if (!stoppedByOracle.includes(reason)) {
      assert.deepEqual(judged(type, body), { accepted: false, reason, differs: true })
    }
    assert.doesNotThrow(() => avro.parse(oneField(type)).fromBuffer(Buffer.from(body)), 'avro-js as it is shipped')
    assert.equal(judged(type, body).accepted, false)
  })
}

test('reads longs beyond 2^53 with avro-js, which refuses them as it is shipped', () => {
  for (const value of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    assert.throws(() => avro.parse(oneField('long')).fromBuffer(varint(value)), /precision/)
    assert.deepEqual(judged('long', varint(value)), { accepted: true, reason: undefined, differs: false })
  }
})

test('stops avro-js where it would loop for hours', () => {
  const answer = createAvroJsOracle(oneField(array('int')))(varint(2n ** 52n))
  assert.deepEqual(answer, { accepts: false, why: 'stopped: more items than bytes' })
})

test('loses a map key "__proto__" in avro-js, not in the walk', () => {
  const key = Buffer.from('__proto__')
  const body = Buffer.concat([varint(1n), varint(BigInt(key.length)), key, varint(5n), varint(0n)])
  const value = avro.parse(oneField({ type: 'map', values: 'int' })).fromBuffer(body) as { a: object }
  assert.deepEqual(Object.keys(value.a), [])
  assert.equal(judged({ type: 'map', values: 'int' }, body).accepted, true)
})

test('takes text that is no UTF-8, as avro-js does', () => {
  assert.deepEqual(judged('string', Buffer.from([4, 0xff, 0xc0])), {
    accepted: true,
    reason: undefined,
    differs: false,
  })
})

// The harness itself

test('names a walk that hangs, with its schema and its bytes', async () => {
  const { count, failure } = await watchedFuzz(
    { seed: 5, bodies: 10 },
    () => undefined,
    new URL(
      'data:text/javascript,import { workerData } from "node:worker_threads";' +
        'Atomics.store(new Int32Array(workerData.progress), 0, 7); for (;;);',
    ),
    200,
  )
  assert.equal(count, undefined)
  assert.deepEqual([failure?.seed, failure?.index, failure?.what], [5, 7, 'never ends'])
  assert.match(failure!.hex, /^[0-9a-f]*$/)
})

test('refuses a wrong flag in one sentence', () => {
  assert.throws(() => readOptions(['--bodies', '0']), /^[^\n]*fuzz: --bodies[^\n]*$/)
  assert.throws(() => readOptions(['--bodys', '5']), /fuzz: /)
  assert.deepEqual(readOptions(['--seed', '7']), { seed: 7, bodies: 1_000_000 })
})
