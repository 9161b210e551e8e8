import { z } from 'zod'

import { checkFlags, parseFlags } from '../support/flags.ts'

export interface FuzzOptions {
  readonly bodies: number
  readonly seed: number
}

export const help = `npm run fuzz -- [options]

Walks random Avro bodies (valid, mutated, truncated, extended, random) of random schemas and of the shipped ones, and compares
verdict and field values with avro-js. Exits 1 on the first difference that is not a known one, with all it takes to see it again.

  --bodies <n>  how many (default 1000000)
  --seed <n>    the same seed gives the same bodies (default 1)
  --help

Example: npm run fuzz -- --bodies 100000 --seed 7
`

const format = z.object({
  bodies: z.coerce.number().int().min(1).max(1_000_000_000).default(1_000_000),
  seed: z.coerce.number().int().min(0).max(4_294_967_295).default(1),
})

/** Undefined when help was asked for. Throws one sentence for a wrong flag. */
export function readOptions(args: string[]): FuzzOptions | undefined {
  const values = parseFlags('fuzz', args, { bodies: { type: 'string' }, seed: { type: 'string' } })
  return values === undefined ? undefined : checkFlags('fuzz', format, values)
}
