import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'

import { createBlockReader, type ArchivedBlock } from '../domain/archived-message.ts'
import { syncBytes } from '../domain/avro-container.ts'
import { readBlockHead, readContainerHeader, type ContainerHeader } from '../domain/avro-container-reader.ts'
import { parseSchema, type RecordNode } from '../domain/avro-schema.ts'
import { messageOf } from '../domain/faults.ts'
import { damaged, rangeFolder, type ArchivedFile, type RangePlace } from './archive-folder.ts'

/** One file of a range, read block by block. Every fault of it names the file and its offsets. */
export interface ArchivedContainer {
  readonly file: ArchivedFile
  /** The next block, or undefined at the end: then all that the manifest says of the file was found in it. */
  nextBlock(): Promise<ArchivedBlock | undefined>
  close(): Promise<void>
}

/** Of a block as it is unpacked; the writer closes one at 256 KiB and the message that passed that. */
const blockBytesMax = 128 * 1_048_576
const inflate = promisify(inflateRaw)
const headBytesMax = 20
const hashedChunkBytes = 1_048_576

/** Throws when the file is missing or is not, byte for byte, the one that its manifest names. */
export async function checkArchivedFile(dir: string, place: RangePlace, file: ArchivedFile): Promise<void> {
  const { path, wrong } = naming(dir, place, file)
  const handle = await open(path).catch((thrown: NodeJS.ErrnoException) => {
    throw wrong(thrown.code === 'ENOENT' ? 'it is missing' : thrown.message)
  })
  try {
    const hash = createHash('sha256')
    const chunk = Buffer.allocUnsafe(hashedChunkBytes)
    let bytes = 0
    for (let read = -1; read !== 0;) {
      ;({ bytesRead: read } = await handle.read(chunk, 0, chunk.length, bytes))
      hash.update(chunk.subarray(0, read))
      bytes += read
    }
    if (bytes !== file.bytes) {
      throw wrong(`it has ${bytes} bytes, its manifest says ${file.bytes}`)
    }
    if (hash.digest('hex') !== file.sha256) {
      throw wrong('its bytes are not those that were written: the SHA-256 differs from its manifest')
    }
  } finally {
    await handle.close()
  }
}

/** Opens a file that `checkArchivedFile` found as it was written. */
export async function openArchivedContainer(
  dir: string,
  place: RangePlace,
  file: ArchivedFile,
): Promise<ArchivedContainer> {
  const { path, wrong } = naming(dir, place, file)
  const handle = await open(path)
  try {
    const header = await readHeader(handle)
    const readBlock = createBlockReader(file.schemaId === null ? undefined : eventNode(header))
    let at = header.end
    let messages = 0
    let last = -1

    async function packedBlock(): Promise<{ rows: number; bytes: Buffer } | undefined> {
      const head = await readAt(handle, at, headBytesMax)
      if (head.length === 0) {
        return undefined
      }
      const block = readBlockHead(head, 0)
      if (block === undefined || block.rows === 0 || block.bytes > blockBytesMax) {
        throw new Error('a block of it has no head that can be read')
      }
      const bytes = await readAt(handle, at + block.start, block.bytes + syncBytes)
      if (!bytes.subarray(block.bytes).equals(header.sync)) {
        throw new Error('a block of it does not end with the marker')
      }
      at += block.start + bytes.length
      return { rows: block.rows, bytes: bytes.subarray(0, block.bytes) }
    }

    return {
      file,
      async nextBlock() {
        try {
          const packed = await packedBlock()
          if (packed === undefined) {
            if (messages !== file.messages || last !== file.last) {
              throw new Error(`it holds ${messages} messages up to offset ${last}, its manifest says otherwise`)
            }
            return undefined
          }
          const bytes =
            header.codec === 'null' ? packed.bytes : await inflate(packed.bytes, { maxOutputLength: blockBytesMax })
          const block = readBlock(bytes, packed.rows)
          const first = block.offsets[0]!
          if (first <= last || first < file.first || (messages === 0 && first !== file.first)) {
            throw new Error(`offset ${first} is not where its manifest says`)
          }
          messages += block.rows
          last = block.offsets.at(-1)!
          return block
        } catch (thrown) {
          throw wrong(messageOf(thrown))
        }
      },
      close: () => handle.close(),
    }
  } catch (thrown) {
    await handle.close()
    throw wrong(messageOf(thrown))
  }
}

function naming(dir: string, place: RangePlace, { name, first, last }: ArchivedFile) {
  const path = join(dir, rangeFolder(place), name)
  return {
    path,
    wrong: (what: string) => damaged(`${path} (partition ${place.partition}, offsets ${first} to ${last})`, what),
  }
}

function eventNode({ schema }: ContainerHeader): RecordNode {
  const node = parseSchema(schema)
  const event = node.kind === 'record' ? node.fields.find(({ name }) => name === 'event')?.node : undefined
  if (event?.kind !== 'record') {
    throw new Error('its schema has no event')
  }
  return event
}

async function readHeader(handle: FileHandle): Promise<ContainerHeader> {
  for (let size = 65_536; ; size *= 2) {
    const bytes = await readAt(handle, 0, size)
    const header = readContainerHeader(bytes)
    if (header !== undefined) {
      return header
    }
    if (bytes.length < size) {
      throw new Error('it ends within its header')
    }
  }
}

/** So many bytes from there on, or what there is of them. */
async function readAt(handle: FileHandle, position: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  let filled = 0
  for (let read = -1; read !== 0 && filled < size; filled += read) {
    ;({ bytesRead: read } = await handle.read(bytes, filled, size - filled, position + filled))
  }
  return bytes.subarray(0, filled)
}
