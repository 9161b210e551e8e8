import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'
import fc from 'fast-check'

import { parseSchema, type RecordNode, type SchemaNode } from '../../../../services/shared/domain/avro-schema.ts'
import { numberBounds } from '../../../../services/shared/domain/event.ts'
import { compileWalker, readVarint } from '../../../../services/shared/domain/walker.ts'
import { readAvro } from '../../../support/avro-reference.ts'
import { makeEvent, purchase, writerSchema } from '../../../support/events.ts'

// Random schemas, their values, and what avro-js writes

type Shape =
  | { kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string' }
  | { kind: 'fixed'; size: number }
  | { kind: 'enum'; symbols: number }
  | { kind: 'array' | 'map'; items: Shape }
  | { kind: 'union'; branches: Shape[] }
  | { kind: 'record'; fields: Shape[] }

const simple = fc.constantFrom<Shape>(
  { kind: 'boolean' },
  { kind: 'int' },
  { kind: 'long' },
  { kind: 'float' },
  { kind: 'double' },
  { kind: 'bytes' },
  { kind: 'string' },
  { kind: 'fixed', size: 1 },
  { kind: 'fixed', size: 16 },
  { kind: 'enum', symbols: 1 },
  { kind: 'enum', symbols: 5 },
)
const nothing: Shape = { kind: 'null' }

/** Items of an array take at least a byte here: see "refuses more items than bytes" for those that take none. */
function shape(depth: number): fc.Arbitrary<Shape> {
  if (depth === 0) {
    return simple
  }
  const inner = shape(depth - 1)
  const branches = fc
    .uniqueArray(inner, { selector: ({ kind }) => kind, minLength: 1, maxLength: 3 })
    .map((list) => list.filter(({ kind }) => kind !== 'union'))
  return fc.oneof(
    { weight: 4, arbitrary: simple },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('array' as const, 'map' as const), items: inner }) },
    { weight: 2, arbitrary: branches.map((list): Shape => ({ kind: 'union', branches: [nothing, ...list] })) },
    { weight: 1, arbitrary: branches.map((list): Shape => ({ kind: 'union', branches: [...list, nothing] })) },
    {
      weight: 1,
      arbitrary: fc.array(inner, { minLength: 1, maxLength: 3 }).map((fields): Shape => ({ kind: 'record', fields })),
    },
  )
}

/** JSON of the shape; every named type gets a name of its own, which its value's union wrapper repeats. */
function schemaJson(of: Shape, name: string): unknown {
  switch (of.kind) {
    case 'fixed':
      return { type: 'fixed', name, size: of.size }
    case 'enum':
      return { type: 'enum', name, symbols: Array.from({ length: of.symbols }, (_, index) => `S${index}`) }
    case 'array':
      return { type: 'array', items: schemaJson(of.items, `${name}i`) }
    case 'map':
      return { type: 'map', values: schemaJson(of.items, `${name}i`) }
    case 'union':
      return of.branches.map((branch, index) => schemaJson(branch, `${name}b${index}`))
    case 'record':
      return {
        type: 'record',
        name,
        fields: of.fields.map((field, index) => ({ name: `f${index}`, type: schemaJson(field, `${name}f${index}`) })),
      }
    case 'null':
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'bytes':
    case 'string':
      return of.kind
  }
}

function valueOf(of: Shape, name: string): fc.Arbitrary<unknown> {
  switch (of.kind) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'int':
      return fc.oneof(fc.integer(), fc.constantFrom(-2_147_483_648, -65, -64, 63, 64, 2_147_483_647))
    case 'long':
      return fc.oneof(
        fc.integer(),
        fc.maxSafeInteger().map((value) => Math.floor(value / 2)),
      )
    case 'float':
      return fc.float({ noNaN: true })
    case 'double':
      return fc.double({ noNaN: true })
    case 'bytes':
      return fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes))
    case 'string':
      return fc.string({ maxLength: 80, unit: 'grapheme' })
    case 'fixed':
      return fc.uint8Array({ minLength: of.size, maxLength: of.size }).map((bytes) => Buffer.from(bytes))
    case 'enum':
      return fc.integer({ min: 0, max: of.symbols - 1 }).map((index) => `S${index}`)
    case 'array':
      return fc.array(valueOf(of.items, `${name}i`), { maxLength: 4 })
    case 'map':
      return fc.dictionary(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }),
        valueOf(of.items, `${name}i`),
        { maxKeys: 3, noNullPrototype: true },
      )
    case 'union':
      return fc.oneof(
        ...of.branches.map((branch, index) => {
          const inner = `${name}b${index}`
          const wrapper = ['fixed', 'enum', 'record'].includes(branch.kind) ? inner : branch.kind
          return valueOf(branch, inner).map((value) => (branch.kind === 'null' ? null : { [wrapper]: value }))
        }),
      )
    case 'record':
      return fc.record(
        Object.fromEntries(of.fields.map((field, index) => [`f${index}`, valueOf(field, `${name}f${index}`)])),
      )
  }
}

