import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

import { z } from 'zod'

import { mistake } from '../../services/shared/domain/faults.ts'

export interface ChaosOptions {
  readonly kills: number
  readonly seed: number
  readonly ratePerSecond: number
  readonly tamper: boolean
  readonly keep: boolean
}

export const help = `npm run chaos -- [options]

Runs the pipeline on a Kafka and a ClickHouse of its own under a steady load, breaks things at random, and compares what
ClickHouse holds at the end with what the producer was acknowledged. Exit code 0 only when the judge and \`audit\` are clean.

  --kills <n>   faults in all (default 30)
  --seed <n>    draws the faults and the events; chosen and printed when left out
  --rate <n>    events per second, beside the second copies (default 5000)
  --tamper      after a clean end spoil the tables in four ways: judge and \`audit\` must both see each
  --keep        leave the folder with the data and the logs; a run that fails always leaves it
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
  rate: z.coerce.number().int().min(100).max(100_000).default(5_000),
  tamper: z.boolean().default(false),
  keep: z.boolean().default(false),
})

/** Undefined when help was asked for. Throws one sentence for a wrong flag. */
export function readOptions(args: string[]): ChaosOptions | undefined {
  let values: Record<string, unknown>
  try {
    values = parseArgs({
      args,
      options: {
        kills: { type: 'string' },
        seed: { type: 'string' },
        rate: { type: 'string' },
        tamper: { type: 'boolean' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (thrown) {
    throw mistake(`chaos: ${(thrown as Error).message}`)
  }
  if (values['help'] === true) {
    return undefined
  }
  const parsed = format.safeParse(values)
  if (!parsed.success) {
    throw mistake(
      `chaos: ${parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('; ')}`,
    )
  }
  const { kills, seed, rate, tamper, keep } = parsed.data
  return { kills, seed: seed ?? randomInt(2 ** 32 - 1), ratePerSecond: rate, tamper, keep }
}
