import { z } from 'zod'

import { isDay } from '../shared/domain/day.ts'
import { mistake } from '../shared/domain/faults.ts'
import { exportFormats, intentClasses, shareDimensions, viewNames } from './exported-views.ts'
import { formats } from '../shared/io/render.ts'

/** Flags that several verbs share. */
const day = z.string().refine(isDay, 'must be a day as 2026-03-31')
const format = z.enum(formats, `must be ${formats.join(', ')}`).default('table')
const words = z.string().max(64, 'must be at most 64 characters')
const text = words.default('')
const count = (high: number) =>
  z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(high, `must be at most ${high}`)

const dimensions = z
  .string()
  .transform((value) => [...new Set(value.split(',').map((part) => part.trim()))].filter((part) => part !== ''))
  .transform((parts) => (parts.length === 1 && parts[0] === 'none' ? [] : parts))
  .pipe(
    z.array(
      z.enum(shareDimensions, {
        error: ({ input }) => `has no dimension ${String(input)}; there are ${shareDimensions.join(', ')}, or none`,
      }),
    ),
  )

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
  limit: count(1_000).default(5),
  product: text,
  country: text,
  class: z.enum(intentClasses, `must be ${intentClasses.join(', ')}`).optional(),
  format,
})

const rejectedFlags = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  reason: text,
  list: count(10_000).optional(),
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

const auditFlags = z.strictObject({ format })
const repairFlags = z.strictObject({ dryRun: z.boolean().default(false), yes: z.boolean().default(false) })

export const parseShareFlags = parser('share', shareFlags)
export const parseIntentFlags = parser('intents', intentFlags)
export const parseRejectedFlags = parser('rejected', rejectedFlags)
export const parseExportFlags = parser('export', exportFlags)
export const parseAuditFlags = parser('audit', auditFlags)
export const parseRepairFlags = parser('repair', repairFlags)

export type ExportFlags = ReturnType<typeof parseExportFlags>
export type ShareFlags = ReturnType<typeof parseShareFlags>
export type IntentFlags = ReturnType<typeof parseIntentFlags>
export type RejectedFlags = ReturnType<typeof parseRejectedFlags>

/** Checks the flags of a verb as they are typed; all mistakes come back together, in one sentence. */
function parser<T extends z.ZodType>(verb: string, schema: T): (given: unknown) => z.output<T> {
  return (given) => {
    const parsed = schema.safeParse(given)
    const faults = parsed.success
      ? windowFaults(parsed.data)
      : parsed.error.issues.map(({ path, message, code, ...issue }) =>
          code === 'unrecognized_keys'
            ? `has no flag ${(issue as unknown as { keys: string[] }).keys.map((key) => `--${kebab(key)}`).join(', ')}`
            : `--${kebab(String(path[0]))} ${message}`,
        )
    if (!parsed.success || faults.length > 0) {
      throw mistake(`${verb}: ${faults.join('; ')}`)
    }
    return parsed.data
  }
}

function windowFaults(flags: unknown): string[] {
  const { from, to } = flags as { from?: string; to?: string }
  return from !== undefined && to !== undefined && from > to ? [`--from ${from} is a day after --to ${to}`] : []
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
