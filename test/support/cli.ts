/** Runs the command as a person would, in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import type { StackEndpoints } from './stack.ts'

export const cliFile = join(import.meta.dirname, '../../services/cli.ts')

export interface CliRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly child: ChildProcess
  /** Resolves when standard output or error holds the text; rejects when the process ends before. */
  said(text: string): Promise<void>
  readonly ended: Promise<CliRun>
}

/** Starts one verb. Nothing of this process' own environment that names servers goes along. */
export function startCli(args: readonly string[], env: Record<string, string> = {}, entry = cliFile): RunningCli {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [entry, ...args], {
    env: { PATH, HOME, INTENT_LEDGER_DATA: '/nonexistent', ...env },
    // A verb with a parent ends with its standard input.
    stdio: [args.some((arg) => arg.startsWith('--with-parent')) ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk
      for (const listener of listeners) {
        listener()
      }
    })
  }
  const ended = once(child, 'close').then(([code]): CliRun => ({ code: code as number | null, ...text }))
  return {
    child,
    ended,
    said: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (text.stdout.includes(wanted) || text.stderr.includes(wanted)) {
            listeners.delete(look)
            resolve()
          }
        }
        listeners.add(look)
        look()
        void ended.then(({ stderr }) =>
          reject(new Error(`the command ended before it said "${wanted}": ${stderr.slice(-500)}`)),
        )
      }),
  }
}

export function runCli(args: readonly string[], env: Record<string, string> = {}): Promise<CliRun> {
  return startCli(args, env).ended
}

/** The environment that reaches a test's stack in a role. */
export function cliEnvironment(
  stack: StackEndpoints,
  role: 'pipeline' | 'steward' | 'analyst' = 'pipeline',
): Record<string, string> {
  return {
    KAFKA_BROKERS: stack.kafkaBrokers.join(','),
    CLICKHOUSE_URL: stack.clickhouseUrl,
    CLICKHOUSE_USER: role,
    CLICKHOUSE_PASSWORD: stack.secrets[`${role}Password`],
    HOUSEHOLD_KEY: stack.secrets.householdKey,
  }
}
