import type { Days, ImpactDeps } from './experiments.ts'

/** All orders where nothing is said. */
export interface OrdersOf {
  readonly currency?: string
  readonly line?: string
}

/** First and last day with an order; null where there is none. */
export async function readOrderDays(
  { clickHouse, database }: ImpactDeps,
  { currency = '', line = '' }: OrdersOf = {},
): Promise<Days | null> {
  const [row] = await clickHouse.rows<{ first: string; last: string; lines: number }>(
    `SELECT toString(toDate(min(occurred_at))) AS first, toString(toDate(max(occurred_at))) AS last, count() AS lines
     FROM ${database}.ecosystem_orders
     WHERE ({currency:String} = '' OR currency = {currency:String}) AND ({line:String} = '' OR line = {line:String})`,
    { currency, line },
  )
  return row === undefined || row.lines === 0 ? null : { from: row.first, to: row.last }
}
