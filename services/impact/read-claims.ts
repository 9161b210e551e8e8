import {
  claimFates,
  creditMethods,
  creditSettings,
  inWindow,
  refundedLines,
  type ClaimFate,
  type CreditMethod,
  type CreditQuestion,
} from '../shared/pipeline/credit-sql.ts'
import { claimSums, type ClaimDimension } from './claims-sql.ts'
import type { ImpactDeps } from './experiments.ts'

/** Sums over orders, refunds taken off. Money in micro-units of the question's currency, exact. */
export interface ClaimSums {
  /** '' is all orders, and its credits are what is uncredited. */
  readonly product: string
  /** YYYY-MM of the household's first activation of the product; '' when it never had one, or the sums are not split by it. */
  readonly cohortMonth: string
  /** '' when the sums are not split by it, as for the year. */
  readonly line: string
  readonly year: string
  /** Lines of orders and refunds that the product claims or its household owned it at. */
  readonly orders: number
  /** Households that a claim or a credit of the product is of. Of more than some thousands an estimate, to a third of a per cent. */
  readonly households: number
  /** Of these orders, once each; of '' of all. */
  readonly marginMicros: bigint
  readonly claims: Readonly<Record<ClaimFate, number>>
  /** Margin once for each claim, valid or not. */
  readonly claimedMicros: bigint
  /** What anybody claims of the orders that the product claims. */
  readonly contestedMicros: bigint
  /** The margin of those, once. */
  readonly distinctMicros: bigint
  readonly creditMicros: Readonly<Record<CreditMethod, bigint>>
}

type Row = Readonly<
  Record<'product' | 'margin' | 'claimed' | 'contested' | 'distinct' | CreditMethod, string> &
    Record<'orders' | 'households' | ClaimFate, number> &
    Partial<Record<ClaimDimension, string>>
>

/** Sums by product and dimensions, with a product '' for all orders of each value of the others. */
export async function readClaimSums(
  { clickHouse, database }: ImpactDeps,
  question: CreditQuestion,
  by: readonly ClaimDimension[],
): Promise<ClaimSums[]> {
  const rows = await clickHouse.rows<Row>(claimSums(database, by), { ...question }, creditSettings)
  return rows.map((row) => ({
    ...{ product: row.product, cohortMonth: row.cohort_month ?? '', line: row.line ?? '', year: row.year ?? '' },
    ...{ orders: row.orders, households: row.households, marginMicros: BigInt(row.margin) },
    claims: recordOf(claimFates, (fate) => row[fate]),
    claimedMicros: BigInt(row.claimed),
    contestedMicros: BigInt(row.contested),
    distinctMicros: BigInt(row.distinct),
    creditMicros: recordOf(creditMethods, (method) => BigInt(row[method])),
  }))
}

/** What the teams claim and what is credited, in a calendar year, of the households that activated the product first in a month. */
export type ClaimedByCohort = Pick<
  ClaimSums,
  'product' | 'cohortMonth' | 'claimedMicros' | 'creditMicros' | 'households'
> & { readonly year: number }

/** In the order of product, cohort month and year. Claims of households that never had the product have the cohort month ''. */
export async function readClaimedByCohort(deps: ImpactDeps, question: CreditQuestion): Promise<ClaimedByCohort[]> {
  const sums = await readClaimSums(deps, question, ['cohort_month', 'year'])
  return sums
    .filter(({ product }) => product !== '')
    .map(({ product, cohortMonth, year, claimedMicros, creditMicros, households }) => ({
      ...{ product, cohortMonth, year: Number(year), claimedMicros, creditMicros, households },
    }))
}

/** Refunds of the window that are not one for one order. */
export interface OddRefunds {
  /** Lines of orders that were taken back more than once. Each refund counts: the report is of the orders as they were booked. */
  readonly ordersRefundedTwice: number
  /** Refunds whose order is not stored, which are credited by their own claims. */
  readonly withoutOrder: number
}

export async function readRefunds({ clickHouse, database }: ImpactDeps, question: CreditQuestion): Promise<OddRefunds> {
  const [found] = await clickHouse.rows<{ twice: number; unknown: number }>(
    `SELECT countIf(is_known AND refunds > 1) AS twice, sumIf(in_window, NOT is_known) AS unknown FROM (
       SELECT countIf(revenue_micros >= 0) > 0 AS is_known, countIf(revenue_micros < 0) AS refunds,
         countIf(revenue_micros < 0 AND ${inWindow}) AS in_window
       FROM ${database}.ecosystem_orders
       WHERE currency = {currency:String} AND (household, order_id, line) IN (${refundedLines(database)})
       GROUP BY household, order_id, line)`,
    { ...question },
    creditSettings,
  )
  return { ordersRefundedTwice: found!.twice, withoutOrder: found!.unknown }
}

function recordOf<K extends string, V>(keys: readonly K[], of: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<K, V>
}
