import { z } from 'zod'

import { commaList, currency, day, flagParser, format, windowFaults } from '../shared/io/flag-kinds.ts'
import { claimDimensions, type ClaimDimension } from './claims-sql.ts'

/** `product` is always one of them. */
const by = commaList
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
  currency: currency.optional(),
  format,
})

export const parseClaimsFlags = flagParser('impact claims', claimsFlags, { alsoWrong: windowFaults })
