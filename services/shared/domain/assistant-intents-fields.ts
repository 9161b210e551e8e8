import { numberBounds, textBounds } from './event.ts'
import * as columns from './stream-columns.ts'
import { fixed, number, slotIn, text } from './stream-fields.ts'
import type { StreamColumn, StreamField } from './stream.ts'

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

/** Columns of `intent_events`. Those without a field are the judge's: outcome and class are numbers of the table's enums. */
export const intentColumns: readonly StreamColumn[] = [
  ...columns.eventColumns,
  columns.pseudonym('device'),
  columns.pseudonym('household'),
  columns.text('product'),
  columns.text('device_model', 'deviceModel'),
  columns.day('activated_on', 'activatedOn'),
  columns.text('country'),
  columns.text('locale'),
  { column: 'plans', type: 'LowCardinality(String)' },
  columns.text('intent'),
  { column: 'outcome', type: 'Int8' },
  { column: 'latency_ms', from: 'latencyMs', type: 'UInt32' },
  columns.id('order_id', 'purchase.orderId'),
  columns.micros('amount_micros', 'purchase.amountMicros'),
  columns.text('currency', 'purchase.currency'),
  columns.text('app_version', 'appVersion'),
  columns.text('skill_id', 'skillId'),
  { column: 'value_class', type: 'Int8' },
  { column: 'rule_id', type: 'LowCardinality(String)' },
]
