/** Valid events and messages for tests, and the encoders of the shipped writer schemas. */
import { readFileSync } from 'node:fs'

import type { AssistantIntentEvent } from '../../services/shared/domain/event.ts'
import { createEventEncoder } from '../../services/shared/io/avro.ts'

/** When the records of these tests are sent; the events happen a minute earlier. */
export const sentAtMs = Date.UTC(2026, 2, 14, 12)

/** 16 bytes that differ for every number. */
export function eventId(number: number): Buffer {
  const id = Buffer.alloc(16)
  id.writeUIntBE(number, 10, 6)
  return id
}

/** A valid event; `number` makes its identity. */
export function makeEvent(number: number, over: Partial<AssistantIntentEvent> = {}): AssistantIntentEvent {
  return {
    eventId: eventId(number),
    occurredAt: sentAtMs - 60_000,
    device: Buffer.alloc(8, 1),
    household: Buffer.alloc(8, 2),
    product: 'echo',
    deviceModel: 'echo_dot_3',
    activatedOn: 20_000,
    country: 'US',
    locale: 'en-US',
    plans: ['music', 'prime'],
    intent: 'weather_query',
    outcome: 'fulfilled',
    latencyMs: 420,
    purchase: null,
    appVersion: '2.4.1',
    skillId: null,
    ...over,
  }
}

export const purchase = { orderId: 'order-1', amountMicros: 12_990_000, currency: 'USD' }

/** JSON of a field of a record schema. */
export interface FieldJson {
  name: string
  type: unknown
  default?: unknown
}

export interface RecordJson {
  type: string
  name: string
  namespace: string
  fields: FieldJson[]
}

/** A shipped writer schema, a fresh copy each time. */
export function writerSchema(version: 1 | 2): RecordJson {
  const file = new URL(`../../schemas/assistant-intent-event/v${version}.avsc`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as RecordJson
}

/** Encoders by schema id of the shipped registry, which is the version. */
export const encoders = {
  1: createEventEncoder({ schemaId: 1, schema: writerSchema(1) }),
  2: createEventEncoder({ schemaId: 2, schema: writerSchema(2) }),
}
