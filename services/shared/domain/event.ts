import type { TextBounds } from './stream.ts'
import type { Outcome } from './taxonomy.ts'

/**
 * One request to a voice assistant, as producers hold it before encoding. The Avro schemas in
 * `schemas/assistant-intent-event/` are the contract; this is their TypeScript form. There is no utterance text.
 */
export interface AssistantIntentEvent {
  /** UUID version 7, 16 bytes in network order. */
  readonly eventId: Buffer
  /** Milliseconds since 1970-01-01 UTC. */
  readonly occurredAt: number
  /** 8-byte pseudonym of the device serial. */
  readonly device: Buffer
  /** 8-byte pseudonym of the household, also the Kafka key. */
  readonly household: Buffer
  readonly product: string
  readonly deviceModel: string
  /** Days since 1970-01-01 UTC. */
  readonly activatedOn: number
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  /** BCP 47. */
  readonly locale: string
  /** Sorted and distinct. */
  readonly plans: readonly string[]
  readonly intent: string
  readonly outcome: Outcome
  readonly latencyMs: number
  readonly purchase: Purchase | null
  readonly appVersion: string
  /** Version 2 and later: the third-party skill that answered. */
  readonly skillId: string | null
}

export interface Purchase {
  readonly orderId: string
  /** Millionths of the currency unit. */
  readonly amountMicros: number
  /** ISO 4217. */
  readonly currency: string
}

/** What each text field may hold: producers keep to it, the classifier rejects what does not. Lengths in bytes. */
export const textBounds = {
  product: { min: 1, max: 32, alphabet: 'identifier' },
  deviceModel: { min: 1, max: 64, alphabet: 'identifier' },
  country: { min: 2, max: 2, alphabet: 'upper' },
  locale: { min: 2, max: 35, alphabet: 'tag' },
  plan: { min: 1, max: 32, alphabet: 'identifier' },
  intent: { min: 1, max: 64, alphabet: 'identifier' },
  appVersion: { min: 1, max: 32, alphabet: 'printable' },
  skillId: { min: 1, max: 128, alphabet: 'printable' },
  orderId: { min: 1, max: 64, alphabet: 'printable' },
  currency: { min: 3, max: 3, alphabet: 'upper' },
} as const satisfies Record<string, TextBounds>

/** Bounds of the numbers: times from 2000 to 2099, amounts up to a thousand million units, responses up to a day. */
export const numberBounds = {
  occurredAt: { min: 946_684_800_000, max: 4_102_444_799_999 },
  activatedOn: { min: 10_957, max: 47_481 },
  latencyMs: { min: 0, max: 86_400_000 },
  amountMicros: { min: 0, max: 1_000_000_000_000_000 },
} as const

/** Plans an event may hold at most. */
export const plansMax = 16
