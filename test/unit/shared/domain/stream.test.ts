import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assistantIntents } from '../../../../services/shared/domain/assistant-intents.ts'
import { parseSchema } from '../../../../services/shared/domain/avro-schema.ts'
import { schemaFault } from '../../../../services/shared/domain/stream.ts'
import { writerSchema, type RecordJson } from '../../../support/events.ts'

/** What the stream says of version 1 after a change. */
function faultAfter(change: (schema: RecordJson) => void): string | undefined {
  const schema = writerSchema(1)
  change(schema)
  return schemaFault(assistantIntents, parseSchema(schema))
}

const setType = (name: string, type: unknown) => (schema: RecordJson) => {
  schema.fields.find((field) => field.name === name)!.type = type
}
const remove = (name: string) => (schema: RecordJson) => {
  schema.fields = schema.fields.filter((field) => field.name !== name)
}

test('serves both shipped versions', () => {
  for (const version of [1, 2] as const) {
    assert.equal(schemaFault(assistantIntents, parseSchema(writerSchema(version))), undefined)
  }
})

for (const field of assistantIntents.fields.filter(({ required }) => required)) {
  test(`names ${field.path} when a writer schema lacks it`, () => {
    assert.equal(
      faultAfter((schema) => {
        // The type's definition must stay for those that refer to it by name.
        const found = schema.fields.find(({ name }) => name === field.path)!
        found.name = 'something_else'
      }),
      `the schema lacks the required field ${field.path}`,
    )
  })
}

for (const [name, change, fault] of [
  [
    'an added optional field',
    (schema: RecordJson) => schema.fields.push({ name: 'room', type: ['null', 'string'], default: null }),
    undefined,
  ],
  ['no purchase at all', remove('purchase'), undefined],
  [
    'a purchase that is always there',
    setType('purchase', { type: 'record', name: 'P', fields: [{ name: 'orderId', type: 'string' }] }),
    undefined,
  ],
  ['a long where an int stands', setType('latencyMs', 'long'), undefined],
  [
    'fields in another order',
    (schema: RecordJson) => void schema.fields.push(schema.fields.splice(8, 1)[0]!),
    undefined,
  ],
  [
    'a required field that may be null',
    setType('intent', ['null', 'string']),
    'the schema lacks the required field intent',
  ],
  ['a number where text stands', setType('intent', 'long'), "the schema's field intent is not string"],
  ['text where a number stands', setType('latencyMs', 'string'), "the schema's field latencyMs is not int or long"],
  [
    'an event id of another size',
    setType('eventId', { type: 'fixed', name: 'Id', size: 8 }),
    "the schema's field eventId is not fixed",
  ],
  [
    'an optional field of another kind',
    (schema: RecordJson) => schema.fields.push({ name: 'skillId', type: ['null', 'int'] }),
    "the schema's field skillId is not string",
  ],
  [
    'an optional field of two kinds',
    (schema: RecordJson) => schema.fields.push({ name: 'skillId', type: ['null', 'string', 'int'] }),
    "the schema's field skillId is not string",
  ],
  [
    'a purchase of two shapes',
    setType('purchase', [
      'null',
      { type: 'record', name: 'P', fields: [{ name: 'orderId', type: 'string' }] },
      { type: 'record', name: 'Q', fields: [{ name: 'orderId', type: 'long' }] },
    ]),
    "the schema's field purchase.orderId is not string",
  ],
  [
    'an amount that is text',
    setType('purchase', ['null', { type: 'record', name: 'P', fields: [{ name: 'amountMicros', type: 'string' }] }]),
    "the schema's field purchase.amountMicros is not int or long",
  ],
] as const) {
  test(`${fault === undefined ? 'serves' : 'refuses'} a writer schema with ${name}`, () => {
    assert.equal(faultAfter(change), fault)
  })
}

test('refuses a schema that is no record', () => {
  assert.equal(schemaFault(assistantIntents, parseSchema('string')), 'the schema is not a record')
  assert.equal(schemaFault(assistantIntents, parseSchema([writerSchema(1)])), 'the schema is not a record')
})
