import { randomInt } from 'node:crypto'

import { z } from 'zod'

import { checkFlags, parseFlags } from '../support/flags.ts'
import { kindsOfFaults, type FaultKind } from './faults.ts'

export interface ChaosOptions {
  readonly kills: number
  readonly seed: number
  readonly brokers: 1 | 3
  readonly ratePerSecond: number
  /** Faults after which the run waits until every partition goes on; the others meet the next fault at once. */
  readonly waitedPercent: number
  /** Draws from these kinds only. */
  readonly only: readonly FaultKind[] | undefined
  readonly tamper: boolean
  readonly keep: boolean
  readonly format: 'text' | 'json'
}

export const help = `npm run chaos -- [options]

Runs the pipeline on a Kafka and a ClickHouse of its own under a steady load, breaks things at random, and compares what
ClickHouse holds at the end with what the producer was acknowledged. Exit code 0 only when the judge and \`audit\` are clean.

  --kills <n>   faults in all (default 30)
  --seed <n>    draws the faults and the events; chosen and printed when left out
  --brokers <n> 1 (default), or 3: a cluster with replication 3 and min.insync.replicas 2, one broker killed at a time
  --rate <n>    events per second, beside the second copies (default 5000)
  --waited <n>  per cent of the faults after which it waits until every partition goes on (default 65)
  --only <list> only these kinds, with commas between: ${kindsOfFaults.slice(0, 2).join(',')}, …; a wrong one lists all
  --tamper      after a clean end spoil the tables in four ways: judge and \`audit\` must both see each
  --keep        leave the folder with the data and the logs; a run that fails always leaves it
  --format json the figures as one line on standard output (a line of results.ndjson), all else on standard error
  --help

Example: npm run chaos -- --kills 30 --seed 1
`

const format = z.object({
  kills: z.coerce.number().int().min(0).max(100_000).default(30),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional(),
  brokers: z.enum(['1', '3'], 'must be 1 or 3').default('1'),
  only: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(kindsOfFaults)))
    .optional(),
  waited: z.coerce.number().int().min(0).max(100).default(65),
  format: z.enum(['text', 'json']).default('text'),
  rate: z.coerce.number().int().min(100).max(100_000).default(5_000),
  tamper: z.boolean().default(false),
  keep: z.boolean().default(false),
})

/** Undefined when help was asked for. Throws one sentence for a wrong flag. */
export function readOptions(args: string[]): ChaosOptions | undefined {
  const values = parseFlags('chaos', args, {
    kills: { type: 'string' },
    seed: { type: 'string' },
    rate: { type: 'string' },
    brokers: { type: 'string' },
    waited: { type: 'string' },
    only: { type: 'string' },
    format: { type: 'string' },
    tamper: { type: 'boolean' },
    keep: { type: 'boolean' },
  })
  if (values === undefined) {
    return undefined
  }
  const { seed, rate, waited, brokers, only, ...rest } = checkFlags('chaos', format, values)
  return {
    ...rest,
    only,
    brokers: brokers === '3' ? 3 : 1,
    seed: seed ?? randomInt(2 ** 32 - 1),
    ratePerSecond: rate,
    waitedPercent: waited,
  }
}
