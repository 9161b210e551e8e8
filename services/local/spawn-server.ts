import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import type { ServerProcess } from './managed-server.ts'

export type SpawnOptions = {
  command: string
  args: string[]
  /** Standard output and standard error are appended to it. */
  logFile: string
  /** Where it starts, the caller's own when left out: what a server writes without a path lands there. */
  cwd?: string
}

/**
 * Spawns a process that ends by itself when its standard input closes, and gives it one line to read there: secrets stand
 * neither in arguments nor in an environment that other processes can read. `detached`: a group of its own, so that Ctrl-C in
 * a terminal reaches only us, and we stop the servers in order.
 */
export async function spawnWatching(options: SpawnOptions & { firstLine: string }): Promise<ServerProcess> {
  const log = await open(options.logFile, 'a', 0o600)
  const child = spawn(options.command, options.args, {
    ...{ stdio: ['pipe', log.fd, log.fd], detached: true },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  const { stdin } = child
  assert(stdin !== null)
  const ended = new Promise<string>((resolve) => child.on('exit', (code, signal) => resolve(howItEnded(code, signal))))
  await once(child, 'spawn')
  await log.close()
  // Writing to a child that has already ended is an EPIPE that says less than how it ended.
  stdin.on('error', () => undefined)
  stdin.write(`${options.firstLine}\n`)
  return { pid: child.pid!, ended, askToEnd: () => stdin.end() }
}

/** The same for a command that doesn't watch its standard input: supervise.ts stands between. */
export async function spawnSupervised(options: SpawnOptions & { graceMs: number }): Promise<ServerProcess> {
  const log = await open(options.logFile, 'a', 0o600)
  const supervisor = spawn(
    process.execPath,
    [join(import.meta.dirname, 'supervise.ts'), String(options.graceMs), options.command, ...options.args],
    { stdio: ['pipe', 'pipe', log.fd], detached: true },
  )
  const { stdin, stdout } = supervisor
  assert(stdin !== null && stdout !== null)
  let said = ''
  let pid: number | undefined
  const lines = createInterface({ input: stdout })
  const pidKnown = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (pid === undefined) pid = Number(line)
      else said = line
      resolve()
    })
    lines.on('close', resolve)
  })
  const ended = new Promise<string>((resolve) =>
    supervisor.on('close', (code, signal) => {
      // A supervisor that was itself killed leaves the command behind: nobody else would end it.
      if (signal !== null && pid !== undefined) endOrphan(pid)
      resolve(said === '' ? howItEnded(code, signal) : said)
    }),
  )
  stdin.on('error', () => undefined)
  await once(supervisor, 'spawn')
  await log.close()
  await pidKnown
  return { pid: pid ?? supervisor.pid!, ended, askToEnd: () => stdin.end() }
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`
}

function endOrphan(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
