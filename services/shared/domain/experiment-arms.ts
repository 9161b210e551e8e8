import { ecosystemAgeMaxMs, ecosystemBounds } from './ecosystem-bounds.ts'
import { createFieldChecks } from './field-checks.ts'
import { fixed, number, text } from './stream-fields.ts'
import type { StreamDefinition, StreamField } from './stream.ts'

/** Who is offered the product, and from whom it is withheld. */
export const arms = ['treatment', 'holdout'] as const

const fields: readonly StreamField[] = [
  fixed('eventId', 16),
  number('occurredAt', ecosystemBounds.time),
  fixed('household', 8),
  text('experiment', ecosystemBounds.identifier),
  text('product', ecosystemBounds.identifier),
  { path: 'arm', kinds: ['string'], required: true, oneOf: arms },
  number('shareMillionths', ecosystemBounds.shareMillionths),
  number('fromDay', ecosystemBounds.day),
  number('toDay', ecosystemBounds.day),
]

const checkFields = createFieldChecks(fields)

/** Households drawn into the arms of experiments: everybody who could have been drawn, with or without a device or an order. */
export const experimentArms: StreamDefinition = {
  name: 'experiment-arms',
  group: 'intent-ledger-classifier-experiment-arms',
  isClassed: false,
  ageMaxMs: ecosystemAgeMaxMs,
  subject: 'experiment-arms-value',
  fields,
  idField: 'eventId',
  timeField: 'occurredAt',
  appended: [],
  table: 'experiment_arms',
  columns: [
    { column: 'event_id', from: 'eventId', type: 'FixedString(16)' },
    { column: 'occurred_at', from: 'occurredAt', type: 'Int64', sql: "fromUnixTimestamp64Milli(occurredAt, 'UTC')" },
    { column: 'household', from: 'household', type: 'FixedString(8)', sql: 'reinterpretAsUInt64(household)' },
    { column: 'experiment', from: 'experiment', type: 'String' },
    { column: 'product', from: 'product', type: 'String' },
    { column: 'arm', from: 'arm', type: 'String' },
    { column: 'share_millionths', from: 'shareMillionths', type: 'Int32', sql: 'toUInt32(shareMillionths)' },
    { column: 'from_day', from: 'fromDay', type: 'Int32', sql: 'toDate(fromDay)' },
    { column: 'to_day', from: 'toDay', type: 'Int32', sql: 'toDate(toDay)' },
  ],
  createJudge: () => ({ invalidField: checkFields, append: () => undefined }),
}
