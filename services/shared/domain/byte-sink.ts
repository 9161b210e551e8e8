/**
 * A growing run of bytes with Avro's two writings: varints and sized bytes. Reused from batch to batch, so that the hot
 * path makes no garbage.
 */
export interface ByteSink {
  readonly length: number
  /** The bytes so far: a view, valid until the next write or clear. */
  view(): Uint8Array
  clear(): void
  /** Zigzag varint; |value| below 2^52. */
  long(value: number): void
  /** Bytes with their length before them (Avro's bytes and string). */
  sized(bytes: Uint8Array, start: number, end: number): void
  /** Bytes alone (Avro's fixed, and whole encoded fields). */
  raw(bytes: Uint8Array, start: number, end: number): void
}

export function createByteSink(initialBytes = 4_096): ByteSink {
  let buffer = new Uint8Array(initialBytes)
  let length = 0

  function reserve(extra: number): void {
    if (length + extra > buffer.length) {
      const grown = new Uint8Array(Math.max(buffer.length * 2, length + extra))
      grown.set(buffer.subarray(0, length))
      buffer = grown
    }
  }

  function long(value: number): void {
    reserve(10)
    let rest = value >= 0 ? value * 2 : -value * 2 - 1
    while (rest >= 0x80) {
      // Above 2^31 the bit operators would wrap, so the high part is done by division.
      buffer[length++] = (rest % 128) | 0x80
      rest = rest < 2_147_483_648 ? rest >>> 7 : Math.floor(rest / 128)
    }
    buffer[length++] = rest
  }

  function raw(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start
    reserve(size)
    // A loop beats a view for the short runs of an event. For longer ones the view is made by hand: `subarray` of a Buffer goes
    // through Buffer's own constructor, which takes longer than the copy.
    if (size <= 48) {
      let to = length
      for (let from = start; from < end; from++) {
        buffer[to++] = bytes[from]!
      }
    } else {
      buffer.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, size), length)
    }
    length += size
  }

  return {
    get length() {
      return length
    },
    view: () => buffer.subarray(0, length),
    clear() {
      length = 0
    },
    long,
    sized(bytes, start, end) {
      long(end - start)
      raw(bytes, start, end)
    },
    raw,
  }
}
