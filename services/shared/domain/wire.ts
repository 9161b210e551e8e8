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

/** The schema id of a framed value, or -1 when the value is not framed. */
export function schemaIdOf(value: Uint8Array | null): number {
  if (value === null || value.length < headerBytes || value[0] !== 0) {
    return -1
  }
  return ((value[1]! << 24) | (value[2]! << 16) | (value[3]! << 8) | value[4]!) >>> 0
}
