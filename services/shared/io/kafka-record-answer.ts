export type Answer = ReturnType<typeof openAnswer>

/** Reads the primitive types of an answer, one after the other: https://kafka.apache.org/protocol#protocol_types. */
export function openAnswer(bytes: Buffer) {
  let at = 0
  const take = (size: number) => (at += size) - size
  return {
    int16: () => bytes.readInt16BE(take(2)),
    int32: () => bytes.readInt32BE(take(4)),
    int64: () => bytes.readBigInt64BE(take(8)),
    text() {
      const size = bytes.readInt16BE(take(2))
      return bytes.toString('utf8', take(size), at)
    },
    /** Bytes with their length before them; none for null, and none when the answer was cut off. */
    sized() {
      const size = Math.max(0, bytes.readInt32BE(take(4)))
      return bytes.subarray(take(size), at)
    },
  }
}
