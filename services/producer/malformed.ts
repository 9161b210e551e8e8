import type { AssistantIntentEvent } from '../shared/domain/event.ts'
import { defaultFateSettings, type RejectionReason } from '../shared/domain/fate.ts'
import { headerBytes } from '../shared/domain/wire.ts'
import type { EventEncoder } from '../shared/io/avro.ts'
import { createPicker, type Random } from './random.ts'

export interface MalformedMessage {
  readonly value: Buffer | null
  /** What the classifier must say of it. */
  readonly reason: RejectionReason
}

/** How often each reason is injected; the large ones are rare, because one weighs as much as 400 events. */
const pickReason = createPicker<RejectionReason>([
  ['not_framed', 20],
  ['unknown_schema', 15],
  ['malformed', 20],
  ['trailing_bytes', 15],
  ['field_invalid', 20],
  ['in_future', 10],
  ['too_old', 10],
  ['too_large', 1],
])

const unknownSchemaId = 999
/** Days a record can't be sent on: the reason holds whenever the simulation runs. */
const farFuture = Date.UTC(2099, 0, 1)
const farPast = Date.UTC(2001, 0, 1)

/** Spoils one event in one known way. */
export function spoil(event: AssistantIntentEvent, encoder: EventEncoder, random: Random): MalformedMessage {
  const reason = pickReason(random)
  return { reason, value: spoilFor[reason](event, encoder, random) }
}

type Spoil = (event: AssistantIntentEvent, encoder: EventEncoder, random: Random) => Buffer | null

export const spoilFor: Record<RejectionReason, Spoil> = {
  not_framed: (event, _encoder, random) =>
    oneOf(random, [
      () => null,
      () => Buffer.from(JSON.stringify({ intent: event.intent, product: event.product })),
      () => Buffer.from([0, 0, 0]),
    ]),
  unknown_schema: (event, encoder) => {
    const value = encoder.encode(event)
    value.writeUInt32BE(unknownSchemaId, 1)
    return value
  },
  malformed: (event, encoder, random) =>
    oneOf(random, [
      () => {
        const value = encoder.encode(event)
        return value.subarray(0, random.integer(headerBytes, value.length - 1))
      },
      // Right after the 16 bytes of the event id stands the time: a varint of more than 10 bytes.
      () => {
        const value = encoder.encode(event)
        value.fill(0xff, headerBytes + 16, headerBytes + 16 + 11)
        return value
      },
      () => withUnknownUnionBranch(event, encoder),
    ]),
  trailing_bytes: (event, encoder, random) =>
    Buffer.concat([encoder.encode(event), Buffer.alloc(random.integer(1, 8), 0x2a)]),
  field_invalid: (event, encoder, random) =>
    encoder.encode(
      oneOf<AssistantIntentEvent>(random, [
        () => ({ ...event, country: event.country.toLowerCase() }),
        () => ({ ...event, intent: `${event.intent} please` }),
        () => ({ ...event, latencyMs: -1 }),
        () => ({ ...event, activatedOn: 0 }),
        () => ({ ...event, purchase: { orderId: 'order-0', amountMicros: -1_000_000, currency: 'USD' } }),
      ]),
    ),
  in_future: (event, encoder) => encoder.encode({ ...event, occurredAt: farFuture }),
  too_old: (event, encoder) => encoder.encode({ ...event, occurredAt: farPast }),
  too_large: (event, encoder) =>
    encoder.encode({ ...event, appVersion: 'x'.repeat(defaultFateSettings.eventBytesMax + 4_464) }),
}

/** An event without purchase ends in: the union's branch, the app version, and from version 2 the skill's branch. */
function withUnknownUnionBranch(event: AssistantIntentEvent, encoder: EventEncoder): Buffer {
  const plain = { ...event, purchase: null, skillId: null, appVersion: '1' }
  const value = encoder.encode(plain)
  const afterPurchase = encoder.encode({ ...plain, appVersion: '2' }).findLastIndex((byte, at) => byte !== value[at])
  // One byte of length stands before the one byte of the version, the branch before that.
  value[afterPurchase - 2] = 0x08
  return value
}

function oneOf<T>(random: Random, choices: readonly (() => T)[]): T {
  return choices[random.integer(0, choices.length - 1)]!()
}
