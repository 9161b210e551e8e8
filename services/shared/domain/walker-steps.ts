import type { RecordNode, SchemaNode } from './avro-schema.ts'

/** What a step does. Numbers and steps of one shape: a look at nodes of many shapes costs more than the bytes it decides on. */
export const opText = 0
export const opLong = 1
export const opFixed = 2
export const opInner = 3
const opOther = 4

export interface Step {
  readonly op: number
  readonly node: SchemaNode
  /** Where in `at` this field's start goes, or -1 when nobody asks for it. */
  readonly slot: number
  /** Bytes of a fixed. */
  readonly size: number
  /** Steps of a record, or one list a branch of a union, when something inside is captured. */
  readonly inner: readonly (readonly Step[])[]
}

function makeStep(node: SchemaNode, slot: number, inner?: readonly (readonly Step[])[]): Step {
  const size = node.kind === 'fixed' ? node.size : 0
  return { op: inner === undefined ? opOf(node) : opInner, node, slot, size, inner: inner ?? [] }
}

function opOf({ kind }: SchemaNode): number {
  if (kind === 'string' || kind === 'bytes') {
    return opText
  }
  return kind === 'long' ? opLong : kind === 'fixed' ? opFixed : opOther
}

/** The steps of a record. `captures` as `compileWalker` takes them; `nodes` is filled with each captured field's node. */
export function compileRecord(
  record: RecordNode,
  prefix: string,
  captures: readonly string[],
  nodes: Map<string, SchemaNode>,
): Step[] {
  return record.fields.map((field) => compileStep(field.node, prefix + field.name, captures, nodes))
}

function compileStep(
  node: SchemaNode,
  path: string,
  captures: readonly string[],
  nodes: Map<string, SchemaNode>,
): Step {
  const index = captures.indexOf(path)
  if (index >= 0) {
    nodes.set(path, node)
  }
  const wantsInside = captures.some((capture) => capture.startsWith(`${path}.`))
  const nullable = node.kind === 'union' && index >= 0
  if (node.kind === 'record' && wantsInside) {
    return makeStep(node, slotAt(index), [compileRecord(node, `${path}.`, captures, nodes)])
  }
  if (node.kind === 'union' && (wantsInside || nullable)) {
    const inner = node.branches.map((branch) => compileBranch(branch, path, captures, nodes))
    return makeStep(node, -1, inner)
  }
  return makeStep(node, slotAt(index))
}

function slotAt(index: number): number {
  return index >= 0 ? index * 2 : -1
}

function compileBranch(
  branch: SchemaNode,
  path: string,
  captures: readonly string[],
  nodes: Map<string, SchemaNode>,
): Step[] {
  if (branch.kind === 'null') {
    return []
  }
  const index = captures.indexOf(path)
  if (branch.kind === 'record') {
    const inside = compileRecord(branch, `${path}.`, captures, nodes)
    return index < 0 ? inside : [makeStep(branch, slotAt(index), [inside])]
  }
  return [makeStep(branch, slotAt(index))]
}
