/** The classifier processes of a run, kept running as a supervisor would: what ends unasked is started again. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Fleet {
  /** Names of those that should run, paused ones too. */
  members(): number[]
  add(): Promise<number>
  /** SIGTERM; resolves when it has ended. Throws when it does not end in order. */
  remove(member: number): Promise<void>
  /** SIGKILL; it is started again. */
  kill(member: number): void
  pause(member: number): void
  resume(member: number): void
  /** What each that ended by itself said last. */
  endedByThemselves(): readonly string[]
  stop(): Promise<void>
  /** For the end of a run that failed. */
  killAll(): void
}

interface Member {
  child: ChildProcess
  wanted: boolean
  killed: boolean
}

const cliFile = join(import.meta.dirname, '../../services/cli.ts')
const restartPauseMs = 300
const stopDeadlineMs = 30_000

export function createFleet(options: {
  /** The environment of a member, also of its later lives. */
  environmentOf: (member: number) => Promise<NodeJS.ProcessEnv>
  folder: string
  say: (line: string) => void
}): Fleet {
  const members = new Map<number, Member>()
  const ownEnds: string[] = []
  let named = 0

  function launch(name: number, env: NodeJS.ProcessEnv): ChildProcess {
    const logFile = join(options.folder, `classifier-${name}.log`)
    const log = openSync(logFile, 'a', 0o600)
    // A group of its own, so that Ctrl-C reaches only us; it ends with our end of its standard input.
    const child = spawn(process.execPath, [cliFile, 'classify', '--with-parent'], {
      env,
      stdio: ['pipe', log, log],
      detached: true,
    })
    child.stdin!.on('error', () => undefined)
    child.once('exit', (code, signal) => {
      const member = members.get(name)
      if (member === undefined || !member.wanted) {
        return
      }
      if (!member.killed) {
        const said = readFileSync(logFile, 'utf8').trimEnd().split('\n').at(-1)!
        ownEnds.push(`classifier ${name} (${signal ?? `exit code ${code}`}): ${said}`)
        options.say(`  classifier ${name} ended by itself (${signal ?? `exit code ${code}`}): ${said.slice(0, 300)}`)
      }
      void sleep(restartPauseMs).then(() => {
        if (member.wanted) {
          member.killed = false
          member.child = launch(name, env)
        }
      })
    })
    return child
  }

  const get = (name: number) => members.get(name)!
  async function remove(name: number): Promise<void> {
    const member = get(name)
    const { child } = member
    member.wanted = false
    members.delete(name)
    if (child.exitCode !== null || child.signalCode !== null) {
      return
    }
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>
    let isOverdue = false
    const overdue = setTimeout(() => {
      isOverdue = true
      child.kill('SIGKILL')
    }, stopDeadlineMs)
    child.kill('SIGTERM')
    child.kill('SIGCONT')
    const [code] = await ended
    clearTimeout(overdue)
    if (isOverdue) {
      throw new Error(`classifier ${name} did not stop within ${stopDeadlineMs / 1_000} s`)
    }
    // One that a fault has just killed may not have ended yet.
    if (code !== 0 && !member.killed) {
      ownEnds.push(`classifier ${name}, asked to stop: exit code ${code}`)
    }
  }

  return {
    members: () => [...members.keys()],
    async add() {
      const name = ++named
      const env = await options.environmentOf(name)
      members.set(name, { child: launch(name, env), wanted: true, killed: false })
      return name
    },
    remove,
    kill(name) {
      get(name).killed = true
      get(name).child.kill('SIGKILL')
    },
    pause: (name) => void get(name).child.kill('SIGSTOP'),
    resume: (name) => void members.get(name)?.child.kill('SIGCONT'),
    endedByThemselves: () => ownEnds,
    async stop() {
      await Promise.all([...members.keys()].map(remove))
    },
    killAll() {
      for (const member of members.values()) {
        member.wanted = false
        member.child.kill('SIGKILL')
      }
    },
  }
}
