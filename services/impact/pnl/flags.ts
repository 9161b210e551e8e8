import { z } from 'zod'

import { currency, day, flagParser, format, isPath, windowFaults } from '../../shared/io/flag-kinds.ts'
import { groupings } from './print.ts'

const pnlFlags = z.strictObject({
  assumptions: z.string().refine(isPath, 'is no path'),
  product: z.string().max(64, 'must be at most 64 characters').optional(),
  by: z.enum(groupings, `must be ${groupings.join(' or ')}`).default('product'),
  from: day.optional(),
  to: day.optional(),
  currency: currency.optional(),
  format,
})

const parse = flagParser('impact pnl', pnlFlags, { positional: ['assumptions'], alsoWrong: windowFaults })

export type PnlFlags = ReturnType<typeof parse>

export const parsePnlFlags = (assumptions: string, given: object): PnlFlags => parse({ assumptions, ...given })
