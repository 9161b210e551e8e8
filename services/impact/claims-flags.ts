import { z } from 'zod'

import { day, flagParser, format, windowFaults } from '../shared/io/flag-kinds.ts'
import { claimDimensions, type ClaimDimension } from './claims-sql.ts'

/** Names joined by commas, each once; `product` is always one of them. */
const by = z
  .string()
  .transform((value) => [...new Set(value.split(',').map((part) => part.trim()))].filter((part) => part !== ''))
  .pipe(
    z.array(
      z.enum(['product', ...claimDimensions], {
        error: ({ input }) =>
          `has no dimension ${String(input).slice(0, 64)}; there are product, ${claimDimensions.join(', ')}`,
      }),
    ),
  )
  .transform((parts) => parts.filter((part): part is ClaimDimension => part !== 'product'))

const claimsFlags = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  by: by.default([]),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be three capital letters as USD')
    .optional(),
  format,
})

export const parseClaimsFlags = flagParser('impact claims', claimsFlags, { alsoWrong: windowFaults })
