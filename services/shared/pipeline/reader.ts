import type { RecordNode, SchemaNode } from '../domain/avro-schema.ts'
import { schemaFault, type Judge, type JudgedColumns, type StreamDefinition } from '../domain/stream.ts'
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

/** Everything needed to read events of one writer schema. */
export interface Reader {
  readonly schema: WriterSchema
  readonly walker: Walker
  /** The judge of its events for one batch after another, which writes into their columns. */
  openJudge(columns: JudgedColumns): Judge
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
  const walker = walkerOf(stream, schema.node as RecordNode)
  const nodeOf = (path: string) => walker.nodeOf(path)
  return { schema, walker, openJudge: (columns) => stream.createJudge({ taxonomy, nodeOf, columns }) }
}

/**
 * One walker for all partitions of a process: each is code of its own, which V8 would optimize for every one of them anew. A walk
 * ends before the next begins, so they don't meet.
 */
const walkers = new WeakMap<SchemaNode, Map<StreamDefinition, Walker>>()

function walkerOf(stream: StreamDefinition, node: RecordNode): Walker {
  const ofNode = walkers.get(node) ?? new Map<StreamDefinition, Walker>()
  const walker =
    ofNode.get(stream) ??
    compileWalker(
      node,
      stream.fields.map((field) => field.path),
    )
  walkers.set(node, ofNode.set(stream, walker))
  return walker
}
