/** Reads a block in ClickHouse's Native format, as the server's own documentation has it: the tests' own reading of what the pipeline sends. */
export type NativeRow = Record<string, unknown>

export function nativeRows(parts: readonly Uint8Array[]): NativeRow[] {
  const bytes = Buffer.concat(parts)
  const reader = createReader(bytes)
  const columnCount = reader.varint()
  const rowCount = reader.varint()
  const rows: NativeRow[] = Array.from({ length: rowCount }, () => ({}))
  for (let column = 0; column < columnCount; column++) {
    const name = reader.text()
    const values = readColumn(reader, reader.text(), rowCount)
    rows.forEach((row, index) => (row[name] = values[index]))
  }
  if (!reader.atEnd()) {
    throw new Error('bytes behind the last column')
  }
  return rows
}

type Reader = ReturnType<typeof createReader>

function createReader(bytes: Buffer) {
  let at = 0
  const take = (size: number): Buffer => {
    if (at + size > bytes.length) {
      throw new Error('the block ends too early')
    }
    at += size
    return bytes.subarray(at - size, at)
  }
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = take(1)[0]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        return value
      }
    }
  }
  return { take, varint, text: () => take(varint()).toString(), atEnd: () => at === bytes.length }
}

/** One value of a type that holds as many bytes in each row. */
const fixedValues: Readonly<Record<string, readonly [size: number, (bytes: Buffer) => unknown]>> = {
  Int8: [1, (bytes) => bytes.readInt8()],
  Bool: [1, (bytes) => bytes[0] === 1],
  Date: [2, (bytes) => bytes.readUInt16LE()],
  UInt32: [4, (bytes) => bytes.readUInt32LE()],
  Int64: [8, (bytes) => Number(bytes.readBigInt64LE())],
  UInt64: [8, (bytes) => bytes.readBigUInt64LE()],
  "DateTime64(3, 'UTC')": [8, (bytes) => Number(bytes.readBigInt64LE())],
  'FixedString(16)': [16, (bytes) => Buffer.from(bytes)],
}

function readColumn(reader: Reader, type: string, rows: number): unknown[] {
  const each = (read: () => unknown) => Array.from({ length: rows }, read)
  const fixed = fixedValues[type]
  if (fixed !== undefined) {
    const [size, value] = fixed
    return each(() => value(reader.take(size)))
  }
  const inner = /^\w+\((.*)\)$/.exec(type)?.[1] ?? ''
  if (type === 'String') {
    return each(() => reader.text())
  }
  if (type.startsWith('Nullable')) {
    const missing = [...reader.take(rows)]
    return readColumn(reader, inner, rows).map((value, row) => (missing[row] === 1 ? null : value))
  }
  if (type.startsWith('Array')) {
    const ends = readColumn(reader, 'UInt64', rows).map(Number)
    const items = readColumn(reader, inner, ends.at(-1) ?? 0)
    return ends.map((end, row) => items.slice(row === 0 ? 0 : ends[row - 1], end))
  }
  if (type.startsWith('LowCardinality')) {
    return readDictionary(reader, inner, rows)
  }
  throw new Error(`${type} is not read here`)
}

function readDictionary(reader: Reader, type: string, rows: number): unknown[] {
  const long = () => Number(reader.take(8).readBigUInt64LE())
  const [version, flags, keyCount] = [long(), long(), long()]
  const keys = readColumn(reader, type, keyCount)
  if (version !== 1 || (flags & ~3) !== 512 || long() !== rows) {
    throw new Error(`a dictionary of version ${version} with flags ${flags}`)
  }
  const width = 2 ** (flags & 3)
  return Array.from({ length: rows }, () => {
    const key = reader.take(width).readUIntLE(0, width)
    if (key >= keyCount) {
      throw new Error(`key ${key} of ${keyCount}`)
    }
    return keys[key]
  })
}
