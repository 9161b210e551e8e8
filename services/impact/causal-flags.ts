import { z } from 'zod'

import { day, flagParser, tableOrJson as format, windowFaults } from '../shared/io/flag-kinds.ts'

/** So many are asked for by name; all there are without one. */
const productsMax = 16

const identifier = z.string().regex(/^[a-z0-9_]{1,32}$/, 'must be a name of a-z, 0-9 and _, at most 32 characters')

const causalFlags = z.strictObject({
  product: z
    .array(z.string())
    .max(productsMax, `are more than ${productsMax}; ask in two runs`)
    .refine((names) => names.every((name) => identifier.safeParse(name).success), 'must be names of a-z, 0-9 and _')
    .transform((names) => [...new Set(names)])
    .default([]),
  from: day.optional(),
  to: day.optional(),
  line: identifier.optional(),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be three capital letters as USD')
    .optional(),
  format,
})

export const parseCausalFlags = flagParser('impact causal', causalFlags, { alsoWrong: windowFaults })

export type CausalFlags = ReturnType<typeof parseCausalFlags>
