import { z } from 'zod'

import { mistake } from '../shared/domain/faults.ts'
import { formats } from '../shared/io/render.ts'

const format = z.enum(formats, `must be ${formats.join(', ')}`).default('table')
const tableOrJson = z.enum(['table', 'json'], 'must be table or json').default('table')
const count = (high: number) =>
  z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(high, `must be at most ${high}`)

export const diffDimensions = ['product', 'cohort_month', 'country', 'plans', 'day'] as const
export type DiffDimension = (typeof diffDimensions)[number]

const dimensions = z
  .string()
  .transform((value) => [...new Set(value.split(',').map((part) => part.trim()))].filter((part) => part !== ''))
  .transform((parts) => (parts.length === 1 && parts[0] === 'none' ? [] : parts))
  .pipe(
    z.array(
      z.enum(diffDimensions, {
        error: ({ input }) =>
          `has no dimension ${String(input).slice(0, 64)}; there are ${diffDimensions.join(', ')}, or none`,
      }),
    ),
  )

const runFlags = z.strictObject({
  from: z.string().max(10_000, 'must be at most 10000 characters').optional(),
  to: z.string().max(10_000, 'must be at most 10000 characters').optional(),
  taxonomy: count(65_535).optional(),
  source: z.literal('kafka', 'must be kafka').default('kafka'),
  processes: count(64).default(1),
  rate: count(10_000_000).optional(),
  withParent: z.boolean().default(false),
  format: tableOrJson,
})

export const parseRunFlags = parser('replay run', runFlags)
export const parseVerifyFlags = parser(
  'replay verify',
  z.strictObject({ like: z.string().optional(), format: tableOrJson }),
)
export const parseListFlags = parser('replay list', z.strictObject({ format: tableOrJson }))
export const parseDropFlags = parser('replay drop', z.strictObject({ yes: z.boolean().default(false) }))
export const parseDiffFlags = parser('replay diff', z.strictObject({ by: dimensions.default([]), format }))

export type RunFlags = ReturnType<typeof parseRunFlags>

/** All mistakes of a verb's flags together, in one sentence. */
function parser<T extends z.ZodType>(verb: string, schema: T): (given: unknown) => z.output<T> {
  return (given) => {
    const parsed = schema.safeParse(given)
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `--${String(path[0])} ${message}`)
      throw mistake(`${verb}: ${faults.join('; ')}`)
    }
    return parsed.data
  }
}
