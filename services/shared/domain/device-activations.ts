import { ecosystemAgeMaxMs, ecosystemBounds } from './ecosystem-bounds.ts'
import * as columns from './stream-columns.ts'
import { fixed, number, text } from './stream-fields.ts'
import { noJudge, type StreamDefinition, type StreamField } from './stream.ts'

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
  table: 'device_activations',
  columns: [
    ...columns.eventColumns,
    columns.pseudonym('device'),
    columns.pseudonym('household'),
    columns.text('product'),
    columns.text('device_model', 'deviceModel'),
    columns.text('country'),
    columns.day('activated_on', 'activatedOn'),
    columns.micros('price_paid_micros', 'pricePaidMicros'),
    columns.micros('cost_of_goods_micros', 'costOfGoodsMicros'),
    columns.text('currency'),
    { column: 'returned', from: 'returned', type: 'Bool' },
  ],
  createJudge: () => noJudge,
}
