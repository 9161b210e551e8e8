import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assistantIntents } from '../../../../services/shared/domain/assistant-intents.ts'
import { parseSchema, type SchemaNode } from '../../../../services/shared/domain/avro-schema.ts'
import { loadTaxonomy } from '../../../../services/shared/io/taxonomy-file.ts'
import { createReader, type Reader } from '../../../../services/shared/pipeline/reader.ts'
import { encoders, makeEvent, writerSchema } from '../../../support/events.ts'

const { taxonomy } = loadTaxonomy(1)

function readerOf(json: unknown): Reader | { fault: string } {
  return createReader(assistantIntents, { id: 1, json, node: parseSchema(json), fingerprint: 'f' }, taxonomy)
}

test('reads a record that stands inside a type of its own', () => {
  const reader = readerOf({ type: writerSchema(1) })
  assert.ok(!('fault' in reader))
  const body = encoders[1].encode(makeEvent(1)).subarray(5)
  const at = new Int32Array(assistantIntents.fields.length * 2)
  assert.equal(reader.walker.walk(body, 0, body.length, at), body.length)
})

test('gives the reason instead of a reader when the schema lacks what the stream needs', () => {
  const writer = writerSchema(1)
  writer.fields = writer.fields.filter(({ name }) => name !== 'locale')
  assert.deepEqual(readerOf(writer), { fault: 'the schema lacks the required field locale' })
  assert.deepEqual(readerOf('string'), { fault: 'the schema is not a record' })
})

test('shares one walker among the readers of a registered schema, and none between schemas', () => {
  const readerOfSchema = (node: SchemaNode) => {
    const reader = createReader(assistantIntents, { id: 1, json: undefined, node, fingerprint: 'f' }, taxonomy)
    assert.ok(!('fault' in reader))
    return reader
  }
  const [first, second] = [parseSchema(writerSchema(1)), parseSchema(writerSchema(2))]
  assert.equal(readerOfSchema(first).walker, readerOfSchema(first).walker)
  assert.notEqual(readerOfSchema(first).walker, readerOfSchema(second).walker)
})
