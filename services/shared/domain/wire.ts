/**
 * The Confluent wire format (contract): byte 0, the schema id as 4 bytes big-endian, the Avro body.
 */
export const headerBytes = 5

export function frame(schemaId: number, body: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(headerBytes + body.length)
  framed[0] = 0
  framed.writeUInt32BE(schemaId, 1)
  body.copy(framed, headerBytes)
  return framed
}

/** The schema id of a framed value, `bytes[start..end)`, or -1 when it is not framed; `start` is -1 where there is no value. */
export function schemaIdOf(bytes: Uint8Array | null, start = 0, end = bytes === null ? 0 : bytes.length): number {
  if (bytes === null || start < 0 || end - start < headerBytes || bytes[start] !== 0) {
    return -1
  }
  return ((bytes[start + 1]! << 24) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!) >>> 0
}
