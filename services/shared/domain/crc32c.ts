/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes a step ("slicing by 8": Kounavis and Berry, 2005): 1.2 GB/s here,
 * 0.1 us an event. Node's own `zlib.crc32` is another polynomial.
 */
const polynomial = 0x82f63b78
const slices = 8

const tables = new Int32Array(256 * slices)
for (let byte = 0; byte < 256; byte++) {
  let rest = byte
  for (let bit = 0; bit < 8; bit++) {
    rest = (rest & 1) === 1 ? (rest >>> 1) ^ polynomial : rest >>> 1
  }
  tables[byte] = rest
}
for (let at = 256; at < tables.length; at++) {
  const earlier = tables[at - 256]!
  tables[at] = (earlier >>> 8) ^ tables[earlier & 0xff]!
}

/** The checksum of `bytes[start..end)`, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1
  let at = start
  for (; at + slices <= end; at += slices) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      tables[1792 + (crc & 0xff)]! ^
      tables[1536 + ((crc >>> 8) & 0xff)]! ^
      tables[1280 + ((crc >>> 16) & 0xff)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!
  }
  for (; at < end; at++) {
    crc = (crc >>> 8) ^ tables[(crc ^ bytes[at]!) & 0xff]!
  }
  return ~crc >>> 0
}
