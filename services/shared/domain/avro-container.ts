import { createByteSink } from './byte-sink.ts'

/**
 * Avro object containers (Avro 1.12 specification, "Object Container Files"): a header with the schema, then blocks of rows.
 */
export const containerMagic = Uint8Array.of(0x4f, 0x62, 0x6a, 1)
export const syncBytes = 16

/** `null`: as they are; `deflate`: RFC 1951, which every Avro implementation must read. */
export type ContainerCodec = 'null' | 'deflate'

/** What stands at the start of a container, up to the first block. `sync` is the marker between blocks, 16 bytes of the file's own. `metadata` goes beside the schema; its keys must not begin with `avro.`. */
export function containerHeader(
  schema: unknown,
  options: { codec: ContainerCodec; sync: Uint8Array; metadata?: Readonly<Record<string, string>> },
): Uint8Array {
  const { codec, sync, metadata = {} } = options
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
