/**
 * The fates of a log, worked out a second time and in another way than the classifier does it: a decoder straight from the
 * specification says whether a body is whole, avro-js makes an object of it, the object's fields are checked one after the
 * other, and copies are found in a plain Map. Only the bounds and the taxonomy's rules are the product's own.
 */
import { readFileSync } from 'node:fs'

import avro from 'avro-js'

import { parseSchema } from '../../services/shared/domain/avro-schema.ts'
import { alphabetPatterns } from '../../services/shared/domain/alphabet.ts'
import { numberBounds, plansMax, textBounds } from '../../services/shared/domain/event.ts'
import { defaultFateSettings, type FateSettings, type RejectionReason } from '../../services/shared/domain/fate.ts'
import { classify, type Outcome, type Verdict } from '../../services/shared/domain/taxonomy.ts'
import { loadTaxonomy } from '../../services/shared/io/taxonomy-file.ts'
import { readAvro } from './avro-reference.ts'
import type { LoggedMessage, TopicLog } from './topic-log.ts'

export interface DecodedEvent {
  readonly eventId: Buffer
  readonly occurredAt: number
  readonly device: Buffer
  readonly household: Buffer
  readonly product: string
  readonly deviceModel: string
  readonly activatedOn: number
  readonly country: string
  readonly locale: string
  readonly plans: readonly string[]
  readonly intent: string
  readonly outcome: Outcome
  readonly latencyMs: number
  readonly purchase: { 'intentledger.Purchase': { orderId: string; amountMicros: number; currency: string } } | null
  readonly appVersion: string
  readonly skillId?: { string: string } | null
}

export type Judged = { readonly partition: number; readonly message: LoggedMessage } & (
  | {
      readonly fate: 'accepted'
      readonly event: DecodedEvent
      readonly verdict: Verdict
      readonly taxonomyVersion: number
    }
  | { readonly fate: 'duplicate'; readonly event: DecodedEvent }
  | { readonly fate: 'rejected'; readonly reason: RejectionReason }
)

export interface TruthOptions {
  readonly fates?: Partial<FateSettings>
  /** The taxonomy that was in force at an offset; 1 when left out. */
  taxonomyVersionAt?(partition: number, offset: number): number
}

/** One entry a message, partition by partition in the order of the offsets. */
export function judgeLog(log: TopicLog, options: TruthOptions = {}): Judged[] {
  const fates = { ...defaultFateSettings, ...options.fates }
  return log.partitions.flatMap((messages, partition) => {
    const lastSeenAt = new Map<string, number>()
    return messages.map((message): Judged => {
      const place = { partition, message }
      const read = readEvent(message, fates)
      if ('reason' in read) {
        return { ...place, fate: 'rejected', reason: read.reason }
      }
      const id = read.event.eventId.toString('hex')
      const seenAt = lastSeenAt.get(id)
      lastSeenAt.set(id, message.offset)
      if (seenAt !== undefined && message.offset - seenAt <= fates.duplicateWindowOffsets) {
        return { ...place, fate: 'duplicate', event: read.event }
      }
      const taxonomyVersion = options.taxonomyVersionAt?.(partition, message.offset) ?? 1
      return {
        ...place,
        fate: 'accepted',
        event: read.event,
        taxonomyVersion,
        verdict: verdictOf(read.event, taxonomyVersion),
      }
    })
  })
}

const schemaFiles: Record<number, string> = { 1: 'v1.avsc', 2: 'v2.avsc' }
const schemas = new Map(
  Object.entries(schemaFiles).map(([id, file]) => {
    const path = new URL(`../../schemas/assistant-intent-event/${file}`, import.meta.url)
    const json: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return [Number(id), { node: parseSchema(json), type: avro.parse(json) }]
  }),
)

function readEvent(
  { value, timestampMs }: LoggedMessage,
  fates: FateSettings,
): { event: DecodedEvent } | { reason: RejectionReason } {
  if (value !== null && value.length > fates.eventBytesMax) {
    return { reason: 'too_large' }
  }
  if (value === null || value.length < 5 || value[0] !== 0) {
    return { reason: 'not_framed' }
  }
  const schema = schemas.get(value.readUInt32BE(1))
  if (schema === undefined) {
    return { reason: 'unknown_schema' }
  }
  const body = value.subarray(5)
  // Asked first: avro-js takes varints of any length, and loops for hours on a wild count.
  const { end } = readAvro(schema.node, body)
  if (typeof end !== 'number') {
    return { reason: 'malformed' }
  }
  if (end < body.length) {
    return { reason: 'trailing_bytes' }
  }
  let event: DecodedEvent
  try {
    event = schema.type.fromBuffer(body) as DecodedEvent
  } catch {
    // Of a whole body it refuses only numbers beyond 2^53, and each of our numbers has a bound below.
    return { reason: 'field_invalid' }
  }
  if (!hasValidFields(event)) {
    return { reason: 'field_invalid' }
  }
  if (event.occurredAt > timestampMs + fates.futureToleranceMs) {
    return { reason: 'in_future' }
  }
  if (event.occurredAt < timestampMs - fates.ageMaxMs) {
    return { reason: 'too_old' }
  }
  return { event }
}

export function purchaseOf(
  event: DecodedEvent,
): { orderId: string; amountMicros: number; currency: string } | undefined {
  return event.purchase?.['intentledger.Purchase']
}

function hasValidFields(event: DecodedEvent): boolean {
  const purchase = purchaseOf(event)
  const fits = (text: string | undefined, rule: keyof typeof textBounds): boolean => {
    const { min, max, alphabet } = textBounds[rule]
    const bytes = text === undefined ? min : Buffer.byteLength(text)
    return bytes >= min && bytes <= max && (text === undefined || alphabetPatterns[alphabet].test(text))
  }
  const within = (value: number | undefined, { min, max }: { min: number; max: number }): boolean =>
    value === undefined || (value >= min && value <= max)
  return (
    (['product', 'deviceModel', 'country', 'locale', 'intent', 'appVersion'] as const).every((name) =>
      fits(event[name], name),
    ) &&
    fits(event.skillId?.string, 'skillId') &&
    fits(purchase?.orderId, 'orderId') &&
    fits(purchase?.currency, 'currency') &&
    within(event.occurredAt, numberBounds.occurredAt) &&
    within(event.activatedOn, numberBounds.activatedOn) &&
    within(event.latencyMs, numberBounds.latencyMs) &&
    within(purchase?.amountMicros, numberBounds.amountMicros) &&
    event.plans.length <= plansMax &&
    event.plans.every((plan) => fits(plan, 'plan')) &&
    event.plans.join() === [...new Set(event.plans)].sort().join()
  )
}

const verdicts = new Map<string, Verdict>()
const taxonomies = new Map<number, ReturnType<typeof loadTaxonomy>['taxonomy']>()

function verdictOf(event: DecodedEvent, version: number): Verdict {
  const taxonomy = taxonomies.get(version) ?? loadTaxonomy(version).taxonomy
  taxonomies.set(version, taxonomy)
  const request = {
    intent: event.intent,
    outcome: event.outcome,
    plans: event.plans,
    hasPurchase: event.purchase !== null,
  }
  const key = JSON.stringify([version, request])
  const verdict = verdicts.get(key) ?? classify(taxonomy, request)
  verdicts.set(key, verdict)
  return verdict
}
