/** Classifiers of a test: as child processes that can be watched, stopped and killed, or in this process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { ClassifierParts } from '../../services/classifier/classifier.ts'
import { runClassifier } from '../../services/classifier/main.ts'
import { waitFor } from './wait-for.ts'

export interface Stoppable {
  stop(): Promise<void>
  /** Throws when it has ended, so that nobody waits for it in vain. */
  readonly assertAlive: () => void
}

export interface ClassifierProcess extends Stoppable {
  readonly child: ChildProcess
  /** Resolves when the process is at its STOP_AT. */
  atStep(): Promise<void>
  /** Resolves with the signal or exit code it ended by; rejects with its log when it goes on for too long. */
  ended(timeoutMs?: number): Promise<string>
  stderr(): string
  /** Waits until its log holds a message so many times. */
  logged(message: string, times?: number): Promise<void>
  /** What /readyz says now: undefined when it is ready, or why it is not. */
  notReady(): Promise<string | undefined>
  /** The sum of a counter over the labels given, as /metrics says it now. */
  counter(name: string, labels?: string): Promise<number>
  /** The largest resident size it has had so far, in megabytes of 2^20 bytes. */
  peakMegabytes(): number
}

export interface RunningClassifier extends Stoppable {
  /** Resolves when it stopped, rejects with the fault that stopped it. */
  readonly running: Promise<void>
}

const entry = join(import.meta.dirname, 'stopping-classifier.ts')

/** Starts a child process that may stop itself at a step, see `stopping-classifier.ts`. */
export function startClassifierProcess(env: NodeJS.ProcessEnv, nodeOptions: readonly string[]): ClassifierProcess {
  const child = spawn(process.execPath, [...nodeOptions, entry], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  // A rebalance on a busy machine can take its whole time-out of 30 s.
  const ended = (timeoutMs = 120_000) =>
    waitFor('the classifier to end', () => hasEnded() && (child.signalCode ?? String(child.exitCode)), {
      timeoutMs,
    }).catch((thrown: unknown) => {
      throw new Error(`${String(thrown)}\n${stderr.slice(-3_000)}`)
    })
  const ask = (path: string) => fetch(`http://127.0.0.1:${/"port":(\d+)/.exec(stderr)?.[1]}${path}`)
  return {
    child,
    ended,
    stderr: () => stderr,
    async logged(message, times = 1) {
      await waitFor(`the classifier to log "${message}" (${times})`, () => stderr.split(message).length > times)
    },
    async notReady() {
      const response = await ask('/readyz')
      const text = await response.text()
      return response.status === 200 ? undefined : text.trim()
    },
    async counter(name, labels = '') {
      const text = await (await ask('/metrics')).text()
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      return lines
        .filter((line) => line.includes(labels))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
    },
    peakMegabytes() {
      const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]
      return Math.round(Number(kilobytes) / 1_024)
    },
    assertAlive() {
      if (hasEnded()) {
        throw new Error(`the classifier ended (${child.signalCode ?? child.exitCode}):\n${stderr.slice(-3_000)}`)
      }
    },
    async atStep() {
      await waitFor('the classifier to reach its step', () => stdout.includes('stopping') || hasEnded())
      if (!stdout.includes('stopping')) {
        throw new Error(`the classifier ended before its step:\n${stderr.slice(-3_000)}`)
      }
    },
    async stop() {
      if (hasEnded()) {
        return
      }
      // A stopped process takes no SIGTERM; it is only ever left over by a test that failed.
      const overdue = setTimeout(() => child.kill('SIGKILL'), 15_000)
      child.kill('SIGTERM')
      child.kill('SIGCONT')
      const end = await ended()
      clearTimeout(overdue)
      if (end !== '0') {
        throw new Error(`the classifier did not stop cleanly (${end}):\n${stderr.slice(-3_000)}`)
      }
    },
  }
}

/** Runs a classifier in this process. */
export function startClassifierHere(
  env: NodeJS.ProcessEnv,
  decorate?: (parts: ClassifierParts) => ClassifierParts,
): RunningClassifier {
  const signal = new AbortController()
  let end: { fault?: unknown } | undefined
  const running = runClassifier(env, signal.signal, decorate)
  running.then(
    () => (end = {}),
    (fault: unknown) => (end = { fault }),
  )
  return {
    running,
    assertAlive() {
      if (end !== undefined) {
        throw new Error('the classifier ended', { cause: end.fault })
      }
    },
    async stop() {
      signal.abort()
      await running
    },
  }
}
