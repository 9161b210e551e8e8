import { claimFates, cohortMonth, creditedOrders, creditMethods } from '../shared/pipeline/credit-sql.ts'

/** What the sums are split by, besides the product. */
export const claimDimensions = ['cohort_month', 'line', 'year'] as const
export type ClaimDimension = (typeof claimDimensions)[number]

const dimensionSql: Readonly<Record<ClaimDimension, string>> = {
  cohort_month: cohortMonth,
  line: 'line',
  year: 'toString(toYear(occurred_at))',
}

/**
 * SELECT of sums by product and dimensions over `creditedOrders`, whose parameters it takes. Product '' is all orders, and its credits
 * are what is uncredited. Sums of money are text, because they may pass 2^53.
 *
 * `claimed` counts the margin of an order once for each claim, valid or not, as the teams do. `contested` is what anybody claims of the
 * orders that the product claims, and `distinct` their margin, once; of '' they are of orders that anybody claims.
 */
export function claimSums(database: string, by: readonly ClaimDimension[]): string {
  const keys = ['product', ...by].join(', ')
  const dimensions = by.map((dimension) => `${dimensionSql[dimension]} AS ${dimension},`).join(' ')
  const fates = claimFates.map((fate) => `sum(countEqual(own.2, '${fate}')) AS ${fate}`).join(', ')
  const credits = creditMethods.map((method) => `toString(sum(toInt128(${method}_credit))) AS ${method}`).join(', ')
  return `SELECT ${keys}, count() AS orders, ${fates}, ${credits},
      uniqCombined64If(household, product = '' OR notEmpty(own) OR shapley_credit != 0) AS households,
      toString(sum(toInt128(margin_micros))) AS margin,
      toString(sum(toInt128(margin_micros) * length(own))) AS claimed,
      toString(sumIf(toInt128(margin_micros) * length(claims), notEmpty(own))) AS contested,
      toString(sumIf(toInt128(margin_micros), notEmpty(own))) AS distinct
    FROM (
      SELECT product, ${dimensions} household, margin_micros, claims,
        if(product = '', claims, arrayFilter(claim -> claim.1 = product, claims)) AS own,
        ${creditMethods.map((method) => `${method}_micros[indexOf(${method}_products, product)] AS ${method}_credit`).join(', ')}
      FROM (${creditedOrders(database)})
      ARRAY JOIN arrayDistinct(arrayConcat([''], claims.1, shapley_products)) AS product)
    GROUP BY ${keys} ORDER BY ${keys}`
}
