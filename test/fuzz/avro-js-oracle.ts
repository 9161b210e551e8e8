import { createRequire } from 'node:module'

/** What avro-js makes of a body: its value, or the message with which it refuses it. */
export type Answer =
  { readonly accepts: true; readonly value: unknown } | { readonly accepts: false; readonly why: string }

interface Tap {
  readonly buf: Buffer
  readonly pos: number
}
interface Reader {
  _read(tap: Tap): unknown
}
interface Type extends Reader {
  fromBuffer(bytes: Buffer): unknown
}
interface Repeated extends Type {
  _items?: Reader
  _values?: Reader
}
type TypeHook = (json: { type?: unknown }, options: unknown) => Type | undefined
interface AvroJs {
  parse(schema: unknown, options?: { typeHook?: TypeHook }): Type
  types: Record<'ArrayType' | 'MapType', new (json: unknown, options: unknown) => Repeated> & {
    LongType: { using(methods: object): Type }
  }
}

/** The types that ship with the product name only what the product uses. */
const avro = createRequire(import.meta.url)('avro-js') as AvroJs

/** Items of one body over all of its arrays; a body of a few hundred bytes that holds more sends avro-js in circles. */
const itemsMax = 200_000
export const moreItemsThanBytes = 'stopped: more items than bytes'
export const inCircles = 'stopped: reads in circles'

/**
 * avro-js as the judge of one schema, with two changes, both by its own hooks. Longs are 64 bits wide (`LongType.using`):
 * as numbers avro-js refuses those beyond 2^53. And its arrays and maps stop where it would loop for hours: it believes any
 * item count, also one far beyond the body.
 */
export function createAvroJsOracle(schema: unknown): (body: Buffer) => Answer {
  let itemsLeft = 0
  const type = avro.parse(schema, {
    typeHook(json, options) {
      if (json.type === 'long') {
        return longOf64Bits()
      }
      if (json.type !== 'array' && json.type !== 'map') {
        return undefined
      }
      const repeated = new avro.types[json.type === 'array' ? 'ArrayType' : 'MapType'](json, options)
      bound(repeated, json.type === 'array' ? '_items' : '_values', () => {
        itemsLeft -= 1
        if (itemsLeft < 0) {
          throw new Error(inCircles)
        }
      })
      return repeated
    },
  })
  return (body) => {
    itemsLeft = itemsMax
    try {
      return { accepts: true, value: type.fromBuffer(body) }
    } catch (thrown) {
      return { accepts: false, why: (thrown as Error).message }
    }
  }
}

/** Lets an array read no more items than the body has bytes from where the array starts: the walker's own bound. */
function bound(repeated: Repeated, key: '_items' | '_values', onItem: () => void): void {
  const items = repeated[key]!
  let left = 0
  repeated[key] = {
    _read(tap) {
      left -= 1
      if (left < 0) {
        throw new Error(moreItemsThanBytes)
      }
      onItem()
      return items._read(tap)
    },
  }
  const readAll = repeated._read.bind(repeated)
  repeated._read = (tap) => {
    const outer = left
    left = tap.buf.length - tap.pos
    try {
      return readAll(tap)
    } finally {
      left = outer
    }
  }
}

function longOf64Bits(): Type {
  return avro.types.LongType.using({
    toBuffer(value: bigint) {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(value)
      return bytes
    },
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    fromJSON: BigInt,
    toJSON: String,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (left: bigint, right: bigint) => (left < right ? -1 : left > right ? 1 : 0),
  })
}
