import type { RecordNode, SchemaNode } from '../domain/avro-schema.ts'
import { schemaFault, type Judge, type StreamDefinition } from '../domain/stream.ts'
import type { Taxonomy } from '../domain/taxonomy.ts'
import { compileWalker, type Walker } from '../domain/walker.ts'

/** A writer schema as the registry gave it. */
export interface WriterSchema {
  readonly id: number
  /** The schema's JSON, as registered. */
  readonly json: unknown
  readonly node: SchemaNode
  /** First 16 hex digits of the SHA-256 of the JSON: a plan names it, so that a changed registry is noticed. */
  readonly fingerprint: string
}

/** Everything needed to read events of one writer schema: the walker, the judge, and the schema its rows are stored under. */
export interface Reader {
  readonly schema: WriterSchema
  readonly walker: Walker
  readonly judge: Judge
  /** Schema of the Avro container: the writer's fields, then the stream's appended ones, then where in the log it stood. */
  readonly containerSchema: unknown
}

/** A reader, or the reason why the schema can't serve the stream. */
export function createReader(
  stream: StreamDefinition,
  schema: WriterSchema,
  taxonomy: Taxonomy,
): Reader | { fault: string } {
  const fault = schemaFault(stream, schema.node)
  if (fault !== undefined) {
    return { fault }
  }
  const walker = compileWalker(
    schema.node as RecordNode,
    stream.fields.map((field) => field.path),
  )
  const judge = stream.createJudge({ taxonomy, nodeOf: (path) => walker.nodeOf(path) })
  return { schema, walker, judge, containerSchema: containerSchemaOf(stream, schema.json) }
}

function containerSchemaOf(stream: StreamDefinition, writer: unknown): unknown {
  const ours = [...stream.appended, { name: 'kafkaOffset', type: 'long' }, { name: 'recordedAt', type: 'long' }]
  const record = unwrapped(physical(writer))
  // A writer may add a field that is called like one of ours; two fields of one name would make ClickHouse refuse the
  // container, and with it every batch. Nothing reads the writer's by that name, so it takes another.
  const theirs = record.fields.map((field) =>
    ours.some(({ name }) => name === field.name) ? { ...field, name: `writer_${field.name}` } : field,
  )
  return { ...record, type: 'record', fields: [...theirs, ...ours] }
}

interface RecordJson {
  readonly type: unknown
  readonly fields: readonly { readonly name: string }[]
}

/** Avro lets a type stand inside a type: `{"type": {"type": "record", ...}}` is the same record. */
function unwrapped(writer: unknown): RecordJson {
  const { type } = writer as RecordJson
  return typeof type === 'object' ? unwrapped(type) : (writer as RecordJson)
}

/** The keys of Avro's specification that say which bytes there are. */
const physicalKeys = new Set(['type', 'name', 'namespace', 'fields', 'symbols', 'items', 'values', 'size'])

/**
 * A schema without defaults, docs and logical types. The bytes are the same, and a default or a decimal that avro-js lets pass
 * and ClickHouse refuses would stop every batch.
 */
function physical(schema: unknown): unknown {
  if (Array.isArray(schema)) {
    return schema.map(physical)
  }
  if (typeof schema !== 'object' || schema === null) {
    return schema
  }
  const kept = Object.entries(schema).filter(([key]) => physicalKeys.has(key))
  return Object.fromEntries(kept.map(([key, value]) => [key, key === 'symbols' ? (value as unknown) : physical(value)]))
}
