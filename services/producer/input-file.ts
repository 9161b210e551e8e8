import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

import { messageOf, mistake } from '../shared/domain/faults.ts'

export interface InputFile {
  /** As messages name it. */
  readonly name: string
  /** Size on disk (packed, if it is); undefined for standard input. */
  readonly bytes: number | undefined
  /** Bytes read so far of those on disk. */
  bytesRead(): number
  /** The unpacked content. */
  readonly content: Readable
}

/**
 * Opens a file, or standard input for `-`. Gzip is known by its first two bytes, not by a name, so a packed pipe works too.
 */
export async function openInput(path: string, stdin: Readable): Promise<InputFile> {
  const name = path === '-' ? 'standard input' : path
  let bytes: number | undefined
  if (path !== '-') {
    const info = await stat(path).catch((thrown: unknown) => {
      throw mistake(`${name} can't be read: ${messageOf(thrown)}`, 'file_invalid')
    })
    if (info.isDirectory()) {
      throw mistake(`${name} is a folder; name a file`, 'file_invalid')
    }
    bytes = info.size
  }
  const chunks = (path === '-' ? stdin : createReadStream(path))[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let read = 0
  // Two bytes tell; a pipe may give them one at a time.
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const next = await chunks.next().catch((thrown: unknown) => {
      throw mistake(`${name} can't be read: ${messageOf(thrown)}`, 'file_invalid')
    })
    if (next.done === true) {
      break
    }
    head = Buffer.concat([head, next.value])
  }

  async function* all(): AsyncGenerator<Buffer> {
    try {
      read += head.length
      yield head
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
        read += next.value.length
        yield next.value
      }
    } finally {
      await chunks.return?.()
    }
  }

  const packed = Readable.from(all(), { objectMode: false })
  const isGzip = head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b
  // The reader of the content gets the error of either; pipeline's own report of it would be a second one.
  const content = isGzip ? pipeline(packed, createGunzip(), () => undefined) : packed
  return { name, bytes, bytesRead: () => read, content }
}
