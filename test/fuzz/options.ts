import { parseArgs } from 'node:util'

import { z } from 'zod'

import { mistake } from '../../services/shared/domain/faults.ts'

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
  let values: Record<string, unknown>
  try {
    values = parseArgs({
      args,
      options: { bodies: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    }).values
  } catch (thrown) {
    throw mistake(`fuzz: ${(thrown as Error).message}`)
  }
  if (values['help'] === true) {
    return undefined
  }
  const parsed = format.safeParse(values)
  if (!parsed.success) {
    throw mistake(
      `fuzz: ${parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('; ')}`,
    )
  }
  return parsed.data
}
