import type { SchemaNode } from './avro-schema.ts'
import { createSkipper, type Skipper } from './walker-skip.ts'
import { opFixed, opInner, opLong, opText, type Step } from './walker-steps.ts'

/** As `Walker.walk`. */
type Walk = (bytes: Uint8Array, start: number, end: number, at: Int32Array) => number

/**
 * Makes one straight run of code from a schema's steps, so that no step is looked up while an event is walked. What is rare or
 * long (varints of several bytes, maps, filled arrays) is left to the skipper.
 *
 * The code holds numbers and names of ours alone; nothing that a schema's author wrote gets into it.
 */
export function generateWalk(steps: readonly Step[], slots: number): Walk {
  const nodes: SchemaNode[] = []
  const lines = writeSteps(steps, nodes)
  const noneYet = Array.from({ length: slots }, (_, slot) => `at[${slot}] = -1`)
  const body = `'use strict'
const { begin, readLong, value, skipLong, skip } = skipper
${nodes.map((_, index) => `const node${index} = nodes[${index}]`).join('\n')}
return function walk(bytes, start, end, at) {
let p = start, n = 0
begin(bytes, end)
${noneYet.join('\n')}
${lines.join('\n')}
return p
}`
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above: no text of a schema is in it
  const link = new Function('skipper', 'nodes', body) as (skipper: Skipper, nodes: readonly SchemaNode[]) => Walk
  return link(createSkipper(), nodes)
}

/** The code of some steps. `nodes` gets those that the skipper is asked for. */
function writeSteps(steps: readonly Step[], nodes: SchemaNode[]): string[] {
  return steps.flatMap((step) => {
    const { op, slot } = step
    if (op === opText) {
      return [
        ...writeVarint,
        'if (n < 0 || n > end - p) return -1',
        keep(slot, 'p'),
        'p += n',
        keep(slot + 1, 'p', slot),
      ]
    }
    return [keep(slot, 'p'), ...writeOther(step, nodes), keep(slot + 1, 'p', slot)]
  })
}

function writeOther(step: Step, nodes: SchemaNode[]): string[] {
  const { op, node } = step
  if (op === opLong) {
    return ['p = skipLong(p)', 'if (p < 0) return -1']
  }
  if (op === opFixed) {
    return [`if (p + ${step.size} > end) return -1`, `p += ${step.size}`]
  }
  if (op === opInner) {
    return node.kind === 'union' ? writeUnion(step, nodes) : writeSteps(step.inner[0]!, nodes)
  }
  const index = nodes.push(node) - 1
  const skip = [`p = skip(node${index}, p)`, 'if (p < 0) return -1']
  const short = shortForm(node)
  return short === undefined ? skip : [`if (p < end && ${short}) p += 1`, 'else {', ...skip, '}']
}

/** When a value of this type is one byte long and well-formed. */
function shortForm(node: SchemaNode): string | undefined {
  if (node.kind === 'enum') {
    // Zigzag: an even byte below twice the number of symbols.
    return `(bytes[p] & 1) === 0 && bytes[p] < ${Math.min(0x80, node.symbols.length * 2)}`
  }
  if (node.kind === 'int') {
    return 'bytes[p] < 0x80'
  }
  return node.kind === 'array' || node.kind === 'map' ? 'bytes[p] === 0' : undefined
}

function writeUnion({ inner }: Step, nodes: SchemaNode[]): string[] {
  const branches = inner.flatMap((steps, branch) => [`case ${branch}: {`, ...writeSteps(steps, nodes), 'break', '}'])
  return [...writeVarint, 'switch (n) {', ...branches, 'default: return -1', '}']
}

/** Reads a varint into `n`. */
const writeVarint = [
  'if (p >= end) return -1',
  'n = bytes[p]',
  'if (n < 0x80) { p += 1; n = (n >>> 1) ^ -(n & 1) }',
  'else { p = readLong(p); if (p < 0) return -1; n = value() }',
]

function keep(slot: number, what: string, asked = slot): string {
  return asked < 0 ? '' : `at[${slot}] = ${what}`
}
