/**
 * Answers kept by a run of bytes: an intent or a list of plans comes back millions of times, so its text is decoded and
 * judged once. Bounded: a flood of distinct spans empties it instead of filling memory.
 *
 * On the hot path, ten times an event: four bytes are hashed and compared at a time.
 */
export interface SpanCache<T> {
  /** The answer for `view[start..end)`. */
  get(view: DataView, start: number, end: number): T
}

interface Entry<T> {
  readonly span: DataView
  readonly value: T
}

/** `entriesMax` is a power of two. */
export function createSpanCache<T>(make: (span: Uint8Array) => T, entriesMax = 4_096): SpanCache<T> {
  const mask = entriesMax * 2 - 1
  let slots = new Array<Entry<T> | undefined>(entriesMax * 2).fill(undefined)
  let count = 0
  return {
    get(view, start, end) {
      const hash = hashOf(view, start, end)
      let slot = hash & mask
      for (;;) {
        const entry = slots[slot]
        if (entry === undefined) {
          break
        }
        if (sameBytes(entry.span, view, start, end)) {
          return entry.value
        }
        slot = (slot + 1) & mask
      }
      if (count >= entriesMax) {
        slots = new Array<Entry<T> | undefined>(entriesMax * 2).fill(undefined)
        count = 0
        slot = hash & mask
      }
      const copy = new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice()
      const entry: Entry<T> = { span: new DataView(copy.buffer), value: make(copy) }
      slots[slot] = entry
      count += 1
      return entry.value
    },
  }
}

/** Murmur3's mixing of words; the last one may overlap the one before it. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = end - start
  const last = end - 4
  if (last < start) {
    for (let at = start; at < end; at++) {
      hash = Math.imul(hash ^ view.getUint8(at), 0x01000193)
    }
  } else {
    for (let at = start; at < last; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), 0x85ebca6b)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ view.getInt32(last, true), 0xc2b2ae35)
  }
  return hash ^ (hash >>> 15)
}

function sameBytes(kept: DataView, view: DataView, start: number, end: number): boolean {
  const size = end - start
  if (kept.byteLength !== size) {
    return false
  }
  const last = size - 4
  if (last < 0) {
    for (let at = 0; at < size; at++) {
      if (kept.getUint8(at) !== view.getUint8(start + at)) {
        return false
      }
    }
    return true
  }
  for (let at = 0; at < last; at += 4) {
    if (kept.getInt32(at, true) !== view.getInt32(start + at, true)) {
      return false
    }
  }
  return kept.getInt32(last, true) === view.getInt32(start + last, true)
}
