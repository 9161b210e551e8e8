import { z } from 'zod'

import { isDay } from '../domain/day.ts'
import { mistake } from '../domain/faults.ts'
import { streamNames } from '../domain/streams.ts'
import { formats } from './render.ts'

/** What flags of several verbs are made of. Every message is the second half of a sentence that begins with the flag. */
export const whole = (low: number, high: number) =>
  z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(low, `must be at least ${low}`)
    .max(high, `must be at most ${high}`)

export const day = z.string().refine(isDay, 'must be a day as 2026-03-31')
export const format = z.enum(formats, `must be ${formats.join(', ')}`).default('table')
export const tableOrJson = z.enum(['table', 'json'], 'must be table or json').default('table')

/** A system's own bounds of a path, which it tells in a sentence of its own. */
export function isPath(given: string): boolean {
  return given !== '' && !given.includes('\0') && given.length <= 4_096
}

/** As commander takes it. */
export const streamOption = ['--stream <name>', `${streamNames.join(', ')} (default STREAM)`] as const

/** A stream by its name. */
export const streamName = z.enum(streamNames, `must be ${streamNames.join(', ')}`)

export const currency = z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters as USD')

/** A product, or a line of orders, as the streams name them. */
export const identifier = z
  .string()
  .regex(/^[a-z0-9_]{1,32}$/, 'must be a name of a-z, 0-9 and _, at most 32 characters')

/** Names joined by commas, each once. */
export const commaList = z
  .string()
  .transform((value) => [...new Set(value.split(',').map((part) => part.trim()))].filter((part) => part !== ''))

/** What a share may be split by. */
export const shareDimensions = ['product', 'cohort_month', 'country', 'plans', 'day'] as const
export type ShareDimension = (typeof shareDimensions)[number]

/** `none` for no split at all. */
export const dimensions = commaList
  .transform((parts) => (parts.length === 1 && parts[0] === 'none' ? [] : parts))
  .pipe(
    z.array(
      z.enum(shareDimensions, {
        error: ({ input }) =>
          `has no dimension ${String(input).slice(0, 64)}; there are ${shareDimensions.join(', ')}, or none`,
      }),
    ),
  )

/** Each mistake as a sentence's part: the flag as it is typed (`positional` names are arguments), and what is wrong. */
export function flagFaults({ issues }: z.ZodError, positional: readonly string[] = []): string[] {
  return issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return `has no flag ${issue.keys.map((key) => `--${kebab(key)}`).join(', ')}`
    }
    const name = String(issue.path[0])
    return `${positional.includes(name) ? `<${name}>` : `--${kebab(name)}`} ${issue.message}`
  })
}

/** Checks what was typed of a verb; all mistakes come back together, in one sentence. */
export function flagParser<T extends z.ZodType>(
  verb: string,
  schema: T,
  { positional, alsoWrong = () => [] }: FlagParserOptions = {},
): (given: unknown) => z.output<T> {
  return (given) => {
    const parsed = schema.safeParse(given)
    const faults = parsed.success ? alsoWrong(parsed.data) : flagFaults(parsed.error, positional)
    if (!parsed.success || faults.length > 0) {
      throw mistake(`${verb}: ${faults.join('; ')}`)
    }
    return parsed.data
  }
}

export interface FlagParserOptions {
  /** Arguments; all else are flags. */
  readonly positional?: readonly string[]
  /** What flags that are each well typed say against each other. */
  readonly alsoWrong?: (flags: unknown) => string[]
}

/** For `alsoWrong`: days that are given the wrong way round. */
export function windowFaults(flags: unknown): string[] {
  const { from, to } = flags as { from?: string; to?: string }
  return from !== undefined && to !== undefined && from > to ? [`--from ${from} is a day after --to ${to}`] : []
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
