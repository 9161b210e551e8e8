import { z } from 'zod'

import { dimensions, flagParser, format, isPath, tableOrJson, whole } from '../shared/io/flag-kinds.ts'

/** `kafka`, or `archive` and its folder. */
const source = z
  .array(z.string())
  .default(['kafka'])
  .refine(
    ([kind, dir, ...more]) =>
      more.length === 0 &&
      (kind === 'kafka' ? dir === undefined : kind === 'archive' && dir !== undefined && isPath(dir)),
    'must be kafka, or archive and its folder',
  )
  .transform(([, archiveDir]) => ({ archiveDir }))

/** Which of a parent's processes this one is: the second of four is `2/4`. */
const part = z
  .string()
  .regex(/^[1-9]\d{0,2}\/[1-9]\d{0,2}$/, 'must be a part of all processes as 2/4')
  .transform((text) => {
    const [number, of] = text.split('/').map(Number) as [number, number]
    return { index: number - 1, of }
  })
  .refine(({ index, of }) => index < of, 'must be a part of all processes as 2/4')

const runFlags = z.strictObject({
  from: z.string().max(10_000, 'must be at most 10000 characters').optional(),
  to: z.string().max(10_000, 'must be at most 10000 characters').optional(),
  taxonomy: whole(1, 65_535).optional(),
  source,
  processes: whole(1, 64).default(1),
  rate: whole(1, 10_000_000).optional(),
  withParent: part.optional(),
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
