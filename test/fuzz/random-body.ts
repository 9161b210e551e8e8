import type { Random } from '../../services/producer/random.ts'
import type { SchemaNode } from '../../services/shared/domain/avro-schema.ts'

export const bodyKinds = ['valid', 'mutated', 'truncated', 'extended', 'random'] as const
export type BodyKind = (typeof bodyKinds)[number]

export interface RandomBody {
  readonly kind: BodyKind
  readonly bytes: Buffer
  /** What would stand after a truncated body: a reader that looks past the end finds exactly what it misses. */
  readonly after: Buffer
}

/** No body grows much beyond this; what is nested takes its shortest form from here on. */
const bytesWanted = 400
const int32 = 2n ** 31n
const edges = [
  0n,
  -1n,
  1n,
  63n,
  -64n,
  64n,
  int32 - 1n,
  int32,
  -int32,
  -int32 - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]
/** Nine bytes and a tenth that holds more than the 64th bit. */
const beyond64Bits = [2, 3, 4].map((last) => Buffer.from([...new Array<number>(9).fill(0xff), last]))
const wild = [0, 1, 2, 3, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff]

export function randomBody(random: Random, node: SchemaNode): RandomBody {
  const kind = bodyKinds[random.integer(0, bodyKinds.length - 1)]!
  const none = Buffer.alloc(0)
  if (kind === 'random') {
    return { kind, bytes: noise(random, random.integer(0, random.chance(0.1) ? 300 : 40)), after: none }
  }
  const valid = writeRandom(random, node)
  // An empty body can't be cut or changed.
  if (kind === 'valid' || (valid.length === 0 && kind !== 'extended')) {
    return { kind: 'valid', bytes: valid, after: none }
  }
  if (kind === 'truncated') {
    const size = random.integer(0, valid.length - 1)
    return { kind, bytes: valid.subarray(0, size), after: valid.subarray(size) }
  }
  return kind === 'extended'
    ? { kind, bytes: Buffer.concat([valid, noise(random, random.integer(1, 16))]), after: none }
    : { kind, bytes: mutate(random, valid), after: none }
}

function noise(random: Random, size: number): Buffer {
  const wildness = random.unit()
  return Buffer.from(
    Array.from({ length: size }, () =>
      random.chance(wildness) ? wild[random.integer(0, 9)]! : random.integer(0, 255),
    ),
  )
}

function mutate(random: Random, valid: Buffer): Buffer {
  let bytes = valid
  for (let left = random.integer(1, 4); left > 0 && bytes.length > 0; left--) {
    const at = random.integer(0, bytes.length - 1)
    const before = bytes.subarray(0, at)
    const how = random.integer(0, 11)
    if (how <= 5) {
      const byte = how <= 1 ? bytes[at]! ^ (1 << random.integer(0, 7)) : noise(random, 1)[0]!
      bytes = Buffer.concat([before, Buffer.from([byte]), bytes.subarray(at + 1)])
    } else if (how <= 7) {
      bytes = Buffer.concat([before, noise(random, random.integer(1, 4)), bytes.subarray(at)])
    } else if (how === 8) {
      bytes = Buffer.concat([before, bytes.subarray(at + random.integer(1, 4))])
    } else if (how === 9) {
      bytes = Buffer.concat([before, beyond64Bits[random.integer(0, 2)]!, bytes.subarray(at + 1)])
    } else {
      const number = varint(edges[random.integer(0, edges.length - 1)]!, random.integer(0, 10))
      bytes = Buffer.concat([before, number, bytes.subarray(at + 1)])
    }
  }
  return bytes
}

/** Zigzag varint; `padding` more bytes than it needs, which the specification allows up to ten bytes in all. */
export function varint(value: bigint, padding = 0): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
  }
  bytes.push(Number(rest))
  for (; padding > 0; padding--) {
    bytes[bytes.length - 1]! |= 0x80
    bytes.push(0)
  }
  return Buffer.from(bytes)
}

/** A valid body, written straight from the schema, so that it also holds what avro-js never writes: blocks with their size. */
export function writeRandom(random: Random, root: SchemaNode): Buffer {
  let written = 0
  // Now and then deeper than the walker goes, where the schema refers to itself.
  const isDeep = random.chance(0.02)
  const depthWanted = isDeep ? random.integer(60, 70) : 40
  const number = (value: bigint): Buffer => {
    const plain = varint(value)
    return random.chance(0.02) ? varint(value, random.integer(0, 10 - plain.length)) : plain
  }
  const sized = (bytes: Buffer): Buffer => Buffer.concat([number(BigInt(bytes.length)), bytes])
  const drawn = (bits: number): bigint => {
    const edge = edges[random.integer(0, edges.length - 1)]!
    const any = random.chance(0.3) ? edge : BigInt(random.integer(-2_147_483_648, 2_147_483_647))
    return BigInt.asIntN(bits, random.chance(0.3) ? any * BigInt(random.bits()) : random.chance(0.5) ? any % 200n : any)
  }

  function blocks(items: SchemaNode, isMap: boolean, depth: number): Buffer {
    const parts: Buffer[] = []
    while (written < bytesWanted && depth < depthWanted && random.chance(0.5)) {
      const count = random.integer(1, 3)
      const block = Buffer.concat(
        Array.from({ length: count }, () => {
          const key = isMap ? sized(noise(random, random.integer(0, 3))) : Buffer.alloc(0)
          return Buffer.concat([key, write(items, depth + 1)])
        }),
      )
      parts.push(...(random.chance(0.3) ? [number(BigInt(-count)), sized(block)] : [number(BigInt(count)), block]))
    }
    return Buffer.concat([...parts, number(0n)])
  }

  function write(node: SchemaNode, depth: number): Buffer {
    const bytes = writeKind(node, depth)
    written += node.kind === 'record' || node.kind === 'union' ? 1 : bytes.length
    return bytes
  }

  function writeKind(node: SchemaNode, depth: number): Buffer {
    switch (node.kind) {
      case 'null':
        return Buffer.alloc(0)
      case 'boolean':
        return Buffer.from([random.integer(0, 1)])
      case 'int':
        return number(drawn(32))
      case 'long':
        return number(drawn(64))
      case 'float':
        return noise(random, 4)
      case 'double':
        return noise(random, 8)
      case 'fixed':
        return noise(random, node.size)
      case 'bytes':
        return sized(noise(random, random.integer(0, random.chance(0.1) ? 90 : 12)))
      case 'string':
        return sized(
          random.chance(0.2)
            ? noise(random, random.integer(0, 12))
            : Buffer.from('wörd ✓ text'.slice(0, random.integer(0, 11))),
        )
      case 'enum':
        return number(BigInt(random.integer(0, node.symbols.length - 1)))
      case 'union': {
        const nothing = node.branches.findIndex(({ kind }) => kind === 'null')
        const isLong = written >= bytesWanted || depth >= depthWanted
        const any = random.integer(0, node.branches.length - 1)
        const branch =
          isLong && nothing >= 0 ? nothing : isDeep && any === nothing ? node.branches.length - 1 - any : any
        return Buffer.concat([number(BigInt(branch)), write(node.branches[branch]!, depth + 1)])
      }
      case 'array':
      case 'map':
        return blocks(node.items, node.kind === 'map', depth)
      case 'record':
        return Buffer.concat(node.fields.map((field) => write(field.node, depth + 1)))
    }
  }
  return write(root, 0)
}
