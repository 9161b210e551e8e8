/**
 * A growing run of bytes with the writings of Avro (zigzag varints, sized bytes) and of ClickHouse's Native format (little-endian
 * numbers, counted bytes). Reused from batch to batch, so that the hot path makes no garbage.
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
  /** An unsigned varint; a safe integer. */
  unsigned(value: number): void
  /** Bytes with their length before them as an unsigned varint. */
  counted(bytes: Uint8Array, start: number, end: number): void
  /** The low 8, 16 or 32 bits of an integer. */
  int8(value: number): void
  int16(value: number): void
  int32(value: number): void
  /** A signed 64-bit integer; |value| up to 2^53. */
  int64(value: number): void
  /** Bytes alone (Avro's fixed, and whole encoded fields): a few. */
  raw(bytes: Uint8Array, start: number, end: number): void
  /** The same for more bytes: eight at a time, so the caller keeps a view of where they stand. */
  block(from: DataView, start: number, end: number): void
}

/** Above this, the engine's own copy is faster than a loop, though it needs a view made for it (40 ns). */
const loopBytesMax = 192

/** What four bytes of a varint hold. */
const lowEnd = 2 ** 28

const wordEnd = 2 ** 32

export function createByteSink(initialBytes = 4_096): ByteSink {
  let buffer = new Uint8Array(initialBytes)
  let view = new DataView(buffer.buffer)
  let length = 0

  function reserve(extra: number): void {
    if (length + extra > buffer.length) {
      const grown = new Uint8Array(Math.max(buffer.length * 2, length + extra))
      grown.set(buffer.subarray(0, length))
      buffer = grown
      view = new DataView(grown.buffer)
    }
  }

  function long(value: number): void {
    reserve(10)
    if (value >= 0 && value < 64) {
      buffer[length++] = value << 1
      return
    }
    let rest = value >= 0 ? value * 2 : -value * 2 - 1
    if (rest >= lowEnd) {
      // The bit operators see 32 bits, so four bytes are split off by one division.
      const low = rest % lowEnd
      rest = (rest - low) / lowEnd
      buffer[length++] = low | 0x80
      buffer[length++] = (low >>> 7) | 0x80
      buffer[length++] = (low >>> 14) | 0x80
      buffer[length++] = (low >>> 21) | 0x80
    }
    for (; rest >= 0x80; rest = rest >>> 7) {
      buffer[length++] = rest | 0x80
    }
    buffer[length++] = rest
  }

  function unsigned(value: number): void {
    reserve(10)
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      buffer[length++] = (rest % 0x80) | 0x80
    }
    buffer[length++] = rest
  }

  function raw(bytes: Uint8Array, start: number, end: number): void {
    reserve(end - start)
    for (let from = start; from < end; from++) {
      buffer[length++] = bytes[from]!
    }
  }

  function block(from: DataView, start: number, end: number): void {
    const size = end - start
    reserve(size)
    if (size < 8) {
      for (let at = start; at < end; at++) {
        buffer[length++] = from.getUint8(at)
      }
      return
    }
    if (size > loopBytesMax) {
      buffer.set(new Uint8Array(from.buffer, from.byteOffset + start, size), length)
    } else {
      // 30 ns for the 100 bytes of an event, where a loop over bytes takes 160. As integers: a float's bits may change.
      const last = end - 8
      let to = length
      for (let at = start; at < last; at += 8, to += 8) {
        view.setBigUint64(to, from.getBigUint64(at))
      }
      view.setBigUint64(length + size - 8, from.getBigUint64(last))
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
    unsigned,
    counted(bytes, start, end) {
      unsigned(end - start)
      raw(bytes, start, end)
    },
    int8(value) {
      reserve(1)
      buffer[length++] = value
    },
    int16(value) {
      reserve(2)
      view.setInt16(length, value, true)
      length += 2
    },
    int32(value) {
      reserve(4)
      view.setInt32(length, value, true)
      length += 4
    },
    int64(value) {
      reserve(8)
      view.setInt32(length, value, true)
      view.setInt32(length + 4, Math.floor(value / wordEnd), true)
      length += 8
    },
    raw,
    block,
  }
}