interface Case {
  readonly fields: Shape[]
  readonly json: unknown
  readonly value: unknown
  readonly body: Buffer
}

const cases: fc.Arbitrary<Case> = fc.array(shape(3), { minLength: 1, maxLength: 6 }).chain((fields) =>
  valueOf({ kind: 'record', fields }, 'R').map((value) => {
    const json = schemaJson({ kind: 'record', fields }, 'R')
    return { fields, json, value, body: avro.parse(json).toBuffer(value) }
  }),
)

// The oracles

const referenceEnd = (node: SchemaNode, body: Uint8Array) => readAvro(node, body).end

/** Walks a body that stands inside a larger buffer, through a window that fails the test when anything outside is read. */
function guardedWalk(
  json: unknown,
  body: Uint8Array,
  captures: readonly string[] = [],
): { end: number; at: Int32Array } {
  const before = 7
  const around = new Uint8Array(before + body.length + 40).fill(1)
  around.set(body, before)
  const guarded = new Proxy(around, {
    get(target, key) {
      const index = Number(String(key))
      assert.ok(
        !Number.isInteger(index) || (index >= before && index < before + body.length),
        `read at ${String(key)} of ${before}..${before + body.length}`,
      )
      return target[index]
    },
  })
  const walker = compileWalker(parseSchema(json) as RecordNode, captures)
  const at = new Int32Array(captures.length * 2).fill(77)
  const end = walker.walk(guarded, before, before + body.length, at)
  return { end: end < 0 ? -1 : end - before, at: at.map((offset) => (offset < 0 ? offset : offset - before)) }
}

/** Varints at the edges of one byte, of 32 bits and of the 64. */
function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
  }
  return Buffer.from([...bytes, Number(rest)])
}

const oneField = (type: unknown) => ({ type: 'record', name: 'R', fields: [{ name: 'f0', type }] })

// Laws

test('walks whatever avro-js writes to exactly its end, and reads nothing outside', () => {
  fc.assert(
    fc.property(cases, ({ json, body }) => {
      assert.equal(guardedWalk(json, body).end, body.length)
    }),
    { numRuns: 400 },
  )
})

test('captures every field of a random record where avro-js wrote it', () => {
  fc.assert(
    fc.property(cases, ({ fields, json, value, body }) => {
      const captures = fields.map((_, index) => `f${index}`)
      const { at } = guardedWalk(json, body, captures)
      let position = 0
      fields.forEach((field, index) => {
        const inner = (value as Record<string, unknown>)[`f${index}`]
        const encoded = avro.parse(oneField(schemaJson(field, `Rf${index}`))).toBuffer({ f0: inner })
        const found = field.kind === 'union' ? (inner === null ? undefined : branchOf(field, inner as object)) : field
        if (found === undefined) {
          assert.deepEqual([...at.subarray(index * 2, index * 2 + 2)], [-1, -1])
        } else {
          const branchByte = field.kind === 'union' ? 1 : 0
          const sized = found.kind === 'string' || found.kind === 'bytes'
          const length = sized
            ? encoded.length - branchByte - sizeOfLength(encoded, branchByte)
            : encoded.length - branchByte
          assert.deepEqual(
            [...at.subarray(index * 2, index * 2 + 2)],
            [position + encoded.length - length, position + encoded.length],
          )
        }
        position += encoded.length
      })
    }),
    { numRuns: 400 },
  )
})

