import { z } from 'zod'

import { rejectionReasons } from '../shared/domain/fate.ts'
import { day, flagParser, tableOrJson } from '../shared/io/flag-kinds.ts'

const redriveFlags = z.strictObject({
  reason: z.enum(rejectionReasons, `must be ${rejectionReasons.join(', ')}`),
  from: day.optional(),
  to: day.optional(),
  dryRun: z.boolean().default(false),
  format: tableOrJson,
})

export const parseRedriveFlags = flagParser('redrive', redriveFlags, {
  alsoWrong(flags) {
    const { from, to } = flags as { from?: string; to?: string }
    return from !== undefined && to !== undefined && from > to ? [`--from ${from} is a day after --to ${to}`] : []
  },
})

export type RedriveFlags = ReturnType<typeof parseRedriveFlags>
