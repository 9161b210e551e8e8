import type { SchemaNode } from './avro-schema.ts'
import { readVarint } from './walker.ts'

/**
 * Whether other Avro tools can read a body that a walk found well-formed. The walk proves where values stand; a tool also makes
 * something of them, and one text that is not UTF-8 or one day in the year 12,000 can stop it at a whole file (fastavro does).
 */
export interface PortableCheck {
  /** True when nothing in the body, which a walk has proved to start at `start` and to be well-formed, stops another tool. */
  (body: Uint8Array, start: number): boolean
}

/** The years 1 to 9999, which dates have in Python and in SQL. */
const dayBounds = [-719_162, 2_932_896] as const
const millisBounds = [dayBounds[0] * 86_400_000, (dayBounds[1] + 1) * 86_400_000 - 1] as const
/** As far as `readVarint` is exact. */
const exactBounds = [-(2 ** 52) + 1, 2 ** 52 - 1] as const

/** Values of logical types (Avro 1.12 specification, "Logical Types") that every tool can turn into its own. */
const bounds: Readonly<Record<string, readonly [number, number]>> = {
  date: dayBounds,
  'time-millis': [0, 86_399_999],
  'time-micros': [0, 86_399_999_999],
  'timestamp-millis': millisBounds,
  'local-timestamp-millis': millisBounds,
  'timestamp-micros': exactBounds,
  'local-timestamp-micros': exactBounds,
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function createPortableCheck(schema: SchemaNode): PortableCheck {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let bytes: Uint8Array = new Uint8Array(0)
  let at = 0
  let fits = true

  function long(): number {
    const value = readVarint(bytes, at)
    while (bytes[at++]! >= 0x80);
    return value
  }

  function text(logicalType: string | undefined): void {
    const end = long() + at
    const start = at
    while (at < end && bytes[at]! < 0x80) {
      at++
    }
    if (at < end || logicalType === 'uuid') {
      fits &&= isText(bytes.subarray(start, end), logicalType)
      at = end
    }
  }

  function isText(span: Uint8Array, logicalType: string | undefined): boolean {
    try {
      const decoded = utf8.decode(span)
      return logicalType !== 'uuid' || uuid.test(decoded)
    } catch {
      return false
    }
  }

  function visit(node: SchemaNode): void {
    switch (node.kind) {
      case 'null':
        return
      case 'boolean':
        at += 1
        return
      case 'int':
      case 'long': {
        const value = long()
        const bound = node.logicalType === undefined ? undefined : bounds[node.logicalType]
        fits &&= bound === undefined || (value >= bound[0] && value <= bound[1])
        return
      }
      case 'enum':
        long()
        return
      case 'float':
        at += 4
        return
      case 'double':
        at += 8
        return
      case 'fixed':
        at += node.size
        return
      case 'bytes': {
        const size = long()
        at += size
        return
      }
      case 'string':
        text(node.logicalType)
        return
      case 'union':
        visit(node.branches[long()]!)
        return
      case 'array':
      case 'map':
        visitBlocks(node)
        return
      case 'record':
        for (const field of node.fields) {
          visit(field.node)
        }
        return
    }
  }

  function visitBlocks({ kind, items }: { kind: 'array' | 'map'; items: SchemaNode }): void {
    for (let count = long(); count !== 0; count = long()) {
      if (count < 0) {
        // A block that says its size in bytes, too.
        long()
      }
      for (let left = Math.abs(count); left > 0; left--) {
        if (kind === 'map') {
          text(undefined)
        }
        visit(items)
      }
    }
  }

  return (body, start) => {
    bytes = body
    at = start
    fits = true
    visit(schema)
    return fits
  }
}
