import { z } from 'zod'

import { drawings } from '../shared/domain/audited-sample.ts'
import { MIN_HOUSEHOLDS } from '../shared/domain/suppression.ts'
import { day, flagParser, tableOrJson as format, whole, windowFaults } from '../shared/io/flag-kinds.ts'
import { auditedEventsMax } from './load.ts'

const audit = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/,
    'must be 1 to 32 letters, digits, ., _ and -, and begin with one of the first two',
  )
const drawn = z.enum(drawings, `must be ${drawings.join(', ')}`)

const loadOptions = z.strictObject({ name: audit, drawn, dryRun: z.boolean().default(false), format })
const drawOptions = z.strictObject({
  // Fewer would not be shown once they are audited.
  events: whole(MIN_HOUSEHOLDS, auditedEventsMax),
  drawn,
  seed: whole(0, 2 ** 48 - 1).optional(),
  from: day.optional(),
  to: day.optional(),
})
const listOptions = z.strictObject({ format })
const dropOptions = z.strictObject({ audit })

/** Arguments; all else are options. */
const positional = ['events', 'audit']

export const parseLoadOptions = flagParser('audited load', loadOptions, { positional })
export const parseDrawOptions = flagParser('audited draw', drawOptions, { positional, alsoWrong: windowFaults })
export const parseListOptions = flagParser('audited list', listOptions, { positional })
export const parseDropOptions = flagParser('audited drop', dropOptions, { positional })
