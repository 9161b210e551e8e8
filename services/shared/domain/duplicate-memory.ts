/**
 * Remembers which event ids stood in the last W offsets of one partition.
 *
 * A copy is a duplicate when an earlier copy, accepted or itself a duplicate, lies at most W offsets back. Ids are compared
 * whole (16 bytes), so two events are never taken for one. As in a sliding-window compressor, offsets are chained by the
 * hash of their id, newest first, in a ring larger than the window: whatever lies further back than W ends the chain, so
 * nothing is ever moved, cleared or rehashed. At W = 200,000 it takes 8 MB a partition, touched only as it is filled.
 */
export interface DuplicateMemory {
  /** Whether the id at `bytes[start..start+16)` is a duplicate at this offset; it is remembered either way. Offsets must rise. */
  seenBefore(bytes: Uint8Array, start: number, offset: number): boolean
}

export function createDuplicateMemory(windowOffsets: number): DuplicateMemory {
  // Larger than the window, so that the place of an offset within it has not been taken by a later one. An offset's place is
  // `offset & mask`: the operator takes the low 32 bits of it, which hold all that a ring needs.
  const places = 2 ** Math.ceil(Math.log2(windowOffsets + 1))
  const mask = places - 1
  const ids = new Int32Array(places * 4)
  // Offsets plus one, so that 0 is "none" and fresh memory needs no filling. As doubles: exact below 2^53.
  const newest = new Float64Array(places)
  const earlier = new Float64Array(places)

  return {
    seenBefore(bytes, start, offset) {
      const a = word(bytes, start)
      const b = word(bytes, start + 4)
      const c = word(bytes, start + 8)
      const d = word(bytes, start + 12)
      const chain = mix(a, b, c, d) & mask
      const head = newest[chain]!
      const oldest = offset - windowOffsets + 1
      let found = head
      while (found >= oldest && found > 0) {
        const at = ((found - 1) & mask) * 4
        if (ids[at + 3] === d && ids[at + 2] === c && ids[at + 1] === b && ids[at] === a) {
          break
        }
        found = earlier[at >> 2]!
      }
      const place = offset & mask
      const at = place * 4
      ids[at] = a
      ids[at + 1] = b
      ids[at + 2] = c
      ids[at + 3] = d
      earlier[place] = head
      newest[chain] = offset + 1
      return found >= oldest && found > 0
    },
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** murmur3's finaliser over the four words: a UUID's first bytes are a clock and spread badly by themselves. */
function mix(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ Math.imul(b, 0x85ebca6b), 0xc2b2ae35) ^ Math.imul(c, 0x27d4eb2f) ^ Math.imul(d, 0x165667b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