function branchOf(union: Extract<Shape, { kind: 'union' }>, wrapped: object): Shape {
  const [key] = Object.keys(wrapped)
  const named = /b(\d+)$/.exec(key!)
  return union.branches.find(({ kind }) => kind === key) ?? union.branches[Number(named![1])]!
}

function sizeOfLength(encoded: Buffer, start: number): number {
  let size = 1
  while (encoded[start + size - 1]! >= 0x80) {
    size += 1
  }
  return size
}

test('refuses every truncation, and stops at the end of the body when bytes follow', () => {
  fc.assert(
    fc.property(cases, fc.uint8Array({ minLength: 1, maxLength: 12 }), ({ json, body }, more) => {
      const type = avro.parse(json)
      for (let size = 0; size < body.length; size++) {
        assert.equal(guardedWalk(json, body.subarray(0, size)).end, -1, `at ${size} of ${body.length}`)
        assert.throws(() => type.fromBuffer(body.subarray(0, size)), `avro-js at ${size} of ${body.length}`)
      }
      assert.equal(guardedWalk(json, Buffer.concat([body, more])).end, body.length)
    }),
    { numRuns: 120 },
  )
})

test('agrees with the specification, and with avro-js where that is sound, on bytes changed at random', () => {
  const change = fc.tuple(fc.nat(), fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)))
  let refused = 0
  fc.assert(
    fc.property(cases, fc.array(change, { minLength: 1, maxLength: 4 }), ({ json, body }, changes) => {
      fc.pre(body.length > 0)
      const mutated = Buffer.from(body)
      for (const [where, byte] of changes) {
        mutated[where % mutated.length] = byte
      }
      const wanted = referenceEnd(parseSchema(json), mutated)
      const { end } = guardedWalk(json, mutated)
      assert.equal(end, typeof wanted === 'number' ? wanted : -1, String(wanted))
      const type = avro.parse(json)
      if (typeof wanted === 'number') {
        // A long beyond 2^53 is the one thing that avro-js refuses of what the specification allows.
        assert.doesNotThrow(() => {
          try {
            type.fromBuffer(mutated.subarray(0, wanted))
          } catch (thrown) {
            assert.match(String(thrown), /precision/)
          }
        })
      } else if (
        wanted === 'no such branch' ||
        wanted === 'no such symbol' ||
        (wanted === 'truncated' && !hasItems(json))
      ) {
        refused += 1
        assert.throws(() => type.fromBuffer(mutated))
      }
    }),
    { numRuns: 1_500 },
  )
  assert.ok(refused > 50, `only ${refused} bodies were refused`)
})

/** An item count whose varint is cut off makes avro-js loop for hours, so it can't be asked about those. */
function hasItems(json: unknown): boolean {
  return /"(array|map)"/.test(JSON.stringify(json))
}

test('never throws and never reads outside on bytes that are no event at all', () => {
  const schema = writerSchema(2)
  const walker = parseSchema(schema)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const wanted = referenceEnd(walker, bytes)
      assert.equal(
        guardedWalk(schema, bytes, ['intent', 'purchase.orderId']).end,
        typeof wanted === 'number' ? wanted : -1,
      )
    }),
    { numRuns: 1_000 },
  )
})

test('agrees with the specification on every single byte of an event set to every value', () => {
  const schema = writerSchema(2)
  const node = parseSchema(schema) as RecordNode
  const walker = compileWalker(node, [])
  const at = new Int32Array(0)
  const body = avro
    .parse(schema)
    .toBuffer({ ...makeEvent(1), purchase: { 'intentledger.Purchase': purchase }, skillId: { string: 'skill' } })
  for (let position = 0; position < body.length; position++) {
    const mutated = Buffer.from(body)
    for (let byte = 0; byte < 256; byte++) {
      mutated[position] = byte
      const wanted = referenceEnd(node, mutated)
      assert.equal(walker.walk(mutated, 0, mutated.length, at), typeof wanted === 'number' ? wanted : -1)
    }
  }
})

// Edges

