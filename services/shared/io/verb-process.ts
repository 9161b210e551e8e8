import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { nodeFlags } from './heap.ts'

/** One verb of the command in a process of its own. It ends with this process, however this one ends. */
export interface VerbProcess {
  readonly pid: number
  /** How it ended: `exit code 1`, `signal SIGKILL`; undefined when it ended well or was asked to. */
  readonly ended: Promise<string | undefined>
  /** Closes its standard input, which stops it in order; by force after a deadline. */
  stop(): Promise<void>
}

const stopDeadlineMs = 20_000

/** The verb must watch its standard input (`--with-parent`). What it says goes to `output`, a file descriptor. */
export async function startVerbProcess(options: {
  args: readonly string[]
  env: NodeJS.ProcessEnv
  output: number
}): Promise<VerbProcess> {
  const { args, env, output } = options
  // A group of its own, so that Ctrl-C in a terminal reaches only us and we stop things in order.
  const child = spawn(process.execPath, [...nodeFlags, join(import.meta.dirname, '../../cli.ts'), ...args], {
    env,
    stdio: ['pipe', output, output],
    detached: true,
  })
  await once(child, 'spawn')
  child.stdin!.on('error', () => undefined)
  let stopping = false
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  return {
    pid: child.pid!,
    ended: exited.then(([code, signal]) =>
      stopping || code === 0 ? undefined : signal === null ? `exit code ${code}` : `signal ${signal}`,
    ),
    async stop() {
      stopping = true
      child.stdin!.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs)
      await exited
      clearTimeout(timer)
    },
  }
}
