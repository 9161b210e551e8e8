import { ecosystemAgeMaxMs, ecosystemBounds } from './ecosystem-bounds.ts'
import * as columns from './stream-columns.ts'
import { fixed, number, text } from './stream-fields.ts'
import { noJudge, type StreamDefinition, type StreamField } from './stream.ts'

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
  table: 'experiment_arms',
  columns: [
    ...columns.eventColumns,
    columns.pseudonym('household'),
    columns.text('experiment'),
    columns.text('product'),
    columns.text('arm'),
    { column: 'share_millionths', from: 'shareMillionths', type: 'UInt32' },
    columns.day('from_day', 'fromDay'),
    columns.day('to_day', 'toDay'),
  ],
  createJudge: () => noJudge,
}
