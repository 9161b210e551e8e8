/**
 * Answers kept by a run of bytes: an intent or a list of plans comes back millions of times, so its text is decoded and
 * judged once. Bounded: a flood of distinct spans empties it instead of filling memory.
 */
export interface SpanCache<T> {
  get(bytes: Uint8Array, start: number, end: number): T
}

interface Entry<T> {
  readonly bytes: Uint8Array
  readonly value: T
}

export function createSpanCache<T>(make: (span: Uint8Array) => T, entriesMax = 4_096): SpanCache<T> {
  const mask = entriesMax * 2 - 1
  let slots = new Array<Entry<T> | undefined>(entriesMax * 2).fill(undefined)
  let count = 0
  return {
    get(bytes, start, end) {
      let slot = hashOf(bytes, start, end) & mask
      for (;;) {
        const entry = slots[slot]
        if (entry === undefined) {
          break
        }
        if (sameBytes(entry.bytes, bytes, start, end)) {
          return entry.value
        }
        slot = (slot + 1) & mask
      }
      if (count >= entriesMax) {
        slots = new Array<Entry<T> | undefined>(entriesMax * 2).fill(undefined)
        count = 0
        slot = hashOf(bytes, start, end) & mask
      }
      const copy = bytes.slice(start, end)
      const entry: Entry<T> = { bytes: copy, value: make(copy) }
      slots[slot] = entry
      count += 1
      return entry.value
    },
  }
}

/** FNV-1a; entriesMax must be a power of two for the mask. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  }
  return hash ^ (hash >>> 15)
}

function sameBytes(kept: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (kept.length !== end - start) {
    return false
  }
  for (let at = 0; at < kept.length; at++) {
    if (kept[at] !== bytes[start + at]) {
      return false
    }
  }
  return true
}
