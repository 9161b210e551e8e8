import type { SchemaNode } from './avro-schema.ts'
import { ecosystemBounds } from './ecosystem-bounds.ts'
import { createFieldChecks } from './field-checks.ts'
import type { ArrayColumn } from './native-columns.ts'
import { number, text } from './stream-fields.ts'
import { schemaFault, type StreamField } from './stream.ts'
import { compileWalker, readVarint } from './walker.ts'

/** Claims an order may hold at most. */
export const claimsMax = 16

const fields: readonly StreamField[] = [
  text('product', ecosystemBounds.identifier),
  text('ground', ecosystemBounds.identifier),
  number('touchedAt', ecosystemBounds.time),
]
const slotsOfClaim = fields.length * 2
const checkClaim = createFieldChecks(fields)

/** Reads the claims of one order at a time, whatever else the writer's claims hold and in whatever order. */
export interface ClaimReader {
  /** Whether the array at `body[start..end)`, which a walk has proved, holds at most 16 claims within their bounds. */
  read(body: Uint8Array, start: number, end: number): boolean
  /** Writes what was read last as a row of three lists. */
  append(body: Uint8Array, lists: ClaimLists): void
}

export interface ClaimLists {
  readonly products: ArrayColumn
  readonly grounds: ArrayColumn
  /** Milliseconds since 1970-01-01 UTC. */
  readonly touches: ArrayColumn
}

/** A writer whose claims are something else has none that can be read: each of its orders is then out of bounds. */
export function createClaimReader(claims: SchemaNode | undefined): ClaimReader {
  const item = claims?.kind === 'array' ? claims.items : undefined
  const walker =
    item?.kind === 'record' && schemaFault({ fields }, item) === undefined
      ? compileWalker(
          item,
          fields.map(({ path }) => path),
        )
      : undefined
  const spans = Array.from({ length: claimsMax }, () => new Int32Array(slotsOfClaim))
  let count = 0

  return {
    read(body, start, end) {
      count = 0
      if (walker === undefined) {
        return false
      }
      let position = start
      for (;;) {
        let left = readVarint(body, position)
        position = afterVarint(body, position)
        if (left === 0) {
          return true
        }
        if (left < 0) {
          // The size of the block in bytes follows, for readers that skip it.
          left = -left
          position = afterVarint(body, position)
        }
        for (; left > 0; left--) {
          const at = spans[count]
          if (at === undefined) {
            return false
          }
          position = walker.walk(body, position, end, at)
          if (position < 0 || checkClaim(body, at) >= 0) {
            return false
          }
          count += 1
        }
      }
    },
    append(body, { products, grounds, touches }) {
      for (let index = 0; index < count; index++) {
        const at = spans[index]!
        products.items.counted(body, at[0]!, at[1]!)
        grounds.items.counted(body, at[2]!, at[3]!)
        touches.items.int64(readVarint(body, at[4]!))
      }
      for (const list of [products, grounds, touches]) {
        list.endRow(count)
      }
    },
  }
}

function afterVarint(body: Uint8Array, position: number): number {
  while (body[position]! >= 0x80) {
    position += 1
  }
  return position + 1
}
