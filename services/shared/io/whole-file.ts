import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** What stands before the name of a file or folder that is not whole yet. */
export const unfinishedPrefix = '.unfinished-'

/** A file that appears under its name when it is whole, and then outlives a loss of power; or never. */
export interface WholeFile {
  write(bytes: Uint8Array): Promise<void>
  /** Syncs it and gives it its name, over whatever had that name. */
  finish(): Promise<void>
  /** Removes what was written. Does nothing after `finish`. */
  abandon(): Promise<void>
}

export async function createWholeFile(path: string): Promise<WholeFile> {
  const unfinished = join(dirname(path), `${unfinishedPrefix}${basename(path)}`)
  const file = await open(unfinished, 'w')
  let isOpen = true
  return {
    write: (bytes) => writeAll(file, bytes),
    async finish() {
      await file.sync()
      isOpen = false
      await file.close()
      await rename(unfinished, path)
      await syncFolder(dirname(path))
    },
    async abandon() {
      if (isOpen) {
        isOpen = false
        await file.close()
        await rm(unfinished, { force: true })
      }
    },
  }
}

export async function writeFileWhole(path: string, text: string): Promise<void> {
  const file = await createWholeFile(path)
  try {
    await file.write(Buffer.from(text))
    await file.finish()
  } finally {
    await file.abandon()
  }
}

/** A write may take fewer bytes than it was given. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written)).bytesWritten
  }
}

/** Makes the names in a folder outlive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
