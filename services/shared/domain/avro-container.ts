import { createByteSink, type ByteSink } from './byte-sink.ts'

/**
 * Avro object containers (Avro 1.12 specification, "Object Container Files"): a header with the schema, then blocks of rows. What
 * goes to ClickHouse as `FORMAT Avro` has one block with all rows, so that one insert is one block on a retry too.
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

export const containerMagic = Uint8Array.of(0x4f, 0x62, 0x6a, 1)
export const syncBytes = 16

/** `null`: as they are; `deflate`: RFC 1951, which every Avro implementation must read. */
export type ContainerCodec = 'null' | 'deflate'

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
      return [header, blockHead(rows, sink.length), sink.view(), syncMarker]
    },
    clear() {
      rows = 0
      sink.clear()
    },
  }
}

/** What stands at the start of a container, up to the first block. `metadata` goes beside the schema; its keys must not begin with `avro.`. */
export function containerHeader(
  schema: unknown,
  options: { codec?: ContainerCodec; sync?: Uint8Array; metadata?: Readonly<Record<string, string>> } = {},
): Uint8Array {
  const { codec = 'null', sync = syncMarker, metadata = {} } = options
  const text = new TextEncoder()
  const sink = createByteSink()
  sink.raw(containerMagic, 0, containerMagic.length)
  const entries = Object.entries({ 'avro.schema': JSON.stringify(schema), 'avro.codec': codec, ...metadata })
  sink.long(entries.length)
  for (const [key, value] of entries) {
    const keyBytes = text.encode(key)
    const valueBytes = text.encode(value)
    sink.sized(keyBytes, 0, keyBytes.length)
    sink.sized(valueBytes, 0, valueBytes.length)
  }
  sink.long(0)
  sink.raw(sync, 0, sync.length)
  return sink.view()
}

/** What stands before a block's bytes: how many rows, how many bytes. After them stands the sync marker again. */
export function blockHead(rows: number, bytes: number): Uint8Array {
  const sink = createByteSink(20)
  sink.long(rows)
  sink.long(bytes)
  return sink.view()
}
