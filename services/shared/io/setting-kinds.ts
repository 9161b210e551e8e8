import { z } from 'zod'

/** One variable of the environment. */
export interface Variable<T> {
  readonly schema: z.ZodType<T>
  readonly what: string
  /** Never printed. */
  readonly secret?: boolean
}

export const text = z.string().min(1)
export const count = (min: number, max: number, standard: number) =>
  z.coerce.number('must be a number').int('must be a whole number').min(min).max(max).default(standard)
