/** The shipped writer schemas as avro-js types by their id, for who decodes events the plain way. */
import avro from 'avro-js'

import { openFileRegistry } from '../../services/shared/io/schema-registry.ts'

export async function loadWriterTypes(): Promise<ReadonlyMap<number, ReturnType<typeof avro.parse>>> {
  const registry = openFileRegistry()
  const types = new Map<number, ReturnType<typeof avro.parse>>()
  for (const id of [1, 2]) {
    const schema = await registry.schema(id)
    if ('json' in schema) {
      types.set(id, avro.parse(schema.json))
    }
  }
  return types
}
