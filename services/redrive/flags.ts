import { z } from 'zod'

import { rejectionReasons } from '../shared/domain/fate.ts'
import { day, flagParser, streamName, tableOrJson, windowFaults } from '../shared/io/flag-kinds.ts'

const redriveFlags = z.strictObject({
  reason: z.enum(rejectionReasons, `must be ${rejectionReasons.join(', ')}`),
  from: day.optional(),
  to: day.optional(),
  dryRun: z.boolean().default(false),
  stream: streamName.optional(),
  format: tableOrJson,
})

export const parseRedriveFlags = flagParser('redrive', redriveFlags, { alsoWrong: windowFaults })

export type RedriveFlags = ReturnType<typeof parseRedriveFlags>
