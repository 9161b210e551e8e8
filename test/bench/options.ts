import { z } from 'zod'

import { checkFlags, parseFlags } from '../support/flags.ts'
import { contenderNames, contenders, type ContenderName } from './contender.ts'

export interface BenchOptions {
  readonly events: number
  readonly rounds: number
  /** Share of the events that are spoiled. */
  readonly malformed: number
  readonly only: readonly ContenderName[]
  readonly profileFolder: string | undefined
  /** Results go into results.json, README.md and the chart. */
  readonly save: boolean
}

const eventsDefault = 2_000_000
const roundsDefault = 5
const malformedDefault = 0.005
const quick = { events: 200_000, rounds: 1 }

export const help = `npm run bench -- [options]

Drains a topic of simulated events (4 partitions, 1 % sent twice, some malformed) into ClickHouse with roll-ups, by each
contender in turn, proves that all stored the same, and prints what each costs. Starts its own Kafka and ClickHouse.

  --events <n>        events in the topic, beside the second copies (default ${eventsDefault})
  --rounds <n>        runs of each contender, in turn (default ${roundsDefault})
  --malformed <share> share of them that is malformed (default ${malformedDefault}); the Kafka engine throws for each in Avro
  --only <a,b>        some of the contenders: ${contenderNames.join(', ')}
  --quick             ${quick.events} events, ${quick.rounds} round: under 2 minutes, to see that everything runs
  --profile <folder>  write a CPU profile of every contender's process there (slows it)
  --no-save           only print
  --draw              no run: draw table and chart anew from test/bench/results.json
  --help

Contenders:
${contenderNames.map((name) => `  ${name.padEnd(18)}  ${contenders[name].title}`).join('\n')}

A run of all contenders with ${eventsDefault} events or more, without --malformed, --no-save and --profile, writes test/bench/results.json, and
the table and the chart of test/bench/README.md.

Other benches, each with --help:
  npm run bench -- latency   from Kafka's acknowledgement until a query sees the event
  npm run bench -- producer  events/s of simulate to an acknowledged topic
  npm run bench -- memory    our process under a large backlog
  npm run bench -- queries   usage_share and audit over 100,000,000 events
  npm run bench -- scale     what a second process of the group adds
  npm run bench -- decode    a record out of a fetch: kafkajs' decoder and ours
  npm run bench -- walker    an event's fields: avro-js and ours

Example: npm run bench -- --events 200000 --rounds 1 --only ours,engine-avro
`

const count = (low: number, high: number) => z.coerce.number().int().min(low).max(high)
const format = z.object({
  events: count(1_000, 100_000_000).optional(),
  rounds: count(1, 100).optional(),
  malformed: z.coerce.number().min(0).max(1).default(malformedDefault),
  only: z
    .string()
    .transform((names) => names.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(contenderNames)))
    .default([...contenderNames]),
  quick: z.boolean().default(false),
  profile: z.string().optional(),
  'no-save': z.boolean().default(false),
})

/** What was asked for. Throws one sentence for a wrong flag. */
export function readOptions(args: string[]): BenchOptions | 'help' | 'draw' {
  const values = parseFlags('bench', args, {
    events: { type: 'string' },
    rounds: { type: 'string' },
    malformed: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean' },
    profile: { type: 'string' },
    'no-save': { type: 'boolean' },
    draw: { type: 'boolean' },
  })
  if (values === undefined || values['draw'] === true) {
    return values === undefined ? 'help' : 'draw'
  }
  const { only, malformed, profile, ...asked } = checkFlags('bench', format, values)
  const defaults = asked.quick ? quick : { events: eventsDefault, rounds: roundsDefault }
  const { events = defaults.events, rounds = defaults.rounds } = asked
  // In their own order and each once, whatever the flag says.
  const chosen = contenderNames.filter((name) => only.includes(name))
  // A small run would put its start-up costs into the books, and another topic would be another race.
  const sameTopic = events >= eventsDefault && malformed === malformedDefault
  const whole = sameTopic && chosen.length === contenderNames.length && profile === undefined
  return { events, rounds, malformed, only: chosen, profileFolder: profile, save: whole && !asked['no-save'] }
}

/** Flags of another bench, all whole numbers. Undefined when its help was asked for. */
export function readCounts<Name extends string>(
  args: string[],
  bounds: Record<Name, readonly [low: number, high: number, standard: number]>,
): Record<Name, number> | undefined {
  const names = Object.keys(bounds) as Name[]
  const values = parseFlags('bench', args, Object.fromEntries(names.map((name) => [name, { type: 'string' }])))
  if (values === undefined) {
    return undefined
  }
  const shape = names.map((name) => [name, count(bounds[name][0], bounds[name][1]).default(bounds[name][2])])
  return checkFlags('bench', z.object(Object.fromEntries(shape) as Record<Name, z.ZodType<number>>), values) as Record<
    Name,
    number
  >
}
