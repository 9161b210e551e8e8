import { open, readFile } from 'node:fs/promises'

import { PipelineError } from '../shared/domain/faults.ts'
import { startVerbProcess } from '../shared/io/verb-process.ts'

export interface ClassifierProcess {
  readonly pid: number
  /** Resolves with a fault when the process ends without having been asked to. */
  readonly died: Promise<Error>
  /** Stops it in order; by force after a deadline. */
  stop(): Promise<void>
}

const lastLinesCount = 8

/** Starts one `classify` in a process of its own. It ends with this process, however this one ends. */
export async function startClassifierProcess(options: {
  env: NodeJS.ProcessEnv
  logFile: string
}): Promise<ClassifierProcess> {
  const log = await open(options.logFile, 'a', 0o600)
  const classifier = await startVerbProcess({
    args: ['classify', '--with-parent'],
    env: options.env,
    output: log.fd,
  }).finally(() => log.close())
  let stopping = false
  const died = new Promise<Error>((resolve) => {
    void classifier.ended.then(async (how = 'exit code 0') => {
      if (!stopping) {
        const lines = (await readFile(options.logFile, 'utf8')).trimEnd().split('\n').slice(-lastLinesCount).join('\n')
        resolve(
          new PipelineError(
            `a classifier ended unexpectedly (${how}); the last lines of ${options.logFile}:\n${lines}`,
            { code: 'stack_failed' },
          ),
        )
      }
    })
  })
  return {
    pid: classifier.pid,
    died,
    stop() {
      stopping = true
      return classifier.stop()
    },
  }
}
