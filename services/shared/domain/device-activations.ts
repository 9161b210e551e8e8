import { ecosystemAgeMaxMs, ecosystemBounds } from './ecosystem-bounds.ts'
import { createFieldChecks } from './field-checks.ts'
import { fixed, number, text } from './stream-fields.ts'
import type { StreamDefinition, StreamField } from './stream.ts'

const fields: readonly StreamField[] = [
  fixed('eventId', 16),
  number('occurredAt', ecosystemBounds.time),
  fixed('device', 8),
  fixed('household', 8),
  text('product', ecosystemBounds.identifier),
  text('deviceModel', ecosystemBounds.deviceModel),
  text('country', ecosystemBounds.country),
  number('activatedOn', ecosystemBounds.day),
  number('pricePaidMicros', ecosystemBounds.price),
  number('costOfGoodsMicros', ecosystemBounds.price),
  text('currency', ecosystemBounds.currency),
  { path: 'returned', kinds: ['boolean'], required: true },
]

const checkFields = createFieldChecks(fields)

/** Devices that were activated, and those that were given back: what was paid for each, and what it cost. */
export const deviceActivations: StreamDefinition = {
  name: 'device-activations',
  group: 'intent-ledger-classifier-device-activations',
  isClassed: false,
  ageMaxMs: ecosystemAgeMaxMs,
  subject: 'device-activations-value',
  fields,
  idField: 'eventId',
  timeField: 'occurredAt',
  appended: [],
  table: 'device_activations',
  columns: [
    { column: 'event_id', from: 'eventId', type: 'FixedString(16)' },
    { column: 'occurred_at', from: 'occurredAt', type: 'Int64', sql: "fromUnixTimestamp64Milli(occurredAt, 'UTC')" },
    { column: 'device', from: 'device', type: 'FixedString(8)', sql: 'reinterpretAsUInt64(device)' },
    { column: 'household', from: 'household', type: 'FixedString(8)', sql: 'reinterpretAsUInt64(household)' },
    { column: 'product', from: 'product', type: 'String' },
    { column: 'device_model', from: 'deviceModel', type: 'String' },
    { column: 'country', from: 'country', type: 'String' },
    { column: 'activated_on', from: 'activatedOn', type: 'Int32', sql: 'toDate(activatedOn)' },
    { column: 'price_paid_micros', from: 'pricePaidMicros', type: 'Int64' },
    { column: 'cost_of_goods_micros', from: 'costOfGoodsMicros', type: 'Int64' },
    { column: 'currency', from: 'currency', type: 'String' },
    { column: 'returned', from: 'returned', type: 'Bool' },
  ],
  createJudge: () => ({ invalidField: checkFields, append: () => undefined }),
}
