import type { Days, Experiment, ImpactDeps } from './experiments.ts'
import type { HoldoutCell } from './holdout-estimates.ts'

export interface DrawnArm {
  readonly households: number
  /** Millionths of those who could have been drawn; two where the lot was changed while it ran. */
  readonly shares: readonly number[]
}

export interface DrawnArms {
  readonly treatment: DrawnArm
  readonly holdout: DrawnArm
  /** Households that stand in both, and so in none. */
  readonly bothArms: number
}

/** Who was drawn into what. A household that is told twice of one arm counts once. */
export async function readDrawnArms({ clickHouse, database }: ImpactDeps, of: Experiment): Promise<DrawnArms> {
  const [row] = await clickHouse.rows<Record<'treatment' | 'holdout' | 'both_arms', number> & Shares>(
    `SELECT countIf(arms = ['treatment']) AS treatment, countIf(arms = ['holdout']) AS holdout, countIf(length(arms) = 2) AS both_arms,
       groupUniqArrayArrayIf(10)(shares, arms = ['treatment']) AS treatment_shares,
       groupUniqArrayArrayIf(10)(shares, arms = ['holdout']) AS holdout_shares
     FROM
     (
       SELECT groupUniqArray(toString(arm)) AS arms, groupUniqArray(10)(share_millionths) AS shares
       FROM ${database}.experiment_arms
       WHERE experiment = {experiment:String} AND product = {product:String} GROUP BY household
     )`,
    { experiment: of.experiment, product: of.product },
  )
  return {
    treatment: { households: row!.treatment, shares: row!.treatment_shares },
    holdout: { households: row!.holdout, shares: row!.holdout_shares },
    bothArms: row!.both_arms,
  }
}

interface Shares {
  readonly treatment_shares: number[]
  readonly holdout_shares: number[]
}

export interface CellsQuestion {
  readonly window: Days
  readonly before: Days | null
  readonly currency: string
  /** All lines where null. */
  readonly line: string | null
}

/**
 * Sums of the experiment's households, those in both arms left out. A household's outcome is the margin of its orders in the window: a
 * refund is an order with a negative margin and counts on its own day. Owner is who has a device of the product on the window's last
 * day that was not returned by then.
 */
export async function readHoldoutCells(
  { clickHouse, database }: ImpactDeps,
  of: Experiment,
  { window, before, currency, line }: CellsQuestion,
): Promise<HoldoutCell[]> {
  const rows = await clickHouse.rows<CellRow>(
    `WITH
       toDateTime64({from:Date}, 3, 'UTC') AS begin, toDateTime64({to:Date} + 1, 3, 'UTC') AS end,
       toDateTime64({before:Date}, 3, 'UTC') AS before_begin, toDateTime64({before_end:Date}, 3, 'UTC') AS before_end
     SELECT
       arm, owner, toUInt8(cityHash64(household) % 64) AS bucket, count() AS n,
       avg(toFloat64(margin)) AS outcome_mean, avg(toFloat64(earlier_margin)) AS earlier_mean,
       n * varPopStable(toFloat64(margin)) AS outcome_squares, n * varPopStable(toFloat64(earlier_margin)) AS earlier_squares,
       n * covarPopStable(toFloat64(margin), toFloat64(earlier_margin)) AS products
     FROM
     (
       SELECT drawn.household AS household, drawn.arm_name AS arm, spent.margin AS margin, spent.earlier_margin AS earlier_margin,
         household IN
         (
           SELECT household FROM ${database}.device_activations WHERE product = {product:String}
           GROUP BY household, device
           HAVING min(activated_on) <= {to:Date} AND countIf(returned AND toDate(occurred_at) <= {to:Date}) = 0
         ) AS owner
       FROM
       (
         SELECT household, toString(any(arm)) AS arm_name FROM ${database}.experiment_arms
         WHERE experiment = {experiment:String} AND product = {product:String}
         GROUP BY household HAVING uniqExact(arm) = 1
       ) AS drawn
       LEFT JOIN
       (
         SELECT household, sumIf(margin_micros, occurred_at >= begin) AS margin, sumIf(margin_micros, occurred_at < begin) AS earlier_margin
         FROM ${database}.ecosystem_orders
         WHERE currency = {currency:String} AND ({line:String} = '' OR line = {line:String})
           AND ((occurred_at >= begin AND occurred_at < end) OR (occurred_at >= before_begin AND occurred_at < before_end))
         GROUP BY household
       ) AS spent ON drawn.household = spent.household
     )
     GROUP BY arm, owner, bucket ORDER BY arm, owner, bucket`,
    {
      ...{ experiment: of.experiment, product: of.product, currency, line: line ?? '', ...window },
      // Where there is no time before, one that is empty.
      ...{ before: before?.from ?? of.drawn.from, before_end: of.drawn.from },
    },
  )
  return rows.map(({ arm, owner, bucket, ...row }) => ({
    ...{ arm, owner: owner !== 0, bucket },
    moments: {
      ...{ n: row.n, outcomeMean: row.outcome_mean, earlierMean: row.earlier_mean, products: row.products },
      ...{ outcomeSquares: row.outcome_squares, earlierSquares: row.earlier_squares },
    },
  }))
}

interface CellRow {
  readonly arm: HoldoutCell['arm']
  readonly owner: number
  readonly bucket: number
  readonly n: number
  readonly outcome_mean: number
  readonly earlier_mean: number
  readonly outcome_squares: number
  readonly earlier_squares: number
  readonly products: number
}
