import { randomInt } from 'node:crypto'

import { z } from 'zod'

import { mistake } from '../shared/domain/faults.ts'
import { tableOrJson, whole } from '../shared/io/flag-kinds.ts'
import { dayMs } from './traffic.ts'

const share = z.coerce.number('must be a number').min(0, 'must be from 0 to 1').max(1, 'must be from 0 to 1')
const seedMax = 2 ** 32 - 1

/** The flags of `simulate` as they are typed. */
const flags = z.strictObject({
  /** Events to send, beside their second copies; households follow from it. Not with `households`. */
  events: whole(1, 1_000_000_000).optional(),
  /** Days of history; 390 and 400 days back an event is too old. */
  days: whole(1, 390).default(14),
  /** Households; their events follow from it. 2,000 when neither is given. */
  households: whole(1, 10_000_000).optional(),
  /** Last day (UTC), whole: yesterday by default, because an event of later today would lie in the future. */
  until: z.string().optional(),
  /** Events per second, happening as they are sent; 0 sends history as fast as it goes. */
  rate: z.coerce
    .number('must be a number')
    .min(0, 'must be 0 or more')
    .max(100_000, 'must be at most 100000')
    .default(0),
  /** Drawn and printed when not given. */
  seed: whole(0, seedMax).optional(),
  duplicates: share.default(0),
  malformed: share.default(0),
  schemaVersion: z.enum(['1', '2', 'mixed'], 'must be 1, 2 or mixed').default('2'),
  format: tableOrJson,
})

export interface SimulationOptions {
  readonly seed: number
  /** Days since 1970-01-01 UTC. */
  readonly firstDay: number
  readonly days: number
  readonly size: { readonly households: number } | { readonly events: number }
  /** Events per second in live mode; 0 is history. */
  readonly ratePerSecond: number
  /** Live mode stops after this many; history has its own number. */
  readonly liveEventsMax: number
  readonly duplicatesShare: number
  readonly malformedShare: number
  readonly schemaVersion: 1 | 2 | 'mixed'
  readonly format: 'table' | 'json'
}

export type SimulationFlags = z.input<typeof flags>

const householdsDefault = 2_000

/** Checks the flags; all mistakes come back together, in one sentence. `nowMs` is the clock's. */
export function parseSimulationFlags(given: unknown, nowMs: number): SimulationOptions {
  const parsed = flags.safeParse(given)
  if (!parsed.success) {
    throw mistake(`simulate: ${describeFlagMistakes(parsed.error)}`)
  }
  const { events, households, days, until, rate } = parsed.data
  const live = rate > 0
  if (events !== undefined && households !== undefined && !live) {
    throw mistake('simulate: give --events or --households, not both: one follows from the other')
  }
  const lastDay = parseLastDay('simulate', until, nowMs)
  const firstDay = lastDay - days + 1
  if (firstDay < Math.floor(nowMs / dayMs) - ageDaysMax) {
    throw mistake(
      `simulate: the first day would be ${dayName(firstDay)}, but events older than ${ageDaysMax} days are rejected`,
    )
  }
  return {
    seed: parsed.data.seed ?? randomInt(seedMax),
    firstDay,
    days,
    size: events !== undefined && !live ? { events } : { households: households ?? householdsDefault },
    ratePerSecond: rate,
    liveEventsMax: live ? (events ?? Infinity) : 0,
    duplicatesShare: parsed.data.duplicates,
    malformedShare: parsed.data.malformed,
    schemaVersion: parsed.data.schemaVersion === 'mixed' ? 'mixed' : parsed.data.schemaVersion === '1' ? 1 : 2,
    format: parsed.data.format,
  }
}

/** The classifier rejects an event 400 days before its record; some days less leave time for a backlog. */
const ageDaysMax = 395

/** A day since 1970-01-01 as 2026-03-31. */
export function dayName(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10)
}

/** The last day (UTC) of made-up times, since 1970-01-01: `until`, else yesterday. A day that isn't over is a mistake. */
export function parseLastDay(verb: string, until: string | undefined, nowMs: number): number {
  const today = Math.floor(nowMs / dayMs)
  if (until === undefined) {
    return today - 1
  }
  const day = z.iso.date().safeParse(until)
  if (!day.success) {
    throw mistake(`${verb}: --until must be a day of the calendar like ${dayName(today - 1)}, not ${until}`)
  }
  const lastDay = Date.parse(`${day.data}T00:00:00Z`) / dayMs
  if (lastDay >= today) {
    throw mistake(`${verb}: --until must be a past day (UTC), ${dayName(today - 1)} at the latest`)
  }
  return lastDay
}

/** All mistakes of the flags in one line, each with the flag as it is typed. */
export function describeFlagMistakes(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const flag = issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path[0]
      const typed = String(flag ?? '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      return `--${typed} ${issue.code === 'unrecognized_keys' ? 'is unknown' : issue.message}`
    })
    .join('; ')
}
