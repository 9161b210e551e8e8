import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseSchema } from '../../../../services/shared/domain/avro-schema.ts'
import { writerSchema } from '../../../support/events.ts'

const record = (fields: unknown[], more: object = {}) => ({ type: 'record', name: 'R', ...more, fields })

test('reads the shipped event schema: every field with its kind', () => {
  const node = parseSchema(writerSchema(2))
  assert.ok(node.kind === 'record')
  assert.deepEqual(
    node.fields.map((field) => `${field.name} ${field.node.kind}`),
    [
      ...[
        'eventId fixed',
        'occurredAt long',
        'device fixed',
        'household fixed',
        'product string',
        'deviceModel string',
      ],
      ...['activatedOn int', 'country string', 'locale string', 'plans array', 'intent string', 'outcome enum'],
      ...['latencyMs int', 'purchase union', 'appVersion string', 'skillId union'],
    ],
  )
})

for (const kind of ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const) {
  test(`reads ${kind} by its name, wrapped, and with a logical type, whose name it keeps`, () => {
    assert.deepEqual(parseSchema(kind), { kind })
    assert.deepEqual(parseSchema({ type: { type: kind } }), { kind })
    assert.deepEqual(parseSchema({ type: kind, logicalType: 'anything' }), { kind, logicalType: 'anything' })
  })
}

test('finds a named type by its full name, in its namespace, and from a nested record', () => {
  const pseudonym = { type: 'fixed', name: 'Pseudonym', size: 8 }
  const node = parseSchema(
    record(
      [
        { name: 'a', type: pseudonym },
        { name: 'b', type: 'Pseudonym' },
        { name: 'c', type: 'ledger.Pseudonym' },
        { name: 'd', type: record([{ name: 'e', type: 'Pseudonym' }], { name: 'Inner' }) },
        { name: 'f', type: { type: 'fixed', name: 'other.Pseudonym', size: 4 } },
        { name: 'g', type: 'other.Pseudonym' },
      ],
      { namespace: 'ledger' },
    ),
  )
  const fixed = (name: string, size: number) => ({ kind: 'fixed', name, size })
  assert.deepEqual(node, {
    kind: 'record',
    name: 'R',
    fields: [
      { name: 'a', node: fixed('Pseudonym', 8) },
      { name: 'b', node: fixed('Pseudonym', 8) },
      { name: 'c', node: fixed('Pseudonym', 8) },
      { name: 'd', node: { kind: 'record', name: 'Inner', fields: [{ name: 'e', node: fixed('Pseudonym', 8) }] } },
      { name: 'f', node: fixed('other.Pseudonym', 4) },
      { name: 'g', node: fixed('other.Pseudonym', 4) },
    ],
  })
})

test('lets a record refer to itself', () => {
  const node = parseSchema(record([{ name: 'next', type: ['null', 'R'] }]))
  assert.ok(node.kind === 'record')
  const next = node.fields[0]!.node
  assert.ok(next.kind === 'union')
  assert.equal(next.branches[1], node)
})

for (const [name, schema, says] of [
  ['a type that it does not define', record([{ name: 'a', type: 'Missing' }]), /"Missing", which it does not define/],
  [
    'a type used before it is defined',
    record([
      { name: 'a', type: 'F' },
      { name: 'b', type: { type: 'fixed', name: 'F', size: 1 } },
    ]),
    /"F"/,
  ],
  ['a number', 7, /holds 7 where a type belongs/],
  ['null', null, /holds null where a type belongs/],
  ['nothing', undefined, /where a type belongs/],
  ['an object without a type', {}, /where a type belongs/],
  ['an array without items', { type: 'array' }, /where a type belongs/],
  ['a fixed without its size', { type: 'fixed', name: 'F' }, /fixed type F has no size/],
  ['a fixed of a negative size', { type: 'fixed', name: 'F', size: -1 }, /fixed type F has no size/],
] as const) {
  test(`refuses ${name} and says so`, () => {
    assert.throws(() => parseSchema(schema), says)
  })
}
