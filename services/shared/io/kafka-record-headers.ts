import type { LogRecord } from '../domain/log-record.ts'

/**
 * A header of a record that our own decoder found (`openBatches`), as text; undefined when it has none of that name. The headers
 * stand behind the value, where the decoder does not look: only records with a value are read.
 * Format: https://kafka.apache.org/documentation/#recordheader.
 */
export function headerText({ bytes, valueStart, valueEnd }: LogRecord, name: string): string | undefined {
  if (valueStart < 0) {
    return undefined
  }
  let at = valueEnd
  /** A zigzag varint below 2^31. */
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        return (value >>> 1) ^ -(value & 1)
      }
    }
  }
  const text = () => {
    const size = Math.max(0, varint())
    at += size
    return new TextDecoder().decode(bytes.subarray(at - size, at))
  }
  for (let headers = varint(); headers > 0; headers--) {
    const found = text()
    const value = text()
    if (found === name) {
      return value
    }
  }
  return undefined
}
