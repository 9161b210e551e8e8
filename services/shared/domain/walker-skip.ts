import type { SchemaNode } from './avro-schema.ts'

/**
 * Skips values of any type in an Avro body: what the generated code of a walker (walker-code.ts) leaves to it, and what decides
 * when one is malformed. Positions are offsets into the bytes; -1 is "malformed". It never reads outside of them.
 */
export interface Skipper {
  /** The body to skip in: values end before `end`. */
  begin(bytes: Uint8Array, end: number): void
  /** Reads a zigzag varint; returns the position after it, or -1. Its value is `value()`. */
  readLong(position: number): number
  /** What the last varint held; exact below 2^52, and at least that large beyond: more than any length, count or index. */
  value(): number
  /** Skips a long without working out its value. */
  skipLong(position: number): number
  /** Skips one value of the node; returns the position after it, or -1. */
  skip(node: SchemaNode, position: number): number
}

/** Nesting deeper than this is refused as malformed: a schema that refers to itself could otherwise exhaust the stack. */
const depthMax = 64

export function createSkipper(): Skipper {
  let bytes: Uint8Array = new Uint8Array(0)
  let end = 0
  let varint = 0

  /** Reads a zigzag varint at `position`; returns the position after it, or -1. */
  function readLong(position: number): number {
    if (position >= end) {
      return -1
    }
    const first = bytes[position]!
    if (first < 0x80) {
      varint = (first >>> 1) ^ -(first & 1)
      return position + 1
    }
    return readLongerLong(position)
  }

  function readLongerLong(position: number): number {
    let value = 0
    let scale = 1
    for (let read = 0; read < 10; read++) {
      if (position >= end) {
        return -1
      }
      const byte = bytes[position++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        // The tenth byte holds the 64th bit alone.
        if (read === 9 && byte > 1) {
          return -1
        }
        varint = value % 2 === 0 ? value / 2 : -(value + 1) / 2
        return position
      }
      scale *= 128
    }
    return -1
  }

  /** Skips one value of the node at `position`; returns the position after it, or -1. */
  function skip(node: SchemaNode, position: number, depth: number): number {
    switch (node.kind) {
      case 'null':
        return position
      case 'boolean':
        return position < end && bytes[position]! <= 1 ? position + 1 : -1
      case 'int':
        return skipInt(position)
      case 'long':
        return readLong(position)
      case 'float':
        return position + 4 <= end ? position + 4 : -1
      case 'double':
        return position + 8 <= end ? position + 8 : -1
      case 'fixed':
        return position + node.size <= end ? position + node.size : -1
      case 'bytes':
      case 'string':
        return skipSized(position)
      case 'enum':
        position = readLong(position)
        return position < 0 || varint < 0 || varint >= node.symbols.length ? -1 : position
      case 'union': {
        position = readLong(position)
        const branch = position < 0 ? undefined : node.branches[varint]
        return branch === undefined || depth >= depthMax ? -1 : skip(branch, position, depth + 1)
      }
      case 'array':
      case 'map':
        return depth >= depthMax ? -1 : skipBlocks(node, position, depth)
      case 'record':
        if (depth >= depthMax) {
          return -1
        }
        for (const field of node.fields) {
          position = skip(field.node, position, depth + 1)
          if (position < 0) {
            return -1
          }
        }
        return position
    }
  }

  function skipInt(position: number): number {
    position = readLong(position)
    return position < 0 || varint > 2_147_483_647 || varint < -2_147_483_648 ? -1 : position
  }

  function skipSized(position: number): number {
    position = readLong(position)
    return position < 0 || varint < 0 || varint > end - position ? -1 : position + varint
  }

  function skipBlocks(node: { kind: 'array' | 'map'; items: SchemaNode }, position: number, depth: number): number {
    // An item may take no bytes at all (null), so the count needs a bound of its own: no more items than the body has bytes.
    let itemsLeft = end - position
    for (;;) {
      position = readLong(position)
      if (position < 0) {
        return -1
      }
      let count = varint
      if (count === 0) {
        return position
      }
      let blockEnd = -1
      if (count < 0) {
        count = -count
        position = readLong(position)
        if (position < 0 || varint < 0 || varint > end - position) {
          return -1
        }
        blockEnd = position + varint
      }
      itemsLeft -= count
      if (itemsLeft < 0) {
        return -1
      }
      for (let item = 0; item < count; item++) {
        const itemStart = position
        if (node.kind === 'map') {
          position = skipSized(position)
        }
        position = position < 0 ? -1 : skip(node.items, position, depth + 1)
        if (position < 0) {
          return -1
        }
        if (position === itemStart) {
          // A type that once takes no bytes never does: the rest needs no walk (nested, it would cost the square of the body).
          break
        }
      }
      if (blockEnd >= 0 && blockEnd !== position) {
        return -1
      }
    }
  }

  /** Skips a long without working out its value. */
  function skipLong(position: number): number {
    const limit = position + 10
    while (position < end) {
      const byte = bytes[position++]!
      if (byte < 0x80) {
        // The tenth byte holds the 64th bit alone.
        return position === limit && byte > 1 ? -1 : position
      }
      if (position === limit) {
        return -1
      }
    }
    return -1
  }

  return {
    begin(body, bodyEnd) {
      bytes = body
      end = bodyEnd
    },
    readLong,
    value: () => varint,
    skipLong,
    skip: (node, position) => skip(node, position, 0),
  }
}
