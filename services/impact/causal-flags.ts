import { z } from 'zod'

import { currency, day, flagParser, identifier, tableOrJson as format, windowFaults } from '../shared/io/flag-kinds.ts'

/** So many are asked for by name; all there are without one. */
const productsMax = 16

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
  currency: currency.optional(),
  format,
})

export const parseCausalFlags = flagParser('impact causal', causalFlags, { alsoWrong: windowFaults })

export type CausalFlags = ReturnType<typeof parseCausalFlags>
