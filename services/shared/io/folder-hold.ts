import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'

/** A folder that belongs to this process until it is released, or the process ends in whatever way. */
export interface FolderHold {
  isHeld(): boolean
  release(): void
}

/**
 * Takes a folder for this process; undefined when another one, or this one, has it.
 *
 * It is a listening socket in Linux' abstract namespace, named after the folder's real path. The kernel frees it when its
 * process ends, so there is no stale lock and no race between two who find one. It keeps apart the processes of one machine (of
 * one network namespace), not two machines on one network disk.
 */
export async function holdFolder(folder: string): Promise<FolderHold | undefined> {
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
  const socket = await listen(`\0intent-ledger/${name}`)
  return socket === undefined ? undefined : { isHeld: () => socket.listening, release: () => void socket.close() }
}

/** Undefined when the name is taken. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen({ path }, () => {
      server.unref()
      resolve(server)
    })
  })
}
