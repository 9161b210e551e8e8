/**
 * Texts that come back millions of times, each with a number: what is known of a text is kept beside it and not found out again.
 * Bounded: a flood of distinct texts empties the table instead of filling memory.
 *
 * On the hot path, a dozen times an event. So it is arrays of numbers and plain functions, not objects with methods, and hashes and
 * compares four bytes at a time.
 */
export interface TextTable {
  /** Number + 1 of the text whose hash led there; 0 for none. */
  slots: Int32Array
  /** Text n is `arena[starts[n]..starts[n + 1])`. */
  readonly starts: Int32Array
  arena: DataView
  count: number
  /** How often it was emptied: numbers are of one text between two of these. */
  emptied: number
  /** Called when a text is new, after it got its number. `bytes` are the table's own. */
  readonly onNew: (number: number, bytes: Uint8Array) => void
}

/** Texts that a table holds at most. A power of two. */
export const textsMax = 4_096

export function createTextTable(onNew: TextTable['onNew']): TextTable {
  return {
    slots: new Int32Array(textsMax * 2),
    starts: new Int32Array(textsMax + 1),
    arena: new DataView(new ArrayBuffer(4_096)),
    count: 0,
    emptied: 0,
    onNew,
  }
}

/** The number of the text `view[start..end)`, below `textsMax`. The next call may give it to another text. */
export function textNumber(table: TextTable, view: DataView, start: number, end: number): number {
  const { slots, starts, arena } = table
  const hash = hashOf(view, start, end)
  for (let slot = hash & slotMask; slots[slot] !== 0; slot = (slot + 1) & slotMask) {
    const number = slots[slot]! - 1
    const at = starts[number]!
    if (starts[number + 1]! - at === end - start && sameBytes(arena, at, view, start, end)) {
      return number
    }
  }
  return addText(table, view, start, end, hash)
}

export function textBytes({ arena, starts }: TextTable, number: number): Uint8Array {
  return new Uint8Array(arena.buffer, starts[number], starts[number + 1]! - starts[number]!)
}

const slotMask = textsMax * 2 - 1

function addText(table: TextTable, view: DataView, start: number, end: number, hash: number): number {
  if (table.count === textsMax) {
    table.slots.fill(0)
    table.count = 0
    table.emptied += 1
  }
  const number = table.count++
  const at = table.starts[number]!
  const size = end - start
  if (at + size > table.arena.byteLength) {
    const grown = new Uint8Array(Math.max(table.arena.byteLength * 2, at + size))
    grown.set(new Uint8Array(table.arena.buffer, 0, at))
    table.arena = new DataView(grown.buffer)
  }
  new Uint8Array(table.arena.buffer).set(new Uint8Array(view.buffer, view.byteOffset + start, size), at)
  table.starts[number + 1] = at + size
  let slot = hash & slotMask
  while (table.slots[slot] !== 0) {
    slot = (slot + 1) & slotMask
  }
  table.slots[slot] = number + 1
  table.onNew(number, textBytes(table, number))
  return number
}

/** Murmur3's mixing of words; the last word may overlap the one before it. */
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

function sameBytes(kept: DataView, keptStart: number, view: DataView, start: number, end: number): boolean {
  const shift = keptStart - start
  const last = end - 4
  if (last < start) {
    for (let at = start; at < end; at++) {
      if (kept.getUint8(at + shift) !== view.getUint8(at)) {
        return false
      }
    }
    return true
  }
  for (let at = start; at < last; at += 4) {
    if (kept.getInt32(at + shift, true) !== view.getInt32(at, true)) {
      return false
    }
  }
  return kept.getInt32(last + shift, true) === view.getInt32(last, true)
}
