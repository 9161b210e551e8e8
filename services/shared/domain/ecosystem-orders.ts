import { createClaimReader } from './claims-reader.ts'
import { ecosystemAgeMaxMs, ecosystemBounds } from './ecosystem-bounds.ts'
import { createFieldChecks } from './field-checks.ts'
import * as columns from './stream-columns.ts'
import { fixed, number, slotIn, text } from './stream-fields.ts'
import type { Judge, JudgeOptions, StreamDefinition, StreamField } from './stream.ts'

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

const checkFields = createFieldChecks(fields)
const claimsSlot = slotIn(fields, 'claims')

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
  appended: [
    { name: 'claimProducts', type: { type: 'array', items: 'string' } },
    { name: 'claimGrounds', type: { type: 'array', items: 'string' } },
    { name: 'claimTouches', type: { type: 'array', items: 'long' } },
  ],
  table: 'ecosystem_orders',
  columns: [
    ...columns.eventColumns,
    columns.pseudonym('household'),
    columns.text('order_id', 'orderId'),
    columns.text('line'),
    columns.micros('revenue_micros', 'revenueMicros'),
    columns.micros('margin_micros', 'marginMicros'),
    columns.text('currency'),
    { column: 'claim_products', from: 'claimProducts', type: 'Array(String)' },
    { column: 'claim_grounds', from: 'claimGrounds', type: 'Array(String)' },
    {
      column: 'claim_touched_at',
      from: 'claimTouches',
      type: 'Array(Int64)',
      sql: "arrayMap(touch -> fromUnixTimestamp64Milli(touch, 'UTC'), claimTouches)",
    },
  ],
  createJudge: createOrderJudge,
}

function createOrderJudge(options: JudgeOptions): Judge {
  const claims = createClaimReader(options.nodeOf('claims'))
  return {
    invalidField(body, at) {
      const outside = checkFields(body, at)
      if (outside >= 0) {
        return outside
      }
      return claims.read(body, at[claimsSlot]!, at[claimsSlot + 1]!) ? -1 : claimsSlot >> 1
    },
    append: (body, _at, sink) => claims.append(body, sink),
  }
}
