import { createByteSink, type ByteSink } from './byte-sink.ts'

/**
 * Avro object containers (Avro 1.12 specification, "Object Container Files"): a header with the schema, then one block with
 * all rows. ClickHouse reads them as `FORMAT Avro`. One block, so that one insert is one block on a retry too.
 */
export interface ContainerWriter {
  readonly rows: number
  readonly bytes: number
  /** Where the rows' bytes go; call `endRow` after each row. */
  readonly sink: ByteSink
  endRow(): void
  /** The container's parts, in order. The views are valid until the next write or clear. */
  parts(): Uint8Array[]
  clear(): void
}

/** The marker between blocks. The specification wants 16 random bytes a file; a file here holds one block and is never split. */
const syncMarker = new TextEncoder().encode('intent-ledger-01')

export function createContainerWriter(schema: unknown, initialBytes?: number): ContainerWriter {
  const header = containerHeader(schema)
  const sink = createByteSink(initialBytes)
  let rows = 0
  return {
    get rows() {
      return rows
    },
    get bytes() {
      return sink.length
    },
    sink,
    endRow() {
      rows += 1
    },
    parts() {
      const blockHead = createByteSink(20)
      blockHead.long(rows)
      blockHead.long(sink.length)
      return [header, blockHead.view(), sink.view(), syncMarker]
    },
    clear() {
      rows = 0
      sink.clear()
    },
  }
}

function containerHeader(schema: unknown): Uint8Array {
  const text = new TextEncoder()
  const sink = createByteSink()
  sink.raw(Uint8Array.of(0x4f, 0x62, 0x6a, 1), 0, 4)
  sink.long(2)
  for (const [key, value] of [
    ['avro.schema', JSON.stringify(schema)],
    ['avro.codec', 'null'],
  ] as const) {
    const keyBytes = text.encode(key)
    const valueBytes = text.encode(value)
    sink.sized(keyBytes, 0, keyBytes.length)
    sink.sized(valueBytes, 0, valueBytes.length)
  }
  sink.long(0)
  sink.raw(syncMarker, 0, syncMarker.length)
  return sink.view()
}
