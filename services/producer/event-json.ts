import { hash } from 'node:crypto'

import { z } from 'zod'

import { alphabetPatterns } from '../shared/domain/alphabet.ts'
import { numberBounds, plansMax, textBounds, type AssistantIntentEvent } from '../shared/domain/event.ts'
import { outcomes } from '../shared/domain/taxonomy.ts'
import { dayMs } from './traffic.ts'

const alphabetNames = {
  identifier: 'a-z, 0-9 and _',
  upper: 'A-Z',
  tag: 'letters, digits and -',
  printable: 'printable ASCII without spaces',
}

/** A raw id from a device; it is turned into a pseudonym here and goes no further. */
const rawId = z.string().min(1, 'must not be empty').max(256, 'must have at most 256 characters')

/**
 * One event as a line of JSON, documented in the producer's README. Its bounds are those of `event.ts`, so what passes here is
 * not rejected by the classifier later, but for its age.
 */
export const eventJson = z.strictObject({
  /** Any UUID; without it one is derived from the line, see `uuidFromText`. */
  eventId: z.uuid('must be a UUID').optional(),
  /** ISO 8601 with a zone, or milliseconds since 1970-01-01 UTC. */
  occurredAt: z
    .union(
      [z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)), z.int()],
      'must be a time like 2026-03-31T10:15:00Z, or whole milliseconds since 1970',
    )
    .pipe(z.number().min(numberBounds.occurredAt.min).max(numberBounds.occurredAt.max)),
  deviceSerial: rawId,
  householdId: rawId,
  product: text('product'),
  deviceModel: text('deviceModel'),
  /** UTC. */
  activatedOn: z.iso
    .date('must be a day like 2026-03-31')
    .transform((day) => Date.parse(`${day}T00:00:00Z`) / dayMs)
    .pipe(z.number().min(numberBounds.activatedOn.min).max(numberBounds.activatedOn.max)),
  country: text('country'),
  locale: text('locale'),
  /** In any order; sorted and made distinct here. */
  plans: z
    .array(text('plan'))
    .transform((plans) => [...new Set(plans)].sort())
    .pipe(z.array(z.string()).max(plansMax)),
  intent: text('intent'),
  outcome: z.enum(outcomes, `must be one of ${outcomes.join(', ')}`),
  latencyMs: whole('latencyMs'),
  purchase: z
    .strictObject({ orderId: text('orderId'), amountMicros: whole('amountMicros'), currency: text('currency') })
    .nullable()
    .default(null),
  appVersion: text('appVersion'),
  skillId: text('skillId').nullable().default(null),
})

export type EventJson = z.output<typeof eventJson>

/** The event to encode: raw ids become pseudonyms, a missing id is derived. */
export function toEvent(
  json: EventJson,
  options: { pseudonymOf: (rawId: string) => Buffer; derivedId: () => Buffer },
): AssistantIntentEvent {
  const { eventId, deviceSerial, householdId, ...rest } = json
  return {
    ...rest,
    eventId: eventId === undefined ? options.derivedId() : Buffer.from(eventId.replaceAll('-', ''), 'hex'),
    device: options.pseudonymOf(deviceSerial),
    household: options.pseudonymOf(householdId),
  }
}

/**
 * The UUID of a text: the first 16 bytes of its SHA-256, marked as version 8 (RFC 9562, for ids that are neither of time nor
 * of chance). The same text gives the same id, so a line imported twice is a duplicate.
 */
export function uuidFromText(text: string): Buffer {
  const id = Buffer.from(hash('sha256', text, 'buffer').subarray(0, 16))
  id[6] = 0x80 | (id[6]! & 0x0f)
  id[8] = 0x80 | (id[8]! & 0x3f)
  return id
}

/** Says what is wrong with a line: each field with its mistake, never its value. */
export function reasonOf(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      if (issue.code === 'unrecognized_keys') {
        return `unknown field ${issue.keys.slice(0, 5).join(', ')}`
      }
      return issue.path.length === 0 ? issue.message : `${issue.path.join('.')} ${lowerFirst(issue.message)}`
    })
    .join('; ')
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1)
}

function text(field: keyof typeof textBounds) {
  const { min, max, alphabet } = textBounds[field]
  const length = min === max ? `${min}` : `${min} to ${max}`
  return z
    .string('must be text')
    .refine(
      (value) => value.length >= min && value.length <= max && alphabetPatterns[alphabet].test(value),
      `must be ${length} characters of ${alphabetNames[alphabet]}`,
    )
}

function whole(field: keyof typeof numberBounds) {
  const { min, max } = numberBounds[field]
  return z.int('must be a whole number').min(min, `must be at least ${min}`).max(max, `must be at most ${max}`)
}
