import type { Random } from '../../services/producer/random.ts'

/** Prefixes of each other, so that a path `a.b` is told from a field `ab`. */
const fieldNames = ['a', 'ab', 'a_b', 'b', 'ba', 'c', 'd', 'e']
const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
const logical: readonly ((name: string) => unknown)[] = [
  () => ({ type: 'int', logicalType: 'date' }),
  () => ({ type: 'int', logicalType: 'time-millis' }),
  () => ({ type: 'long', logicalType: 'timestamp-millis' }),
  () => ({ type: 'long', logicalType: 'timestamp-micros' }),
  () => ({ type: 'string', logicalType: 'uuid' }),
  () => ({ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }),
  (name) => ({ type: 'fixed', name, size: 8, logicalType: 'decimal', precision: 9, scale: 2 }),
  (name) => ({ type: 'fixed', name, size: 12, logicalType: 'duration' }),
]
const depthMax = 4

/**
 * JSON of a random record schema: every type of Avro, named types used again, records that refer to themselves, logical
 * types, namespaces.
 */
export function randomSchema(random: Random): unknown {
  let named = 0
  /** Types that stand complete, so that a later field may name them. */
  const known: string[] = []
  const pick = <T>(list: readonly T[]): T => list[random.integer(0, list.length - 1)]!

  function name(): string {
    named += 1
    return `${random.chance(0.2) ? `space${random.integer(1, 2)}.` : ''}N${named}`
  }

  function record(depth: number, own = name()): unknown {
    const count = random.integer(random.chance(0.05) ? 0 : 1, depth === 0 ? 7 : 4)
    const names = fieldNames.slice(0, count)
    const fields = names.map((field) => ({ name: field, type: type(depth + 1) }))
    if (depth > 0 && random.chance(0.15)) {
      fields.push({ name: 'next', type: random.chance(0.7) ? ['null', own] : { type: 'array', items: own } })
    }
    return { type: 'record', name: own, namespace: 'n', fields }
  }

  function union(depth: number): unknown {
    const branches: unknown[] = []
    const taken = new Set<string>()
    for (let left = random.integer(1, 4); left > 0; left--) {
      const knownBefore = known.length
      const branch = type(depth + 1)
      const { type: kind, name: own } = (typeof branch === 'string' ? { type: branch } : branch) as {
        type: string
        name?: string
      }
      const key = own ?? kind
      if (!Array.isArray(branch) && !taken.has(key)) {
        taken.add(key)
        branches.push(branch)
      } else {
        known.length = knownBefore
      }
    }
    if (!taken.has('null') && (branches.length === 0 || random.chance(0.8))) {
      branches.splice(random.integer(0, branches.length), 0, 'null')
    }
    return branches
  }

  function type(depth: number): unknown {
    const draw = random.unit()
    if (depth >= depthMax || draw < 0.35) {
      return pick(primitives)
    }
    if (draw < 0.45) {
      return pick(logical)(`n.N${(named += 1)}`)
    }
    if (draw < 0.5 && known.length > 0) {
      return pick(known)
    }
    if (draw < 0.6) {
      const own = `n.N${(named += 1)}`
      known.push(own)
      return random.chance(0.5)
        ? { type: 'fixed', name: own, size: pick([1, 4, 16, 70]) }
        : { type: 'enum', name: own, symbols: Array.from({ length: pick([1, 2, 5, 70]) }, (_, at) => `S${at}`) }
    }
    if (draw < 0.68) {
      return { type: 'array', items: type(depth + 1) }
    }
    if (draw < 0.76) {
      return { type: 'map', values: type(depth + 1) }
    }
    return draw < 0.88 ? union(depth) : record(depth)
  }

  return record(0, 'n.Root')
}
