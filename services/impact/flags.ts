import { z } from 'zod'

import { flagParser, isPath, tableOrJson as format, whole } from '../shared/io/flag-kinds.ts'
import { horizonMonthsMax } from './scenario-schema.ts'

/** So many stand side by side in a table. */
export const scenariosMax = 6

const scenarios = z
  .array(z.string().refine(isPath, 'is no path'))
  .max(scenariosMax, `are more than ${scenariosMax}; print them in two runs`)

const paidTierFlags = z.strictObject({
  scenario: scenarios,
  seed: whole(0, 4_294_967_295).default(1),
  months: whole(1, horizonMonthsMax).optional(),
  format,
})

const parse = flagParser('impact paid-tier', paidTierFlags, { positional: ['scenario'] })

export type PaidTierFlags = ReturnType<typeof parse>

export const parsePaidTierFlags = (scenario: readonly string[], given: object): PaidTierFlags =>
  parse({ scenario, ...given })
