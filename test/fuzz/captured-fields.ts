import type { Random } from '../../services/producer/random.ts'
import type { RecordNode, SchemaNode } from '../../services/shared/domain/avro-schema.ts'
import { readVarint } from '../../services/shared/domain/walker.ts'
import { readAvro, type Found } from '../support/avro-reference.ts'
import { isSame, unwrapped } from './same-value.ts'

/** `readVarint` is exact below it. */
const exactMax = 2n ** 52n

/** A random choice among all paths of a schema that a walker can capture, and one that no schema here has. */
export function randomCaptures(random: Random, root: RecordNode): string[] {
  const paths = new Set(['absent', ...pathsOf(root, '', 0)])
  const share = random.unit()
  return [...paths].filter(() => random.chance(share))
}

/** A record that refers to itself has paths without end; three levels of it are enough. */
function pathsOf(record: RecordNode, prefix: string, depth: number): string[] {
  return record.fields.flatMap(({ name, node }) => {
    const records = (node.kind === 'union' ? node.branches : [node]).filter(({ kind }) => kind === 'record')
    const inside =
      depth >= 3 ? [] : records.flatMap((inner) => pathsOf(inner as RecordNode, `${prefix}${name}.`, depth + 1))
    return [prefix + name, ...inside]
  })
}

/**
 * Why the walker's spans are wrong, or undefined when every captured field stands where the specification has it, and its
 * bytes alone decode to avro-js' value. `theirs` is undefined when avro-js gave none.
 */
export function wrongCapture(
  captured: { captures: readonly string[]; body: Buffer; at: Int32Array },
  found: Found,
  theirs: unknown,
): string | undefined {
  const { captures, body, at } = captured
  for (const [index, path] of captures.entries()) {
    const start = at[index * 2]!
    const end = at[index * 2 + 1]!
    const wanted = descend(found, theirs, path.split('.'))
    if (wanted === undefined ? start !== -1 || end !== -1 : start !== wanted.found.start || end !== wanted.found.end) {
      return `${path} captured at ${start}..${end}, stands at ${wanted?.found.start ?? -1}..${wanted?.found.end ?? -1}`
    }
    if (
      wanted !== undefined &&
      theirs !== undefined &&
      !decodesTo(wanted.found.node, body, start, end, wanted.theirs)
    ) {
      return `${path} at ${start}..${end} decodes to another value than that of avro-js`
    }
  }
  return undefined
}

/** The field at the end of a path, in both values; undefined when a null branch, or another record's branch, stands there. */
function descend(
  found: Found,
  theirs: unknown,
  path: readonly string[],
): { found: Found; theirs: unknown } | undefined {
  let here = { found, theirs }
  for (const name of path) {
    const { value } = here.found
    if (value === null || typeof value !== 'object' || !('fields' in value)) {
      return undefined
    }
    const field = value.fields.get(name)
    if (field === undefined) {
      return undefined
    }
    here = { found: field, theirs: (here.theirs as Record<string, unknown> | undefined)?.[name] }
    const inner = field.value
    if (inner !== null && typeof inner === 'object' && 'branch' in inner) {
      if (inner.inner.node.kind === 'null') {
        return undefined
      }
      here = {
        found: inner.inner,
        theirs: here.theirs === undefined ? undefined : unwrapped(inner.inner.node, here.theirs),
      }
    }
  }
  return here
}

function decodesTo(node: SchemaNode, body: Buffer, start: number, end: number, theirs: unknown): boolean {
  if (node.kind === 'string') {
    return body.toString('utf8', start, end) === theirs
  }
  if (node.kind === 'bytes') {
    return body.subarray(start, end).equals(theirs as Buffer)
  }
  if (node.kind === 'int' || node.kind === 'long') {
    const value = BigInt(theirs as number | bigint)
    const isExact = value < exactMax && value > -exactMax
    const read = readVarint(body, start)
    if (isExact ? read !== Number(value) : Math.abs(read) < Number(exactMax)) {
      return false
    }
  }
  if (node.kind === 'enum' && node.symbols[readVarint(body, start)] !== theirs) {
    return false
  }
  // Zeros for the rest of the body: items that take no bytes are bounded by what follows them.
  const alone = readAvro(node, Buffer.concat([body.subarray(start, end), Buffer.alloc(body.length - end)]))
  return alone.found !== undefined && alone.end === end - start && isSame(alone.found, theirs)
}
