import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'

import { blockHead, containerHeader, syncBytes } from '../shared/domain/avro-container.ts'
import { createByteSink, type ByteSink } from '../shared/domain/byte-sink.ts'
import type { ArchivedFile } from '../shared/io/archive-folder.ts'
import { writeAll } from '../shared/io/whole-file.ts'

/**
 * An Avro container on its way to the disk: rows are gathered to blocks, and blocks are packed on other threads while the next ones
 * are gathered. The same rows give the same bytes.
 */
export interface BlockFile {
  /** Where a row's bytes go; call `endRow` after each. */
  readonly sink: ByteSink
  endRow(offset: number): void
  /** Waits until all full blocks are written. Throws what went wrong since. */
  written(): Promise<void>
  /** Writes what is left and syncs; then this is what its manifest says of it. */
  finish(): Promise<ArchivedFile>
  close(): Promise<void>
}

export interface BlockFileOptions {
  readonly folder: string
  readonly name: string
  readonly schema: unknown
  readonly schemaId: number | null
  readonly fingerprint: string | null
  /** Where in the log its rows stand: goes into the header, beside the schema. */
  readonly place: Readonly<Record<string, string>>
}

/** A block is closed after this much. Four times as much packs 1 % better, and a reader holds one block of each file. */
const blockBytes = 262_144
/**
 * Events become 2.8 times smaller at 70 MB/s a core. Level 6, zlib's own default, makes it 3.0 times at 45 MB/s. Zstandard would do
 * better than either (3.2 times at 140 MB/s), but fastavro reads it only with a further package; deflate every Avro tool must read.
 */
const deflateLevel = 3
const deflate = promisify(deflateRaw)

export function createBlockFile({ folder, name, schema, schemaId, fingerprint, place }: BlockFileOptions): BlockFile {
  const sink = createByteSink(blockBytes + 65_536)
  const hash = createHash('sha256')
  const seed = JSON.stringify([place, name])
  const sync = createHash('sha256').update(seed).digest().subarray(0, syncBytes)
  let handle: FileHandle | undefined
  let bytes = 0
  let messages = 0
  let blockRows = 0
  let first = -1
  let last = -1
  let tail: Promise<void> = put([containerHeader(schema, { codec: 'deflate', sync, metadata: place })])

  async function put(parts: readonly Uint8Array[]): Promise<void> {
    handle ??= await open(join(folder, name), 'wx')
    const whole = Buffer.concat(parts)
    await writeAll(handle, whole)
    hash.update(whole)
    bytes += whole.length
  }

  function endBlock(): void {
    const rows = blockRows
    const block = Buffer.from(sink.view())
    sink.clear()
    blockRows = 0
    const packed = deflate(block, { level: deflateLevel })
    const before = tail
    tail = (async () => {
      const [, body] = await Promise.all([before, packed])
      await put([blockHead(rows, body.length), body, sync])
    })()
    // Whoever waits gets the error; this only keeps it from counting as unhandled until then.
    tail.catch(() => undefined)
  }

  tail.catch(() => undefined)
  return {
    sink,
    endRow(offset) {
      first = messages === 0 ? offset : first
      last = offset
      messages += 1
      blockRows += 1
      if (sink.length >= blockBytes) {
        endBlock()
      }
    },
    written: () => tail,
    async finish() {
      if (blockRows > 0) {
        endBlock()
      }
      await tail
      await handle!.sync()
      return {
        ...{ name, schemaId, fingerprint, codec: 'deflate', messages, first, last, bytes },
        sha256: hash.digest('hex'),
      }
    },
    async close() {
      await tail.catch(() => undefined)
      await handle?.close()
      handle = undefined
    },
  }
}
