import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { PipelineError } from '../shared/domain/faults.ts'

export interface ClassifierProcess {
  readonly pid: number
  /** Resolves with a fault when the process ends without having been asked to. */
  readonly died: Promise<Error>
  /** Closes its standard input, which stops it in order; by force after a deadline. */
  stop(): Promise<void>
}

const stopDeadlineMs = 20_000
const lastLinesCount = 8

/** Starts one `classify` in a process of its own. It ends with this process, however this one ends. */
export async function startClassifierProcess(options: {
  env: NodeJS.ProcessEnv
  logFile: string
}): Promise<ClassifierProcess> {
  const log = await open(options.logFile, 'a', 0o600)
  // A group of its own, so that Ctrl-C in a terminal reaches only us and we stop things in order.
  const child = spawn(process.execPath, [join(import.meta.dirname, '../cli.ts'), 'classify', '--with-parent'], {
    env: options.env,
    stdio: ['pipe', log.fd, log.fd],
    detached: true,
  })
  await once(child, 'spawn')
  await log.close()
  child.stdin!.on('error', () => undefined)
  let stopping = false
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  const died = new Promise<Error>((resolve) => {
    void ended.then(async ([code, signal]) => {
      if (!stopping) {
        const lines = (await readFile(options.logFile, 'utf8')).trimEnd().split('\n').slice(-lastLinesCount).join('\n')
        resolve(
          new PipelineError(
            `a classifier ended unexpectedly (${signal ?? `exit code ${code}`}); the last lines of ${options.logFile}:\n${lines}`,
            {
              code: 'stack_failed',
            },
          ),
        )
      }
    })
  })
  return {
    pid: child.pid!,
    died,
    async stop() {
      stopping = true
      child.stdin!.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs)
      await ended
      clearTimeout(timer)
    },
  }
}
