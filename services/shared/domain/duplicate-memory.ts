/**
 * Remembers which event ids stood in the last W offsets of one partition.
 *
 * A copy is a duplicate when an earlier copy, accepted or itself a duplicate, lies at most W offsets back. Ids are compared
 * whole (16 bytes), so two events are never taken for one. As in a sliding-window compressor, ids stand in a ring larger
 * than the window, at the place of their offset, and places are chained by the hash of their id, newest first. Whatever is
 * further back than W ends a chain, so nothing is ever moved, cleared or rehashed.
 *
 * What limits it is the memory's latency: a look-up in 9 MB is a wait for main memory, as long as all else that is known of an
 * id takes. So a filter of 0.5 MB says of most ids that they are new, and new ones wait until many are chained in one loop,
 * where their waits overlap; an id that the filter has seen is looked up after those before it were chained. A link is
 * 4 bytes: a place, and beside it as much of the hash as there is room for, so that the id of another event is read once
 * in thousands.
 */
export interface DuplicateMemory {
  /** Whether the id at `bytes[start..start+16)` is a duplicate at this offset; it is remembered either way. Offsets must rise. */
  seenBefore(bytes: Uint8Array, start: number, offset: number): boolean
}

const waitingMax = 64

export function createDuplicateMemory(windowOffsets: number): DuplicateMemory {
  // Larger than the window, so that the place of an offset within it has not been taken by a later one. An offset's place is
  // `offset & mask`: the operator takes the low 32 bits of it, which hold all that a ring needs.
  const places = 2 ** Math.ceil(Math.log2(windowOffsets + 1))
  const mask = places - 1
  const chainMask = places * 2 - 1
  const ids = new Int32Array(places * 4)
  const newest = new Int32Array(places * 2)
  const earlier = new Int32Array(places)
  // Offsets plus one, so that 0 is "none" and fresh memory needs no filling. As doubles: exact below 2^53.
  const offsets = new Float64Array(places)
  // Two of 16 bits for each id of this round of the ring; above them those of the round before, which holds the rest of the window.
  const filter = new Int32Array(Math.max(places / 2, 1))
  const filterMask = filter.length - 1
  let round = 0
  // Places of one round that are in no chain yet. Meanwhile `earlier` has their hash.
  const waiting = new Int32Array(waitingMax)
  let waitingCount = 0

  function startRound(next: number): void {
    chainWaiting()
    for (let at = 0; at < filter.length; at++) {
      filter[at] = next === round + 1 ? filter[at]! << 16 : 0
    }
    round = next
  }

  function chainWaiting(): void {
    for (let index = 0; index < waitingCount; index++) {
      const place = waiting[index]!
      const hash = earlier[place]!
      const chain = (hash >>> 7) & chainMask
      earlier[place] = newest[chain]!
      newest[chain] = (hash & ~mask) | place
    }
    waitingCount = 0
  }

  /** Whether the filter has seen such a hash; it has from now on. */
  function mayBeKnown(hash: number): boolean {
    const at = (hash >>> 8) & filterMask
    const bits = (1 << (hash & 15)) | (1 << ((hash >>> 4) & 15))
    const known = filter[at]!
    filter[at] = known | bits
    return (known & bits) === bits || ((known >>> 16) & bits) === bits
  }

  function isId(place: number, a: number, b: number, c: number, d: number): boolean {
    const at = place * 4
    return ids[at + 3] === d && ids[at + 2] === c && ids[at + 1] === b && ids[at] === a
  }

  return {
    seenBefore(bytes, start, offset) {
      const a = word(bytes, start)
      const b = word(bytes, start + 4)
      const c = word(bytes, start + 8)
      const d = word(bytes, start + 12)
      const hash = mix(a, b, c, d)
      const place = offset & mask
      const offsetRound = Math.floor(offset / places)
      if (offsetRound !== round) {
        startRound(offsetRound)
      }
      let seen = false
      if (mayBeKnown(hash)) {
        chainWaiting()
        const tag = hash & ~mask
        // Along a chain places get older; one that does not is from an earlier round of the ring, and ends it. So may others be,
        // where offsets were skipped: a place is believed only when its offset says so.
        for (let age = 0, link = newest[(hash >>> 7) & chainMask]!; ; link = earlier[link & mask]!) {
          const older = (place - link) & mask
          if (older <= age || older > windowOffsets) {
            break
          }
          age = older
          if ((link & ~mask) === tag && isId(link & mask, a, b, c, d)) {
            seen = offset - (offsets[link & mask]! - 1) <= windowOffsets && offsets[link & mask]! > 0
            break
          }
        }
      }
      const at = place * 4
      ids[at] = a
      ids[at + 1] = b
      ids[at + 2] = c
      ids[at + 3] = d
      offsets[place] = offset + 1
      earlier[place] = hash
      waiting[waitingCount] = place
      waitingCount += 1
      if (waitingCount === waitingMax) {
        chainWaiting()
      }
      return seen
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
