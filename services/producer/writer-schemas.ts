import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { messageOf, mistake } from '../shared/domain/faults.ts'
import { createEventEncoder, type EventEncoder } from '../shared/io/avro.ts'
import { registryEntries, registryFile } from '../shared/io/schema-registry.ts'

const subject = 'assistant-intents-value'

export type WriterVersion = 1 | 2

/** Encoders by version of `AssistantIntentEvent`, with the ids of the registry file that ships. */
export function loadEncoders(): Record<WriterVersion, EventEncoder> {
  const entries = registryEntries().filter((entry) => entry.subject === subject)
  const load = (version: WriterVersion) => {
    const entry = entries.find((candidate) => candidate.version === version)
    if (entry === undefined) {
      throw mistake(`schemas/registry.json has no version ${version} of ${subject}; add it`, 'file_invalid')
    }
    return createEventEncoder({ schemaId: entry.id, schema: readSchema(entry.file) })
  }
  return { 1: load(1), 2: load(2) }
}

function readSchema(file: string): unknown {
  try {
    return JSON.parse(readFileSync(join(dirname(registryFile), file), 'utf8'))
  } catch (thrown) {
    throw mistake(`schemas/${file} can't be read: ${messageOf(thrown)}`, 'file_invalid')
  }
}
