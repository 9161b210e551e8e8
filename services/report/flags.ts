import { z } from 'zod'

import { day, dimensions, flagParser, format, streamName, whole, windowFaults } from '../shared/io/flag-kinds.ts'
import { exportFormats, intentClasses, viewNames } from './exported-views.ts'

/** Flags that several verbs share. */
const words = z.string().max(64, 'must be at most 64 characters')
const text = words.default('')
const month = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month as 2026-03')
  .or(z.literal(''))

/** The view's own form: any, or exactly this set, sorted and joined; empty for no plan at all. */
const plans = z
  .string()
  .max(256, 'must be at most 256 characters')
  .transform((value) =>
    value === 'any'
      ? 'any'
      : [...new Set(value.split(',').map((plan) => plan.trim()))]
          .filter((plan) => plan !== '' && plan !== 'none')
          .sort()
          .join(','),
  )

const shareFlags = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  by: dimensions.default(['product']),
  product: text,
  cohort: month.default(''),
  country: text,
  plans: plans.default('any'),
  format,
})

const intentFlags = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  limit: whole(1, 1_000).default(5),
  product: text,
  country: text,
  class: z.enum(intentClasses, `must be ${intentClasses.join(', ')}`).optional(),
  format,
})

const rejectedFlags = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  reason: text,
  list: whole(1, 10_000).optional(),
  format,
})

const exportFlags = z.strictObject({
  view: z.enum(viewNames, `must be ${viewNames.join(', ')}`),
  format: z.enum(exportFormats, `must be ${exportFormats.join(', ')}`).default('parquet'),
  force: z.boolean().default(false),
  from: day.optional(),
  to: day.optional(),
  by: z
    .string()
    .transform((value) => (value.trim() === 'none' ? '' : value))
    .optional(),
  product: words.optional(),
  cohort: month.optional(),
  country: words.optional(),
  plans: plans.optional(),
  valueClass: z.enum(intentClasses, `must be ${intentClasses.join(', ')}`).optional(),
})

const auditFlags = z.strictObject({ stream: streamName.optional(), format })
const repairFlags = z.strictObject({
  stream: streamName.optional(),
  dryRun: z.boolean().default(false),
  yes: z.boolean().default(false),
})

export const parseShareFlags = flagParser('share', shareFlags, { alsoWrong: windowFaults })
export const parseIntentFlags = flagParser('intents', intentFlags, { alsoWrong: windowFaults })
export const parseRejectedFlags = flagParser('rejected', rejectedFlags, { alsoWrong: windowFaults })
export const parseExportFlags = flagParser('export', exportFlags, { alsoWrong: windowFaults })
export const parseAuditFlags = flagParser('audit', auditFlags, { alsoWrong: windowFaults })
export const parseRepairFlags = flagParser('repair', repairFlags, { alsoWrong: windowFaults })

export type ExportFlags = ReturnType<typeof parseExportFlags>
export type ShareFlags = ReturnType<typeof parseShareFlags>
export type IntentFlags = ReturnType<typeof parseIntentFlags>
export type RejectedFlags = ReturnType<typeof parseRejectedFlags>
