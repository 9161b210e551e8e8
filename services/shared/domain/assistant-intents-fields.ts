import { numberBounds, textBounds } from './event.ts'
import { fixed, number, slotIn, text } from './stream-fields.ts'
import type { StreamField } from './stream.ts'

/** What the walker looks for in an event: the fields that are checked, that decide its class, or that make its identity. */
export const intentFields = [
  fixed('eventId', 16),
  number('occurredAt', numberBounds.occurredAt),
  fixed('device', 8),
  fixed('household', 8),
  text('product', textBounds.product),
  text('deviceModel', textBounds.deviceModel),
  number('activatedOn', numberBounds.activatedOn),
  text('country', textBounds.country),
  text('locale', textBounds.locale),
  { path: 'plans', kinds: ['array'], required: true },
  text('intent', textBounds.intent),
  { path: 'outcome', kinds: ['enum'], required: true },
  number('latencyMs', numberBounds.latencyMs),
  text('purchase.orderId', textBounds.orderId, false),
  number('purchase.amountMicros', numberBounds.amountMicros, false),
  text('purchase.currency', textBounds.currency, false),
  text('appVersion', textBounds.appVersion),
  text('skillId', textBounds.skillId, false),
] as const satisfies readonly StreamField[]

type FieldPath = (typeof intentFields)[number]['path']
export const slotOf = (path: FieldPath): number => slotIn(intentFields, path)