for (const [name, type, body, end] of [
  ['boolean 0', 'boolean', [0], 1],
  ['boolean 1', 'boolean', [1], 1],
  ['boolean 2 (avro-js takes it for true, ClickHouse refuses it)', 'boolean', [2], -1],
  ['the highest int', 'int', varint(2_147_483_647n), 5],
  ['one above the highest int (avro-js takes it)', 'int', varint(2_147_483_648n), -1],
  ['the lowest int', 'int', varint(-2_147_483_648n), 5],
  ['one below the lowest int', 'int', varint(-2_147_483_649n), -1],
  ['a long above 2^53 (avro-js refuses it)', 'long', varint(9_007_199_254_740_993n), 8],
  ['the highest long', 'long', varint(9_223_372_036_854_775_807n), 10],
  ['the lowest long', 'long', varint(-9_223_372_036_854_775_808n), 10],
  ['a varint of 65 bits', 'long', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], -1],
  [
    'a varint of 11 bytes (avro-js takes it)',
    'long',
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0],
    -1,
  ],
  ['a varint that never ends', 'long', [0xff, 0xff, 0xff], -1],
  ['a varint longer than it need be', 'long', [0x80, 0x80, 0], 3],
  ['text of negative length', 'string', varint(-1n), -1],
  ['text one byte longer than the body', 'string', [4, 65], -1],
  ['text that ends with the body', 'string', [4, 65, 66], 3],
  ['text of 2^63 bytes', 'string', varint(9_223_372_036_854_775_807n), -1],
  ['empty text', 'string', [0], 1],
  ['the last union branch', ['null', 'int'], [2, 2], 2],
  ['one union branch too many', ['null', 'int'], [4, 2], -1],
  ['a negative union branch', ['null', 'int'], [1, 2], -1],
  ['a union branch of 2^63', ['null', 'int'], varint(9_223_372_036_854_775_807n), -1],
  ['the last symbol', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, [2], 1],
  ['one symbol too many', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, [4], -1],
  ['a negative symbol', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, [1], -1],
  ['an array in two blocks', { type: 'array', items: 'int' }, [2, 0, 2, 0, 0], 5],
  ['a block with its size', { type: 'array', items: 'int' }, [3, 4, 0, 0, 0], 5],
  ['a block with a size one too large', { type: 'array', items: 'int' }, [3, 6, 0, 0, 0], -1],
  ['a block with a size beyond the body', { type: 'array', items: 'int' }, [3, 126, 0, 0, 0], -1],
  ['a block with a negative size', { type: 'array', items: 'int' }, [3, 1, 0, 0, 0], -1],
  ['an array without its end', { type: 'array', items: 'int' }, [2, 0], -1],
  ['more items than bytes, though they take none', { type: 'array', items: 'null' }, [20, 0], -1],
  ['as many items as bytes', { type: 'array', items: 'null' }, [4, 0], 2],
  ['a block of -2^63 items', { type: 'array', items: 'null' }, [...varint(-9_223_372_036_854_775_808n), 0, 0], -1],
  ['a map', { type: 'map', values: 'int' }, [2, 2, 65, 4, 0], 5],
  ['a map whose key goes beyond the body', { type: 'map', values: 'int' }, [2, 20, 65, 4, 0], -1],
  ['a float cut off', 'float', [0, 0, 0], -1],
  ['a double cut off', 'double', [0, 0, 0, 0, 0, 0, 0], -1],
  ['a fixed cut off', { type: 'fixed', name: 'F', size: 4 }, [0, 0, 0], -1],
  ['a null', 'null', [], 0],
] as const) {
  test(`${end < 0 ? 'refuses' : 'accepts'} ${name}`, () => {
    assert.equal(guardedWalk(oneField(type), Uint8Array.from(body)).end, end)
  })
}

test('refuses a chain of a self-referring record that goes deeper than 64, without exhausting the stack', () => {
  const schema = {
    type: 'record',
    name: 'R',
    fields: [
      { name: 'f0', type: { type: 'record', name: 'Link', fields: [{ name: 'next', type: ['null', 'Link'] }] } },
    ],
  }
  const chain = (links: number) => Buffer.concat([Buffer.alloc(links, 2), Buffer.alloc(1)])
  assert.equal(guardedWalk(schema, chain(20)).end, 21)
  assert.equal(guardedWalk(schema, chain(100_000)).end, -1)
})

