/** What a contender is to the bench: a process of its own that drains the topic, or ClickHouse draining it by itself. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'

import { nodeFlags } from '../../services/shared/io/heap.ts'

/** A process by its file, or the Kafka engine by its format. The first is the one that all others are compared with. */
export const contenders = {
  ours: { title: 'this project', file: 'our-consumer.ts' },
  'engine-avro': { title: 'Kafka engine, AvroConfluent', engine: 'avro' },
  'engine-json': { title: 'Kafka engine, raw JSON', engine: 'json' },
  plain: { title: 'the plain way', file: 'plain-consumer.ts' },
} as const
/** As `services/cli.ts` has it, for both processes. */
const compileCache = join(import.meta.dirname, '../../node_modules/.cache/compiled')

export type ContenderName = keyof typeof contenders
export const contenderNames = Object.keys(contenders) as [ContenderName, ...ContenderName[]]

const span = z.object({ wallSeconds: z.number(), cpuSeconds: z.number() })

/** Seconds of wall and CPU (user and system) of the contender's process, and its largest resident set; 0 where it has none. */
const measurementFormat = z.object({
  messages: z.number(),
  /** From the start of the process until it ends: modules, compiling, joining the group and stopping are in it. */
  whole: span,
  /** From joining the group until the last message is stored. */
  drain: span,
  memoryPeakMb: z.number(),
})
export type Measurement = z.infer<typeof measurementFormat>

/** Runs one contender's file to its end. With `profileFolder` its CPU profile is written there. */
export async function runContender(
  file: string,
  options: {
    env: NodeJS.ProcessEnv
    messages: number
    profileFolder: string | undefined
    /** Kills it. */
    signal: AbortSignal
    onStart?: (pid: number) => void
  },
): Promise<Measurement> {
  const profile = options.profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileFolder}`]
  // As the product is started; the plain way has Node's own.
  const flags = file === contenders.ours.file ? nodeFlags : []
  const child = spawn(
    process.execPath,
    [...flags, ...profile, join(import.meta.dirname, file), String(options.messages)],
    {
      env: { ...options.env, NODE_COMPILE_CACHE: compileCache },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...{ signal: options.signal, killSignal: 'SIGKILL' },
    },
  )
  if (child.pid !== undefined) {
    options.onStart?.(child.pid)
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const [said, complaints, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  if (code !== 0) {
    throw new Error(`${file} ended with ${code}:\n${complaints.split('\n').slice(-20).join('\n')}`)
  }
  return measurementFormat.parse(JSON.parse(said))
}

/** Used inside a contender: marks the ends of the drain and prints the measurement. */
export function createStopwatch() {
  let joined: Instant | undefined
  let stored: Instant | undefined
  return {
    /** The first call counts. */
    joined: () => (joined ??= now()),
    stored: () => (stored ??= now()),
    print(messages: number) {
      if (joined === undefined || stored === undefined) {
        throw new Error('the contender ended before it had joined and drained the topic')
      }
      const end = now()
      const measurement: Measurement = {
        messages,
        whole: { wallSeconds: process.uptime(), cpuSeconds: end.cpuSeconds },
        drain: {
          wallSeconds: stored.wallSeconds - joined.wallSeconds,
          cpuSeconds: stored.cpuSeconds - joined.cpuSeconds,
        },
        memoryPeakMb: process.resourceUsage().maxRSS / 1024,
      }
      process.stdout.write(`${JSON.stringify(measurement)}\n`)
    },
  }
}

interface Instant {
  readonly wallSeconds: number
  readonly cpuSeconds: number
}

function now(): Instant {
  const { user, system } = process.cpuUsage()
  return { wallSeconds: performance.now() / 1_000, cpuSeconds: (user + system) / 1e6 }
}
