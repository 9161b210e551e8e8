import { parseArgs } from 'node:util'

import { z } from 'zod'

import { mistake } from '../../services/shared/domain/faults.ts'
import { contenders, type ContenderName } from './contender.ts'

export interface BenchOptions {
  readonly events: number
  readonly rounds: number
  readonly only: readonly ContenderName[]
  readonly profileFolder: string | undefined
}

export const eventsDefault = 2_000_000

export const help = `npm run bench -- [options]

Drains a topic of simulated events (4 partitions, 1 % sent twice, 0.5 % malformed) into ClickHouse with roll-ups, by this
project's classifier and by the plain way, in turn, and prints what each costs. Starts its own Kafka and ClickHouse.

  --events <n>        events in the topic, beside the second copies (default ${eventsDefault})
  --rounds <n>        runs of each contender, in turn (default 3)
  --only <name>       ${Object.keys(contenders).join(' or ')}
  --profile <folder>  write a CPU profile of every contender's process there (slows it)
  --help

A run of both contenders with ${eventsDefault} events or more writes test/bench/results.json and the table in test/bench/README.md.

Example: npm run bench -- --events 200000 --rounds 1 --only ours
`

const format = z.object({
  events: z.coerce.number().int().min(1_000).max(100_000_000).default(eventsDefault),
  rounds: z.coerce.number().int().min(1).max(100).default(3),
  only: z.enum(Object.keys(contenders) as [ContenderName]).optional(),
  profile: z.string().optional(),
})

/** Undefined when help was asked for. Throws one sentence for a wrong flag. */
export function readOptions(args: string[]): BenchOptions | undefined {
  let values: Record<string, unknown>
  try {
    values = parseArgs({
      args,
      options: {
        events: { type: 'string' },
        rounds: { type: 'string' },
        only: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (thrown) {
    throw mistake(`bench: ${(thrown as Error).message}`)
  }
  if (values['help'] === true) {
    return undefined
  }
  const parsed = format.safeParse(values)
  if (!parsed.success) {
    throw mistake(
      `bench: ${parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('; ')}`,
    )
  }
  const { events, rounds, only, profile } = parsed.data
  return {
    events,
    rounds,
    only: only === undefined ? (Object.keys(contenders) as ContenderName[]) : [only],
    profileFolder: profile,
  }
}
