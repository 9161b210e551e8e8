import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/** A stream of random draws. Two streams with the same words give the same draws. */
export interface Random {
  /** Uniform in [0, 1). */
  unit(): number
  /** Uniform integer, both ends included. */
  integer(low: number, high: number): number
  /** Standard normal. */
  normal(): number
  /** 32 random bits as an unsigned integer. */
  bits(): number
  chance(probability: number): boolean
}

/**
 * A stream of its own for each purpose, named by words (the seed, a household's index, a day, ...). So a household's
 * draws do not depend on how many others there are, and a day can be drawn again without the days before it.
 *
 * Each state word is hashed from all the words: xoroshiro's first outputs from neighbouring seeds are alike.
 */
export function createRandom(...words: number[]): Random {
  const generator = xoroshiro128plusFromState([1, 2, 3, 4].map((salt) => hashWords(salt, words)))

  const unit = () => uniformFloat64(generator)
  return {
    unit,
    integer: (low, high) => uniformInt(generator, low, high),
    // Box-Muller; 1 - unit is never 0, so the logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    bits: () => generator.next() >>> 0,
    chance: (probability) => unit() < probability,
  }
}

/** A sampler over weighted values: values with their weights in, a function of a uniform draw out. */
export function createPicker<T>(weighted: readonly (readonly [T, number])[]): (random: Random) => T {
  const values = weighted.map(([value]) => value)
  const upTo = new Float64Array(weighted.length)
  let total = 0
  weighted.forEach(([, weight], index) => {
    total += weight
    upTo[index] = total
  })
  return (random) => {
    const target = random.unit() * total
    let low = 0
    let high = values.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (upTo[middle]! > target) {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return values[low]!
  }
}

/** A UUID version 7 (RFC 9562): 48 bits of milliseconds, the rest random. */
export function uuidV7(timestampMs: number, random: Random): Buffer {
  const id = Buffer.allocUnsafe(16)
  id.writeUIntBE(timestampMs, 0, 6)
  id.writeUInt32BE(random.bits(), 6)
  id.writeUInt32BE(random.bits(), 10)
  id.writeUInt16BE(random.bits() & 0xffff, 14)
  id[6] = 0x70 | (id[6]! & 0x0f)
  id[8] = 0x80 | (id[8]! & 0x3f)
  return id
}

/** MurmurHash3's mixing over the words and a salt. */
function hashWords(salt: number, words: readonly number[]): number {
  let hash = Math.imul(salt, 0x9e3779b9)
  for (const word of words) {
    hash = Math.imul(hash ^ mix(word | 0), 0x85ebca6b) + 0xe6546b64
  }
  return mix(hash)
}

function mix(word: number): number {
  let hash = word ^ (word >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
