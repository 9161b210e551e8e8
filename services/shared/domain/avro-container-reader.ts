import { containerMagic, syncBytes, type ContainerCodec } from './avro-container.ts'

/** The start of an Avro object container (Avro 1.12 specification, "Object Container Files"). */
export interface ContainerHeader {
  readonly schema: unknown
  readonly codec: ContainerCodec
  readonly metadata: ReadonlyMap<string, string>
  readonly sync: Uint8Array
  /** Where the first block begins. */
  readonly end: number
}

export interface BlockHead {
  readonly rows: number
  readonly bytes: number
  /** Where its bytes begin, counted as `at` was. */
  readonly start: number
}

/** Undefined when the bytes end too early: come again with more. Throws an Error that says what is no container. */
export function readContainerHeader(bytes: Uint8Array): ContainerHeader | undefined {
  if (bytes.length < containerMagic.length) {
    return undefined
  }
  if (containerMagic.some((byte, index) => bytes[index] !== byte)) {
    throw new Error('it does not begin as an Avro container does')
  }
  const text = new TextDecoder()
  const metadata = new Map<string, string>()
  let at = containerMagic.length
  for (;;) {
    const count = readLong(bytes, at)
    if (count === undefined) {
      return undefined
    }
    at = count.end
    if (count.value === 0) {
      break
    }
    if (count.value < 0) {
      throw new Error('its header has a block of entries with a size, which is not written here')
    }
    for (let left = count.value; left > 0; left--) {
      const key = readSized(bytes, at)
      const value = key === undefined ? undefined : readSized(bytes, key.end)
      if (key === undefined || value === undefined) {
        return undefined
      }
      metadata.set(text.decode(key.value), text.decode(value.value))
      at = value.end
    }
  }
  if (at + syncBytes > bytes.length) {
    return undefined
  }
  const codec = metadata.get('avro.codec') ?? 'null'
  if (codec !== 'null' && codec !== 'deflate') {
    throw new Error(`its blocks are packed by ${codec}, which is not read here`)
  }
  return {
    schema: JSON.parse(metadata.get('avro.schema') ?? '') as unknown,
    codec,
    metadata,
    sync: bytes.slice(at, at + syncBytes),
    end: at + syncBytes,
  }
}

/** Undefined when the bytes end within it. Throws an Error on negative counts. */
export function readBlockHead(bytes: Uint8Array, at: number): BlockHead | undefined {
  const rows = readLong(bytes, at)
  const size = rows === undefined ? undefined : readLong(bytes, rows.end)
  if (rows === undefined || size === undefined) {
    return undefined
  }
  if (rows.value < 0 || size.value < 0) {
    throw new Error('a block of it has less than no rows or bytes')
  }
  return { rows: rows.value, bytes: size.value, start: size.end }
}

/** A varint of at most ten bytes; exact below 2^52. */
function readLong(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0
  let scale = 1
  for (let end = at; end < bytes.length && end < at + 10; scale *= 128) {
    const byte = bytes[end++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, end }
    }
  }
  if (at + 10 <= bytes.length) {
    throw new Error('a number of it is longer than ten bytes')
  }
  return undefined
}

function readSized(bytes: Uint8Array, at: number): { value: Uint8Array; end: number } | undefined {
  const size = readLong(bytes, at)
  if (size === undefined) {
    return undefined
  }
  if (size.value < 0) {
    throw new Error('an entry of its header has less than no bytes')
  }
  const end = size.end + size.value
  return end > bytes.length ? undefined : { value: bytes.subarray(size.end, end), end }
}
