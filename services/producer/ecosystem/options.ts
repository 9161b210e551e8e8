import { randomInt } from 'node:crypto'

import { z } from 'zod'

import { flagParser, isPath, tableOrJson, whole } from '../../shared/io/flag-kinds.ts'

const seedMax = 2 ** 32 - 1
/** All of them are held in memory: about 1 GB. */
const householdsMax = 100_000

const parse = flagParser(
  'simulate-ecosystem',
  z.strictObject({
    households: whole(1, householdsMax).default(30_000),
    /** Drawn and printed when not given. */
    seed: whole(0, seedMax).optional(),
    duplicates: z.coerce
      .number('must be a number')
      .min(0, 'must be from 0 to 1')
      .max(1, 'must be from 0 to 1')
      .default(0),
    truth: z.string().refine(isPath, 'is no path').optional(),
    format: tableOrJson,
  }),
)

export interface EcosystemOptions {
  readonly households: number
  readonly seed: number
  readonly duplicatesShare: number
  /** Where the truth is written, if anywhere. */
  readonly truthFile: string | undefined
  readonly format: 'table' | 'json'
}

/** Checks the flags; all mistakes come back together, in one sentence. */
export function parseEcosystemFlags(given: unknown): EcosystemOptions {
  const { households, seed, duplicates, truth, format } = parse(given)
  return { households, seed: seed ?? randomInt(seedMax), duplicatesShare: duplicates, truthFile: truth, format }
}