// Captures

test('finds the fields of an event, also those inside the optional purchase', () => {
  const captures = [
    'eventId',
    'intent',
    'plans',
    'outcome',
    'purchase',
    'purchase.orderId',
    'purchase.amountMicros',
    'purchase.currency',
    'skillId',
    'absent',
  ]
  const schema = writerSchema(2)
  const type = avro.parse(schema)
  const text = (body: Buffer, at: Int32Array, index: number) =>
    body.subarray(at[index * 2], at[index * 2 + 1]).toString('latin1')
  const full = type.toBuffer({
    ...makeEvent(7),
    purchase: { 'intentledger.Purchase': purchase },
    skillId: { string: 'trivia' },
  })
  const { at } = guardedWalk(schema, full, captures)
  assert.deepEqual([at[0], at[1]], [0, 16])
  assert.equal(text(full, at, 1), 'weather_query')
  assert.equal(text(full, at, 2), '\x04\x0amusic\x0aprime\x00')
  assert.equal(readVarint(full, at[6]!), 0)
  assert.equal(text(full, at, 5), 'order-1')
  assert.equal(readVarint(full, at[12]!), 12_990_000)
  assert.equal(text(full, at, 7), 'USD')
  assert.equal(text(full, at, 8), 'trivia')
  assert.deepEqual([at[8], at[9]], [at[10]! - 1, at[15]], 'the purchase as a whole')
  assert.deepEqual([at[18], at[19]], [-1, -1])

  const plain = type.toBuffer({ ...makeEvent(7), purchase: null, skillId: null })
  const without = guardedWalk(schema, plain, captures).at
  assert.deepEqual([...without.subarray(8, 20)], new Array(12).fill(-1))
})

test('gives the node of a captured field as the writer has it, and none for a field it does not know', () => {
  const walker = compileWalker(parseSchema(writerSchema(1)) as RecordNode, ['outcome', 'purchase.orderId', 'skillId'])
  assert.deepEqual(walker.nodeOf('outcome'), {
    kind: 'enum',
    name: 'Outcome',
    symbols: ['fulfilled', 'failed', 'not_understood', 'abandoned'],
  })
  assert.deepEqual(walker.nodeOf('purchase.orderId'), { kind: 'string' })
  assert.equal(walker.nodeOf('skillId'), undefined)
})

test('writes no text of a schema into its code', () => {
  const name = "']\n${at}`; throw new Error('run') //"
  const schema = {
    type: 'record',
    name,
    fields: [
      { name, type: ['null', { type: 'enum', name: `e${name}`, symbols: [name] }] },
      { name: 'inner', type: { type: 'record', name: `r${name}`, fields: [{ name, type: 'string' }] } },
      { name: 'last', type: { type: 'fixed', name: `f${name}`, size: 2 } },
    ],
  }
  const walker = compileWalker(parseSchema(schema) as RecordNode, [name, `inner.${name}`, 'last'])
  const at = new Int32Array(6)
  assert.equal(walker.walk(Uint8Array.of(2, 0, 4, 65, 66, 7, 8), 0, 7, at), 7)
  assert.deepEqual([...at], [1, 2, 3, 5, 5, 7])
})

test('reads the varints it finds: exact below 2^52, and beyond that larger than any bound of ours', () => {
  const exactMax = 2 ** 52
  const exact = fc.oneof(
    fc.maxSafeInteger().map((value) => Math.floor(value / 2)),
    fc.integer(),
    fc.constantFrom(exactMax - 1, -exactMax, 0, -1),
  )
  fc.assert(
    fc.property(exact, (value) => {
      assert.equal(readVarint(Buffer.concat([Buffer.alloc(3, 0xff), varint(BigInt(value))]), 3), value)
    }),
  )
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 52n, max: 2n ** 63n - 1n }), fc.boolean(), (size, negative) => {
      assert.ok(Math.abs(readVarint(varint(negative ? -size - 1n : size), 0)) >= exactMax)
    }),
  )
  const widest = Math.max(...Object.values(numberBounds).map(({ max }) => max))
  assert.ok(widest < exactMax)
})
