import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { messageOf, mistake } from '../shared/domain/faults.ts'
import { createEventEncoder, createRecordEncoder, type EventEncoder, type RecordEncoder } from '../shared/io/avro.ts'
import { registryEntries, registryFile } from '../shared/io/schema-registry.ts'

export type WriterVersion = 1 | 2

/** Encoders by version of `AssistantIntentEvent`, with the ids of the registry file that ships. */
export function loadEncoders(): Record<WriterVersion, EventEncoder> {
  const load = (version: WriterVersion) => createEventEncoder(loadWriterSchema('assistant-intents-value', version))
  return { 1: load(1), 2: load(2) }
}

/** The encoder of a stream whose schema has no unions: version 1 under the subject. */
export function loadRecordEncoder<Event extends object>(subject: string): RecordEncoder<Event> {
  return createRecordEncoder(loadWriterSchema(subject, 1))
}

function loadWriterSchema(subject: string, version: number): { schemaId: number; schema: unknown } {
  const entry = registryEntries().find((candidate) => candidate.subject === subject && candidate.version === version)
  if (entry === undefined) {
    throw mistake(`schemas/registry.json has no version ${version} of ${subject}; add it`, 'file_invalid')
  }
  return { schemaId: entry.id, schema: readSchema(entry.file) }
}

function readSchema(file: string): unknown {
  try {
    return JSON.parse(readFileSync(join(dirname(registryFile), file), 'utf8'))
  } catch (thrown) {
    throw mistake(`schemas/${file} can't be read: ${messageOf(thrown)}`, 'file_invalid')
  }
}
