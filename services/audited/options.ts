import { z } from 'zod'

import { drawings } from '../shared/domain/audited-sample.ts'
import { isDay } from '../shared/domain/day.ts'
import { mistake } from '../shared/domain/faults.ts'
import { MIN_HOUSEHOLDS } from '../shared/domain/suppression.ts'
import { auditedEventsMax } from './load.ts'

const audit = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/,
    'must be 1 to 32 letters, digits, ., _ and -, and begin with one of the first two',
  )
const drawn = z.enum(drawings, `must be ${drawings.join(', ')}`)
const format = z.enum(['table', 'json'], 'must be table or json').default('table')
const day = z.string().refine(isDay, 'must be a day as 2026-03-31')
const whole = (low: number, high: number) =>
  z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(low, `must be at least ${low}`)
    .max(high, `must be at most ${high}`)

const loadOptions = z.strictObject({ name: audit, drawn, dryRun: z.boolean().default(false), format })
const drawOptions = z
  .strictObject({
    // Fewer would not be shown once they are audited.
    events: whole(MIN_HOUSEHOLDS, auditedEventsMax),
    drawn,
    seed: whole(0, 2 ** 48 - 1).optional(),
    from: day.optional(),
    to: day.optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    error: ({ input }) => {
      const { from, to } = input as { from: string; to: string }
      return `${from} is a day after --to ${to}`
    },
    path: ['from'],
  })
const listOptions = z.strictObject({ format })
const dropOptions = z.strictObject({ audit })

export const parseLoadOptions = parser('load', loadOptions)
export const parseDrawOptions = parser('draw', drawOptions)
export const parseListOptions = parser('list', listOptions)
export const parseDropOptions = parser('drop', dropOptions)

/** Arguments; all else are options. */
const positional = ['events', 'audit']

/** Checks what was typed; all mistakes come back together, in one sentence. */
function parser<T extends z.ZodType>(verb: string, schema: T): (given: unknown) => z.output<T> {
  return (given) => {
    const parsed = schema.safeParse(given)
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => {
        const name = String(path[0])
        return `${positional.includes(name) ? `<${name}>` : `--${name}`} ${message}`
      })
      throw mistake(`audited ${verb}: ${faults.join('; ')}`)
    }
    return parsed.data
  }
}
