import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { headerBytes, schemaIdOf } from '../../../../services/shared/domain/wire.ts'
import { checkAvroSchema, createEventEncoder } from '../../../../services/shared/io/avro.ts'
import { encoders, makeEvent, purchase, writerSchema } from '../../../support/events.ts'

for (const version of [1, 2] as const) {
  test(`encodes an event under version ${version}, framed with its id, as avro-js reads it back`, () => {
    const event = makeEvent(3, { purchase, skillId: 'trivia' })
    const value = encoders[version].encode(event)
    assert.equal(schemaIdOf(value), version)
    const read = avro.parse(writerSchema(version)).fromBuffer(value.subarray(headerBytes)) as Record<string, unknown>
    assert.deepEqual(read['eventId'], event.eventId)
    assert.deepEqual(read['plans'], event.plans)
    assert.equal(read['occurredAt'], event.occurredAt)
    assert.deepEqual({ ...(read['purchase'] as Record<string, object>)['intentledger.Purchase'] }, purchase)
    assert.equal((read['skillId'] as { string?: string } | undefined)?.string, version === 1 ? undefined : 'trivia')
  })
}

test('writes null where there is no purchase and no skill', () => {
  const value = encoders[2].encode(makeEvent(3))
  const read = avro.parse(writerSchema(2)).fromBuffer(value.subarray(headerBytes)) as Record<string, unknown>
  assert.equal(read['purchase'], null)
  assert.equal(read['skillId'], null)
})

test('throws on an event that does not fit the schema', () => {
  assert.throws(() => encoders[2].encode(makeEvent(3, { eventId: Buffer.alloc(15) })))
  assert.throws(() => encoders[2].encode(makeEvent(3, { outcome: 'lost' as never })))
})

test('writes a schema id beyond 2^31', () => {
  const encoder = createEventEncoder({ schemaId: 4_000_000_000, schema: writerSchema(1) })
  assert.equal(schemaIdOf(encoder.encode(makeEvent(1))), 4_000_000_000)
})

test('accepts the shipped schemas and refuses what is no Avro', () => {
  checkAvroSchema(writerSchema(1))
  checkAvroSchema(writerSchema(2))
  for (const schema of [{ type: 'record', name: 'R' }, { type: 'enum', name: 'E', symbols: [] }, 'Missing', 7]) {
    assert.throws(() => checkAvroSchema(schema), JSON.stringify(schema))
  }
})
