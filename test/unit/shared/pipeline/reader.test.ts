import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { assistantIntents } from '../../../../services/shared/domain/assistant-intents.ts'
import { parseSchema } from '../../../../services/shared/domain/avro-schema.ts'
import { createEventEncoder } from '../../../../services/shared/io/avro.ts'
import { loadTaxonomy } from '../../../../services/shared/io/taxonomy-file.ts'
import { createReader, type Reader } from '../../../../services/shared/pipeline/reader.ts'
import { makeEvent, writerSchema, type FieldJson } from '../../../support/events.ts'

const { taxonomy } = loadTaxonomy(1)

function readerOf(json: unknown): Reader | { fault: string } {
  return createReader(assistantIntents, { id: 1, json, node: parseSchema(json), fingerprint: 'f' }, taxonomy)
}

function containerOf(json: unknown): { type: string; namespace: string; fields: FieldJson[] } {
  const reader = readerOf(json)
  assert.ok(!('fault' in reader), 'fault' in reader ? reader.fault : '')
  // ClickHouse reads the container's schema with Avro's rules: a name used twice would refuse every batch.
  avro.parse(reader.containerSchema)
  return reader.containerSchema as ReturnType<typeof containerOf>
}

const namesOf = (fields: readonly FieldJson[]) => fields.map(({ name }) => name)
const ours = [...assistantIntents.appended.map(({ name }) => name), 'kafkaOffset', 'recordedAt']

test('stores rows as the writer has them, then the appended fields, then where in the log it stood', () => {
  for (const version of [1, 2] as const) {
    const writer = writerSchema(version)
    const container = containerOf(writer)
    assert.deepEqual(namesOf(container.fields.slice(0, writer.fields.length)), namesOf(writer.fields))
    // Only what says which bytes there are: a default or a decimal that ClickHouse refuses would stop every batch.
    assert.doesNotMatch(JSON.stringify(container), /"(doc|default|logicalType|aliases|order)":/)
    const bytes = createEventEncoder({ schemaId: version, schema: writer }).encode(makeEvent(1)).subarray(5)
    const same = avro.parse({ ...container, fields: container.fields.slice(0, writer.fields.length) })
    assert.equal(JSON.stringify(same.fromBuffer(bytes)), JSON.stringify(avro.parse(writer).fromBuffer(bytes)))
    assert.deepEqual(namesOf(container.fields.slice(writer.fields.length)), ours)
    assert.equal(container.namespace, 'intentledger')
  }
})

test('renames an added field of the writer that is called like one of ours, so that each name stands once', () => {
  for (const name of ours) {
    const writer = writerSchema(2)
    writer.fields.push({ name, type: ['null', 'string'], default: null })
    const names = namesOf(containerOf(writer).fields)
    assert.equal(new Set(names).size, names.length)
    assert.equal(names[16], `writer_${name}`)
    assert.deepEqual(names.slice(17), ours)
  }
})

test('reads a record that stands inside a type of its own', () => {
  assert.deepEqual(containerOf({ type: writerSchema(1) }), containerOf(writerSchema(1)))
})

test('gives the reason instead of a reader when the schema lacks what the stream needs', () => {
  const writer = writerSchema(1)
  writer.fields = writer.fields.filter(({ name }) => name !== 'locale')
  assert.deepEqual(readerOf(writer), { fault: 'the schema lacks the required field locale' })
  assert.deepEqual(readerOf('string'), { fault: 'the schema is not a record' })
})
