import type { SchemaNode } from '../../services/shared/domain/avro-schema.ts'

/** What stands in a body, as the specification reads it. A union is an index and the branch's value; longs are bigint. */
export interface Found {
  readonly node: SchemaNode
  /** The content: text without its length, everything else whole. */
  readonly start: number
  readonly end: number
  readonly value:
    | null
    | boolean
    | number
    | bigint
    | string
    | Buffer
    | { readonly items: readonly Found[] }
    | { readonly entries: ReadonlyMap<string, Found> }
    | { readonly branch: number; readonly inner: Found }
    | { readonly fields: ReadonlyMap<string, Found> }
}

/** Why the specification, or a bound that the walker's own contract names, refuses a body. */
export type Refusal =
  | 'truncated'
  | 'varint beyond 64 bits'
  | 'negative length of text'
  | 'negative length of bytes'
  | 'length of text cut off'
  | 'no such branch'
  | 'no such symbol'
  | 'boolean beyond 1'
  | 'int beyond 32 bits'
  | 'wrong block size'
  | 'more items than bytes'

export interface Reading {
  /** The body's fields, or undefined when it is refused. */
  readonly found: Found | undefined
  /** Where the body ends, or why it is refused. */
  readonly end: number | Refusal
  /** Unions, arrays, maps and records around each other at the deepest place, the body's own record among them. */
  readonly deepest: number
}

class Refused extends Error {
  readonly why: Refusal
  constructor(why: Refusal) {
    super(why)
    this.why = why
  }
}

/**
 * A decoder straight from the Avro specification, with 64-bit arithmetic: the second judge beside avro-js, which takes any
 * byte for a boolean, varints of any length and ints beyond 32 bits, and on a wild item count loops for hours.
 */
export function readAvro(root: SchemaNode, body: Uint8Array): Reading {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  let position = 0
  let deepest = 0
  const refuse = (why: Refusal): never => {
    throw new Refused(why)
  }
  const take = (size: number): number => {
    if (size > bytes.length - position) {
      refuse('truncated')
    }
    position += size
    return position
  }
  const long = (whenCut: Refusal = 'truncated'): bigint => {
    let value = 0n
    for (let read = 0n; ; read++) {
      const byte = position < bytes.length ? BigInt(bytes[position++]!) : refuse(whenCut)
      if (read === 9n && byte > 1n) {
        refuse('varint beyond 64 bits')
      }
      value |= (byte & 0x7fn) << (read * 7n)
      if (byte < 0x80n) {
        return (value >> 1n) ^ -(value & 1n)
      }
    }
  }
  const size = (of: 'text' | 'bytes'): number => {
    const value = long(of === 'text' ? 'length of text cut off' : 'truncated')
    return value < 0n
      ? refuse(`negative length of ${of}`)
      : value > BigInt(bytes.length)
        ? refuse('truncated')
        : Number(value)
  }
  const blockSize = (): number => {
    const value = long()
    return value < 0n || value > BigInt(bytes.length - position) ? refuse('wrong block size') : Number(value)
  }
  const index = (count: number, why: Refusal): number => {
    const value = long()
    return value < 0n || value >= BigInt(count) ? refuse(why) : Number(value)
  }

  /** Items of an array or a map, block by block. */
  function blocks(readItem: () => void): void {
    let itemsLeft = BigInt(bytes.length - position)
    for (let count = long(); count !== 0n; count = long()) {
      // The size is read before the position it counts from.
      const blockEnd = count < 0n ? blockSize() + position : undefined
      count = count < 0n ? -count : count
      itemsLeft -= count
      if (itemsLeft < 0n) {
        refuse('more items than bytes')
      }
      for (; count > 0n; count--) {
        readItem()
      }
      if (blockEnd !== undefined && blockEnd !== position) {
        refuse('wrong block size')
      }
    }
  }

  function content(node: SchemaNode, depth: number): Found['value'] {
    switch (node.kind) {
      case 'null':
        return null
      case 'boolean': {
        const byte = bytes[take(1) - 1]!
        return byte > 1 ? refuse('boolean beyond 1') : byte === 1
      }
      case 'int': {
        const value = long()
        return value === BigInt.asIntN(32, value) ? Number(value) : refuse('int beyond 32 bits')
      }
      case 'long':
        return long()
      case 'float':
        return bytes.readFloatLE(take(4) - 4)
      case 'double':
        return bytes.readDoubleLE(take(8) - 8)
      case 'fixed':
        return bytes.subarray(position, take(node.size))
      case 'enum':
        return node.symbols[index(node.symbols.length, 'no such symbol')]!
      case 'union': {
        const branch = index(node.branches.length, 'no such branch')
        return { branch, inner: read(node.branches[branch]!, depth + 1) }
      }
      case 'record':
        return { fields: new Map(node.fields.map((field) => [field.name, read(field.node, depth + 1)])) }
      case 'array': {
        const items: Found[] = []
        blocks(() => items.push(read(node.items, depth + 1)))
        return { items }
      }
      case 'map': {
        const entries = new Map<string, Found>()
        blocks(() => {
          const length = size('text')
          const key = bytes.toString('utf8', position, take(length))
          entries.set(key, read(node.items, depth + 1))
        })
        return { entries }
      }
      case 'bytes':
      case 'string':
        throw new Error('text is read by its length')
    }
  }

  function read(node: SchemaNode, depth: number): Found {
    if (node.kind === 'bytes' || node.kind === 'string') {
      const length = size(node.kind === 'bytes' ? 'bytes' : 'text')
      const start = position
      const text = bytes.subarray(start, take(length))
      return { node, start, end: position, value: node.kind === 'bytes' ? text : text.toString('utf8') }
    }
    if (node.kind === 'union' || node.kind === 'array' || node.kind === 'map' || node.kind === 'record') {
      deepest = Math.max(deepest, depth + 1)
    }
    const start = position
    const value = content(node, depth)
    return { node, start, end: position, value }
  }

  try {
    const found = read(root, 0)
    return { found, end: position, deepest }
  } catch (thrown) {
    if (thrown instanceof Refused) {
      return { found: undefined, end: thrown.why, deepest }
    }
    throw thrown
  }
}
