import { createClaimReader } from './claims-reader.ts'
import { ecosystemAgeMaxMs, ecosystemBounds } from './ecosystem-bounds.ts'
import * as columns from './stream-columns.ts'
import { fixed, number, slotIn, text } from './stream-fields.ts'
import type { Judge, JudgeOptions, StreamColumn, StreamDefinition, StreamField } from './stream.ts'

const fields = [
  fixed('eventId', 16),
  number('occurredAt', ecosystemBounds.time),
  fixed('household', 8),
  text('orderId', ecosystemBounds.orderId),
  text('line', ecosystemBounds.identifier),
  number('revenueMicros', ecosystemBounds.signedMicros),
  number('marginMicros', ecosystemBounds.signedMicros),
  text('currency', ecosystemBounds.currency),
  { path: 'claims', kinds: ['array'], required: true },
] as const satisfies readonly StreamField[]

const claimsSlot = slotIn(fields, 'claims')

const orderColumns: readonly StreamColumn[] = [
  ...columns.eventColumns,
  columns.pseudonym('household'),
  columns.id('order_id', 'orderId'),
  columns.text('line'),
  columns.micros('revenue_micros', 'revenueMicros'),
  columns.micros('margin_micros', 'marginMicros'),
  columns.text('currency'),
  { column: 'claim_products', type: 'Array(String)' },
  { column: 'claim_grounds', type: 'Array(String)' },
  { column: 'claim_touched_at', type: "Array(DateTime64(3, 'UTC'))" },
]

/**
 * Lines of orders and refunds, with who claims them. A claim that can't be right (a touch after the order, a product that nobody in
 * the household owns) is stored as it came: the order's money must not be lost because of it, and reports say what they make of it.
 */
export const ecosystemOrders: StreamDefinition = {
  name: 'ecosystem-orders',
  group: 'intent-ledger-classifier-ecosystem-orders',
  isClassed: false,
  ageMaxMs: ecosystemAgeMaxMs,
  subject: 'ecosystem-orders-value',
  fields,
  idField: 'eventId',
  timeField: 'occurredAt',
  table: 'ecosystem_orders',
  columns: orderColumns,
  createJudge: createOrderJudge,
}

function createOrderJudge(options: JudgeOptions): Judge {
  const claims = createClaimReader(options.nodeOf('claims'))
  const lists = {
    products: options.columns.list('claim_products'),
    grounds: options.columns.list('claim_grounds'),
    touches: options.columns.list('claim_touched_at'),
  }
  return {
    invalidField: ({ bytes }, at) => (claims.read(bytes, at[claimsSlot]!, at[claimsSlot + 1]!) ? -1 : claimsSlot >> 1),
    append: ({ bytes }) => claims.append(bytes, lists),
  }
}
