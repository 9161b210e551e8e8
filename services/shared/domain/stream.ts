import type { Alphabet } from './alphabet.ts'
import type { RecordNode, SchemaNode } from './avro-schema.ts'
import type { ByteSink } from './byte-sink.ts'
import type { Taxonomy } from './taxonomy.ts'

/**
 * What a stream is: its topic, what its events must hold, what is added to each row, where rows go. The machinery
 * (`services/shared/pipeline/`) knows only this; a new stream is a new description, not a new consumer.
 */
export interface StreamDefinition {
  /** Also its topic, unless a setting names another. */
  readonly name: string
  /** Consumer group of its classifiers, unless a setting names another. */
  readonly group: string
  /** Rows are classed by a taxonomy and carry its version. */
  readonly isClassed: boolean
  /** An event may happen this long before its record's timestamp, milliseconds. */
  readonly ageMaxMs: number
  /** Registry subject of its writer schemas. */
  readonly subject: string
  /** Fields that the walker looks for. The machinery itself reads the id and the time. */
  readonly fields: readonly StreamField[]
  /** The 16-byte identity: a second copy is a duplicate. */
  readonly idField: string
  /** Milliseconds since 1970-01-01 UTC: when it happened. */
  readonly timeField: string
  /** Avro fields that `Judge.append` writes after the event's own bytes, in that order. */
  readonly appended: readonly { readonly name: string; readonly type: unknown }[]
  /** The table of accepted rows. */
  readonly table: string
  /** How a column of that table is made from the Avro fields (the event's, the appended ones, kafkaOffset and recordedAt). */
  readonly columns: readonly StreamColumn[]
  /** Makes the judge for one writer schema. */
  createJudge(options: JudgeOptions): Judge
}

export interface StreamField {
  /** `intent`, or `purchase.orderId` inside a record or an optional one. */
  readonly path: string
  /** Kinds of Avro type it may have; a writer schema with another is refused whole. */
  readonly kinds: readonly SchemaNode['kind'][]
  /** Size in bytes, of a fixed. */
  readonly size?: number
  /** A required field stands in every writer schema and is never null. */
  readonly required: boolean
  /** What a text may hold; its length in bytes. */
  readonly text?: TextBounds
  /** The texts that it may be; `text` then need not say more. */
  readonly oneOf?: readonly string[]
  /** The least and the largest that a number may be. */
  readonly bounds?: { readonly min: number; readonly max: number }
}

export interface TextBounds {
  readonly min: number
  readonly max: number
  readonly alphabet: Alphabet
}

export interface StreamColumn {
  readonly column: string
  /** The Avro field read, and its ClickHouse type in the insert's structure. */
  readonly from: string
  readonly type: string
  /** SQL over `from`; the field itself when left out. */
  readonly sql?: string
}

export interface JudgeOptions {
  readonly taxonomy: Taxonomy
  /** The field's node in the writer's schema (for the order of its enum symbols); undefined when it has none. */
  nodeOf(path: string): SchemaNode | undefined
}

export interface Judge {
  /** The index (in `fields`) of the first field that is out of its bounds, or -1. `at` as `Walker.walk` fills it. */
  invalidField(body: Uint8Array, at: Int32Array): number
  /** Writes the appended fields of one accepted event: the one that `invalidField` was just asked about. */
  append(body: Uint8Array, at: Int32Array, sink: ByteSink): void
}

/** Why a writer schema can't serve a stream, or undefined when it can. */
export function schemaFault(stream: Pick<StreamDefinition, 'fields'>, schema: SchemaNode): string | undefined {
  if (schema.kind !== 'record') {
    return 'the schema is not a record'
  }
  for (const field of stream.fields) {
    const found = findField(schema, field.path.split('.'))
    const nullable = found?.kind === 'union'
    const nodes = nullable
      ? found.branches.filter((branch) => branch.kind !== 'null')
      : found === undefined
        ? []
        : [found]
    if (nodes.length === 0 || (field.required && nullable)) {
      if (field.required) {
        return `the schema lacks the required field ${field.path}`
      }
      continue
    }
    const wrong = nodes.find((node) => !field.kinds.includes(node.kind) || ('size' in node && node.size !== field.size))
    if (wrong !== undefined || nodes.length > 1) {
      return `the schema's field ${field.path} is not ${field.kinds.join(' or ')}`
    }
  }
  return undefined
}

function findField(record: RecordNode, path: readonly string[]): SchemaNode | undefined {
  const node = record.fields.find((field) => field.name === path[0])?.node
  if (node === undefined || path.length === 1) {
    return node
  }
  const branches = node.kind === 'union' ? node.branches.filter((branch) => branch.kind !== 'null') : [node]
  if (branches.length > 1 && branches.some((branch) => branch.kind === 'record')) {
    // The walker would look into each of them, so the path would mean several fields: the union itself is the answer, and no kind.
    return node
  }
  const [inner] = branches
  return inner?.kind === 'record' ? findField(inner, path.slice(1)) : undefined
}
