import { z } from 'zod'

import { dimensions, flagParser, format, tableOrJson, whole } from '../shared/io/flag-kinds.ts'

const runFlags = z.strictObject({
  from: z.string().max(10_000, 'must be at most 10000 characters').optional(),
  to: z.string().max(10_000, 'must be at most 10000 characters').optional(),
  taxonomy: whole(1, 65_535).optional(),
  source: z.literal('kafka', 'must be kafka').default('kafka'),
  processes: whole(1, 64).default(1),
  rate: whole(1, 10_000_000).optional(),
  withParent: z.boolean().default(false),
  format: tableOrJson,
})

export const parseRunFlags = flagParser('replay run', runFlags)
export const parseVerifyFlags = flagParser(
  'replay verify',
  z.strictObject({ like: z.string().optional(), format: tableOrJson }),
)
export const parseListFlags = flagParser('replay list', z.strictObject({ format: tableOrJson }))
export const parseDropFlags = flagParser('replay drop', z.strictObject({ yes: z.boolean().default(false) }))
export const parseDiffFlags = flagParser('replay diff', z.strictObject({ by: dimensions.default([]), format }))

export type RunFlags = ReturnType<typeof parseRunFlags>
