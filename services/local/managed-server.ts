/** One server process over its lives: started, stopped, killed, started again; and what it said when it died unasked. */
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { PipelineError } from '../shared/domain/faults.ts'

/** A process as its launcher hands it over. */
export type ServerProcess = {
  /** The server itself, not a supervisor around it. */
  pid: number
  /** Resolves when nothing of it is left, with how it ended: `exit code 1`, `signal SIGKILL`. */
  ended: Promise<string>
  /** Asks it to end by itself. */
  askToEnd(): void
}

export type ManagedServer = {
  /** Of the running process; throws when it is stopped. */
  readonly pid: number
  /** Resolves when it answers. */
  start(): Promise<void>
  /** Gently, by force after a deadline. Resolves when it is gone; does nothing when it is. */
  stop(): Promise<void>
  restart(): Promise<void>
  /** Sends a signal; a deadly one (the default is SIGKILL) is waited for. An end that is asked for here is not a death. */
  kill(signal?: NodeJS.Signals): Promise<void>
}

export type ServerSpec = {
  name: string
  logFile: string
  launch(): Promise<ServerProcess>
  /** Resolves true when the server answers, false when it doesn't yet. */
  answers(): Promise<boolean>
  startDeadlineMs: number
  stopDeadlineMs: number
  onDeath: (error: Error) => void
}

const answerPollMs = 25
const lastLinesCount = 12
/** ClickHouse' (`12. ? @ 0x…`) and Java's: thirty of them would push out the line that says what happened. */
const stackFrame = /^(\d+\. .* @ 0x[0-9a-f]+|\s+at )/

export function createManagedServer(spec: ServerSpec): ManagedServer {
  let running: (ServerProcess & { endExpected: boolean }) | undefined

  async function start(): Promise<void> {
    if (running !== undefined) throw new PipelineError(`${spec.name} is running already`, { code: 'stack_failed' })
    const launched = { ...(await spec.launch()), endExpected: true }
    running = launched
    let how: string | undefined
    void launched.ended.then(async (description) => {
      how = description
      if (running === launched) running = undefined
      if (!launched.endExpected) spec.onDeath(await death('ended unexpectedly', description))
    })
    const deadline = Date.now() + spec.startDeadlineMs
    while (!(await spec.answers())) {
      if (how !== undefined) throw await death('did not start', how)
      if (Date.now() > deadline) {
        await stop()
        throw await death('did not start', `no answer within ${spec.startDeadlineMs / 1000} s`)
      }
      await delay(answerPollMs)
    }
    launched.endExpected = false
  }

  async function stop(): Promise<void> {
    const stopping = running
    if (stopping === undefined) return
    stopping.endExpected = true
    stopping.askToEnd()
    const timer = setTimeout(() => signalIfAlive(stopping.pid, 'SIGKILL'), spec.stopDeadlineMs)
    await stopping.ended
    clearTimeout(timer)
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (running === undefined) return
    const killed = running
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') {
      signalIfAlive(killed.pid, signal)
      return
    }
    killed.endExpected = true
    signalIfAlive(killed.pid, signal)
    await killed.ended
  }

  async function death(what: string, how: string): Promise<Error> {
    const lines = await lastLines(spec.logFile)
    return new PipelineError(`${spec.name} ${what} (${how}); the last lines of ${spec.logFile}:\n${lines}`, {
      code: 'stack_failed',
    })
  }

  return {
    get pid() {
      if (running === undefined) throw new PipelineError(`${spec.name} is not running`, { code: 'stack_failed' })
      return running.pid
    },
    start,
    stop,
    restart: async () => {
      await stop()
      await start()
    },
    kill,
  }
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function lastLines(file: string): Promise<string> {
  try {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '' && !stackFrame.test(line))
    return lines.slice(-lastLinesCount).join('\n')
  } catch {
    return '(there is no log)'
  }
}
