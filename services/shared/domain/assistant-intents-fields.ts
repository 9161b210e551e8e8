import type { StreamField } from './stream.ts'

const text = (path: string, required = true): StreamField => ({ path, kinds: ['string'], required })
const number = (path: string, required = true): StreamField => ({ path, kinds: ['int', 'long'], required })
const fixed = (path: string, size: number): StreamField => ({ path, kinds: ['fixed'], size, required: true })

/** What the walker looks for in an event: the fields that are checked, that decide its class, or that make its identity. */
export const intentFields = [
  fixed('eventId', 16),
  number('occurredAt'),
  fixed('device', 8),
  fixed('household', 8),
  text('product'),
  text('deviceModel'),
  number('activatedOn'),
  text('country'),
  text('locale'),
  { path: 'plans', kinds: ['array'], required: true },
  text('intent'),
  { path: 'outcome', kinds: ['enum'], required: true },
  number('latencyMs'),
  text('purchase.orderId', false),
  number('purchase.amountMicros', false),
  text('purchase.currency', false),
  text('appVersion'),
  text('skillId', false),
] as const satisfies readonly StreamField[]

type FieldPath = (typeof intentFields)[number]['path']
/** Where in `at` (see `Walker.walk`) a field's span stands. */
export const slotOf = (path: FieldPath): number => intentFields.findIndex((field) => field.path === path) * 2
