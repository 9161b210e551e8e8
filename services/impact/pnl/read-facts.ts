/** All of SQL that a profit and loss is read by. */
import type { Days, ImpactDeps } from '../experiments.ts'
import type { Facts, OwnerSteps, Requests, Returns, Sales } from './facts.ts'

export interface FactsQuestion extends Days {
  readonly currency: string
}

/** What the tables themselves say; claims and effects are worked out elsewhere. */
export type ReadFacts = Omit<Facts, 'claimed' | 'effects'>

/** Devices of a currency that is not the report's, and what was paid for them. */
export interface OtherCurrency {
  readonly currency: string
  readonly devices: number
  readonly priceMicros: bigint
}

/** 64-bit sums as text, because they may pass 2^53; months as numbers since the year 0. */
const month = (day: string) => `toUInt32(toYear(${day}) * 12 + toMonth(${day}) - 1)`

/** A device counts under its first activation; one that came back has a second row. */
const devices = (database: string) => `SELECT product, household, device,
    argMin(activated_on, (returned, occurred_at)) AS since,
    argMin(price_paid_micros, (returned, occurred_at)) AS price,
    argMin(cost_of_goods_micros, (returned, occurred_at)) AS cost,
    argMin(currency, (returned, occurred_at)) AS paid_in,
    max(returned) AS is_back,
    toDate(minIf(occurred_at, returned)) AS back_on
  FROM ${database}.device_activations
  WHERE toDate(occurred_at) <= {to:Date}
  GROUP BY product, household, device`

export async function readFacts({ clickHouse, database }: ImpactDeps, question: FactsQuestion): Promise<ReadFacts> {
  const { from, to, currency } = question
  const ask = <T>(sql: string) => clickHouse.rows<T>(sql, { from, to, currency })
  const sold = `(${devices(database)}) WHERE since BETWEEN {from:Date} AND {to:Date} AND paid_in = {currency:String}`
  const sums = 'count() AS devices, toString(sum(price)) AS paid, toString(sum(cost)) AS costs'
  const [households, sales, returns, requests, owners] = await Promise.all([
    ask<Facts['households'][number]>(
      `SELECT product, uniqExact(household) AS households FROM ${sold} GROUP BY product`,
    ),
    ask<Sums<Sales>>(
      `SELECT product, ${month('since')} AS cohort, uniqExact(household) AS households, ${sums} FROM ${sold} GROUP BY product, cohort`,
    ),
    ask<Sums<Returns>>(
      `SELECT product, ${month('since')} AS cohort, ${month('greatest(since, back_on)')} AS month, ${sums} FROM ${sold} AND is_back
       GROUP BY product, cohort, month`,
    ),
    ask<{ product: string; cohort: number; month: number; requests: string }>(
      `SELECT product, ${month('cohort_month')} AS cohort, ${month('day')} AS month, toString(sum(requests)) AS requests
       FROM ${database}.usage_by_cohort_daily WHERE day BETWEEN {from:Date} AND {to:Date}
       GROUP BY product, cohort, month`,
    ),
    ask<OwnerSteps>(ownerSteps(database)),
  ])
  return {
    ...{ households, owners },
    sales: sales.map(exactSums),
    returns: returns.map(exactSums),
    requests: requests.map(({ requests: events, ...row }): Requests => ({ ...row, events: BigInt(events) })),
  }
}

export async function readOtherCurrencies(
  { clickHouse, database }: ImpactDeps,
  { from, to, currency }: FactsQuestion,
): Promise<OtherCurrency[]> {
  const rows = await clickHouse.rows<{ currency: string; devices: number; paid: string }>(
    `SELECT paid_in AS currency, count() AS devices, toString(sum(price)) AS paid FROM (${devices(database)})
     WHERE since BETWEEN {from:Date} AND {to:Date} AND paid_in != {currency:String} GROUP BY paid_in ORDER BY paid_in`,
    { from, to, currency },
  )
  return rows.map(({ paid, ...row }) => ({ ...row, priceMicros: BigInt(paid) }))
}

/** The days that a report reaches by default: from the first activation to the last day of anything; null: there is no device. */
export async function readSpan({ clickHouse, database }: ImpactDeps): Promise<Days | null> {
  const [row] = await clickHouse.rows<{ devices: number; from: string; to: string }>(
    `SELECT count() AS devices, toString(min(activated_on)) AS from,
       toString(greatest(toDate(max(occurred_at)), (SELECT toDate(max(occurred_at)) FROM ${database}.ecosystem_orders),
         (SELECT max(day) FROM ${database}.usage_by_cohort_daily))) AS to
     FROM ${database}.device_activations`,
  )
  const { devices, ...span } = row!
  return devices === 0 ? null : span
}

/**
 * Per month, how many households begin or cease to own a product, so that a household with three devices of it owns it once: of its
 * devices' beginnings and ends, in the order of days, those where it goes from none to one, or from one to none.
 */
function ownerSteps(database: string): string {
  return `WITH households AS (SELECT product, household, ${month('min(since)')} AS cohort,
        arraySort(step -> (step.1, -step.2), arrayConcat(
          groupArray((toInt32(since), 1)), groupArrayIf((toInt32(greatest(since, back_on)), -1), is_back))) AS steps
      FROM (${devices(database)}) GROUP BY product, household)
    SELECT product, cohort, ${month('toDate(step.1)')} AS month, toInt64(sum(step.2)) AS change,
      toInt64(sum(step.2 * (toInt32(toLastDayOfMonth(toDate(step.1))) + 1 - step.1))) AS days
    FROM households
    ARRAY JOIN steps AS step, arrayCumSum(arrayMap(step -> step.2, steps)) AS devices
    WHERE devices = if(step.2 = 1, 1, 0) AND step.1 <= toInt32({to:Date})
    GROUP BY product, cohort, month`
}

type Sums<T> = Omit<T, 'priceMicros' | 'costOfGoodsMicros'> & { readonly paid: string; readonly costs: string }

function exactSums<T extends { paid: string; costs: string }>({ paid, costs, ...row }: T) {
  return { ...row, priceMicros: BigInt(paid), costOfGoodsMicros: BigInt(costs) }
}
