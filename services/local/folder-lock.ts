/**
 * One stack a data folder: two ClickHouse or two Kafka on the same files destroy them.
 *
 * The file `stack.json` is only information: who holds the folder, and which servers a killed holder may have left in the middle
 * of stopping.
 */
import { readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { mistake } from '../shared/domain/faults.ts'
import { holdFolder } from '../shared/io/folder-hold.ts'
import { aliveProcess, processMark } from './process-mark.ts'

const leftoverWaitMs = 30_000

const holderFormat = z.strictObject({ pid: z.int(), servers: z.array(z.string()) })

export type FolderLock = {
  /** Notes the pids of the servers at work in the folder. */
  describe(serverPids: number[]): Promise<void>
  release(): Promise<void>
}

/** Throws a mistake that names the holder when another process, or this one, has the folder. */
export async function lockFolder(dataDir: string): Promise<FolderLock> {
  const real = await realpath(dataDir)
  const infoFile = join(real, 'stack.json')
  const held = await holdFolder(real)
  const holder = await readHolder(infoFile)
  if (held === undefined) {
    const who = holder === undefined ? 'another process' : `process ${holder.pid}`
    throw mistake(`the data folder ${dataDir} is in use by ${who}: stop that one or choose another folder`)
  }
  const describe = (serverPids: number[]) =>
    writeFile(infoFile, JSON.stringify({ pid: process.pid, servers: serverPids.map(processMark) }))
  try {
    await waitForLeftovers(holder?.servers ?? [], dataDir)
    await describe([])
  } catch (error) {
    held.release()
    throw error
  }
  return {
    describe,
    release: async () => {
      if (!held.isHeld()) return
      await rm(infoFile, { force: true })
      held.release()
    },
  }
}

async function readHolder(infoFile: string): Promise<z.infer<typeof holderFormat> | undefined> {
  try {
    return holderFormat.parse(JSON.parse(await readFile(infoFile, 'utf8')))
  } catch {
    return undefined // Missing or half written: nobody to name, nobody to wait for.
  }
}

/** A killed holder's servers end by themselves (supervise.ts, clickhouse-child.ts), but need a moment. */
async function waitForLeftovers(servers: string[], dataDir: string): Promise<void> {
  const deadline = Date.now() + leftoverWaitMs
  for (const server of servers) {
    while (aliveProcess(server)) {
      if (Date.now() > deadline) {
        throw mistake(
          `process ${server.split('@')[0]} still works in the data folder ${dataDir}: end it and start again`,
        )
      }
      await delay(50)
    }
  }
}
