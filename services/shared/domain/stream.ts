import type { Alphabet } from './alphabet.ts'
import type { RecordNode, SchemaNode } from './avro-schema.ts'
import type { LogRecord } from './log-record.ts'
import type { ArrayColumn } from './native-columns.ts'
import type { Dictionary, KeptText } from './native-dictionary.ts'
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
  /** The table of accepted rows. */
  readonly table: string
  /** Its columns but the place in the log, and what each is made of. */
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
  /** The path of the field that it holds as it stands in the event; undefined when `Judge.append` writes it. */
  readonly from?: string
  readonly type: ColumnType
}

/**
 * ClickHouse types that rows are sent in. A number field goes into Int64, UInt32, Date (days since 1970-01-01) or DateTime64
 * (milliseconds), a fixed of 16 bytes into FixedString(16), one of 8 into UInt64 (its first byte the lowest), a text into
 * LowCardinality(String), or into String when it hardly ever comes again; an absent field is 0 or empty. Int8 and the arrays are a judge's.
 */
export type ColumnType =
  | 'FixedString(16)'
  | 'UInt64'
  | 'Int64'
  | "DateTime64(3, 'UTC')"
  | 'UInt32'
  | 'Date'
  | 'Bool'
  | 'String'
  | 'LowCardinality(String)'
  | 'Int8'
  | 'Array(String)'
  | "Array(DateTime64(3, 'UTC'))"

export interface JudgeOptions {
  readonly taxonomy: Taxonomy
  /** The field's node in the writer's schema (for the order of its enum symbols); undefined when it has none. */
  nodeOf(path: string): SchemaNode | undefined
  /** Where it writes. */
  readonly columns: JudgedColumns
}

/** What a description alone doesn't say of an event of one writer schema. */
export interface Judge {
  /** The index (in `fields`) of a field that can't be right though its text or number is within bounds, or -1. `at` as `Walker.walk` fills it. */
  invalidField(message: LogRecord, at: Int32Array): number
  /** Writes the columns without a `from` of one accepted event: the one that `invalidField` was just asked about. */
  append(message: LogRecord, at: Int32Array): void
}

/** The row that is being written, for a judge. Columns by their name. */
export interface JudgedColumns {
  /** A function that writes an Int8 column. */
  int8(column: string): (value: number) => void
  /** A function that writes a text column. */
  text(column: string): (text: KeptText) => void
  list(column: string): ArrayColumn
  /** The dictionary of a text column that holds a field, and a function that gives the number there of the event's text. */
  found(column: string): { readonly dictionary: Dictionary; readonly number: () => number }
}

/** Of a stream whose description says all there is. */
export const noJudge: Judge = { invalidField: () => -1, append: () => undefined }

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
