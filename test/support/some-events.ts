import { randomBytes } from 'node:crypto'

import { loadEncoders, type WriterVersion } from '../../services/producer/writer-schemas.ts'
import type { AssistantIntentEvent } from '../../services/shared/domain/event.ts'

export const encoders = loadEncoders()

/** A valid event that happened just now. */
export function someEvent(fields: Partial<AssistantIntentEvent> = {}): AssistantIntentEvent {
  return {
    eventId: randomBytes(16),
    occurredAt: Date.now(),
    device: randomBytes(8),
    household: randomBytes(8),
    product: 'echo',
    deviceModel: 'echo_4',
    activatedOn: 20_000,
    country: 'US',
    locale: 'en-US',
    plans: ['prime'],
    intent: 'weather_query',
    outcome: 'fulfilled',
    latencyMs: 500,
    purchase: null,
    appVersion: '1.0.0',
    skillId: null,
    ...fields,
  }
}

/** So many framed values of valid events. */
export function someValues(count: number, version: WriterVersion = 2): { value: Buffer }[] {
  return Array.from({ length: count }, () => ({ value: encoders[version].encode(someEvent()) }))
}
