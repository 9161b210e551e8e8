import type { HistoryCohorts } from './history-cohorts.ts'

/** What the statements are made of: numbers and names that stand in the text, for thousands of them are no query parameters. */
export interface HistoryTables {
  readonly database: string
  readonly seed: number
  readonly cohorts: HistoryCohorts
  /** Broad tastes, as many for each product. */
  readonly tastes: readonly number[]
  /** Since 1970-01-01, in a row. */
  readonly days: readonly number[]
  /** By day, country and product, the last one fastest. */
  readonly cells: readonly HistoryCell[]
}

/** Factors of a day, country and product. */
export interface HistoryCell {
  readonly requests: number
  readonly direct: number
  readonly rest: number
  /** Part of the direct requests that stay direct. */
  readonly bought: number
  /** Of the requests of this product's households, the part made on each product. */
  readonly parts: readonly number[]
}

export function usageInsert(tables: HistoryTables): string {
  const { database, cohorts } = tables
  const restClass = `${strings(cohorts.products.map(({ broadClass }) => broadClass))}[product_index]`
  return `INSERT INTO ${database}.usage_by_cohort_daily
    (day, product, cohort_month, country, plans, value_class, taxonomy_version, bucket, requests, purchases)
    SELECT ${dimensions(cohorts)}, value_class, ${taxonomyVersion}, bucket, requests,
      if(value_class = 'direct', requests, 0)
    FROM
    (
      SELECT day, product_index, month_index, country_index, prime, bucket,
        sumForEach(drawn) AS drawn
      FROM (${householdDays(tables)})
      GROUP BY day, product_index, month_index, country_index, prime, bucket
    )
    ARRAY JOIN drawn AS requests, ['direct', ${restClass}, 'free', 'unclassified', 'not_a_request'] AS value_class
    WHERE requests > 0`
}

/** Summed from the roll-up by cohort, whose days are there by then. */
export function usageByProductInsert({ database, days }: HistoryTables): string {
  return `INSERT INTO ${database}.usage_by_product_daily
    (day, product, value_class, taxonomy_version, bucket, requests)
    SELECT day, product, value_class, taxonomy_version, bucket, sum(u.requests)
    FROM ${database}.usage_by_cohort_daily AS u
    WHERE day >= toDate(${days[0]!}) AND day < toDate(${days.at(-1)! + 1})
    GROUP BY day, product, value_class, taxonomy_version, bucket`
}

/** The same draws once more: a statement fills one table, and a state by cohort needs the households behind the sums. */
export function householdsInsert(tables: HistoryTables): string {
  const { database, cohorts } = tables
  return `INSERT INTO ${database}.households_by_cohort_daily
    (day, product, cohort_month, country, plans, taxonomy_version, requests, households)
    SELECT ${dimensions(cohorts)}, ${taxonomyVersion}, all_requests, state
    FROM
    (
      SELECT day, product_index, month_index, country_index, prime,
        sum(requests) AS all_requests, uniqCombined64StateIf(household, requests > 0) AS state
      FROM (SELECT *, arraySum(arraySlice(drawn, 1, 4)) AS requests FROM (${householdDays(tables)}))
      GROUP BY day, product_index, month_index, country_index, prime
      -- No WHERE requests > 0 before: the planner would draw everything twice for it.
      HAVING all_requests > 0
    )`
}

const taxonomyVersion = 1
const activeShare = 0.6
const rateMedian = 10
const rateSigma = 1.297
/** Of the requests; they are none that is monetised. */
const unclassifiedShare = 0.03
/** Beside the requests. */
const notARequestShare = 0.04
/** Strict tastes are Beta(1, 2), whose mean is a third. */
const buyersPerStrictShare = 3
const cornishFisherFrom = 2

function dimensions({ countries, products, months }: HistoryCohorts): string {
  return `toDate(day), ${strings(products.map(({ product }) => product))}[product_index],
    toDate(${strings(months)}[month_index]), ${strings(Object.keys(countries))}[country_index], if(prime, 'prime', '')`
}

/**
 * One row for each household, day and product used, with its requests by class. From the inside out: households with what is
 * fixed of them, their active days, where they ask on those days, what is expected, what is drawn. Each step is a SELECT of
 * its own, because the planner copies an alias out at each use.
 */
function householdDays({ seed, cohorts, tastes, days, cells }: HistoryTables): string {
  const counts = Object.values(cohorts.countries)
  const upTo = counts.map((_, index) => sum(counts.slice(0, index + 1)))
  const weights = cohorts.products.map(({ weight }) => weight)
  const weightUpTo = weights.map((_, index) => sum(weights.slice(0, index + 1)) / sum(weights))
  const products = cohorts.products.length
  const slices = tastes.length / products
  const cell = `(day - ${days[0]!}) * ${counts.length * products} + (country_index - 1) * ${products}`
  const buyers = cohorts.products.map(({ strict }) => strict * buyersPerStrictShare)

  return `
    WITH
      (hash -> (bitAnd(hash, 4294967295) + 0.5) / 4294967296) AS low_unit,
      (hash -> (bitShiftRight(hash, 32) + 0.5) / 4294967296) AS high_unit,
      (hash -> sqrt(-2 * log(low_unit(hash))) * cos(2 * pi() * high_unit(hash))) AS normal
    SELECT day, product_index, month_index, country_index, prime, bucket, household,
      arrayMap((mean, hash) -> ${poisson},
        [expected * direct_share, expected * rest_share, expected * (1 - direct_share - rest_share - unclassified_share),
         expected * unclassified_share, expected * ${notARequestShare}],
        arrayMap(class -> intHash64(draw + class), [1, 2, 3, 4, 5])) AS drawn
    FROM
    (
      SELECT *, least(${unclassifiedShare}, 1 - direct_share - rest_share) AS unclassified_share
      FROM
      (
        SELECT *, greatest(0, least(rest_before + direct_before - direct_share, 1 - direct_share)) AS rest_share
        FROM
        (
          SELECT *, least(1, direct_before * ${numbers(cells.map(({ bought }) => bought))}[cell]) AS direct_share
          FROM
          (
            SELECT *,
              cityHash64(household, day, product_index) AS draw,
              rate * ${numbers(cells.map(({ requests }) => requests))}[cell]
                * ${numbers(cells.flatMap(({ parts }) => parts))}[(home_cell - 1) * ${products} + product_index] AS expected,
              strict_taste * ${numbers(cells.map(({ direct }) => direct))}[cell] AS direct_before,
              (1 - strict_taste) * ${numbers(cells.map(({ rest }) => rest))}[cell]
                * ${numbers(tastes)}[(product_index - 1) * ${slices} + taste_slice] AS rest_before
            FROM
            (
              SELECT *, ${cell} + product_index AS cell,
                if(buyer < ${numbers(buyers)}[product_index],
                  1 - sqrt(1 - buyer / ${numbers(buyers)}[product_index]), 0) AS strict_taste
              FROM
              (
                SELECT *, ${cell} + home_index AS home_cell, arrayJoin(
                  ${sets(cells)}[home_cell]) AS product_index
                FROM
                (
                  SELECT *, arrayJoin(range(${days[0]!}, ${days.at(-1)! + 1})) AS day
                  FROM
                  (
                    SELECT household, country_index,
                      toUInt8(cityHash64(household) % 64) AS bucket,
                      cityHash64(household, 'fixed') AS fixed,
                      toUInt8(1 + arrayCount(part -> high_unit(intHash64(fixed + 1)) >= part, ${numbers(weightUpTo.slice(0, -1))})) AS home_index,
                      toUInt8(1 + intHash64(fixed + 2) % ${cohorts.months.length}) AS month_index,
                      low_unit(intHash64(fixed + 3)) < ${cohorts.prime} AS prime,
                      ${rateMedian} * exp(${rateSigma} * normal(intHash64(fixed + 4))) AS rate,
                      toUInt16(1 + intHash64(fixed + 5) % ${slices}) AS taste_slice,
                      low_unit(intHash64(fixed + 6)) AS buyer
                    FROM
                    (
                      SELECT country_index, cityHash64(${seed}, ${strings(Object.keys(cohorts.countries))}[country_index],
                        number - ${numbers([0, ...upTo])}[country_index]) AS household
                      FROM
                      (
                        SELECT number, toUInt8(1 + arrayCount(limit -> number >= limit, ${numbers(upTo)})) AS country_index
                        FROM numbers(${upTo.at(-1)!})
                      )
                    )
                  )
                )
                WHERE low_unit(cityHash64(household, day, 'active')) < ${activeShare}
              )
            )
          )
        )
      )
    )`
}

/**
 * A Poisson number of a `mean` from one `hash`. Below 2 by inversion, up to 10; from 2 on the Cornish-Fisher expansion, rounded,
 * whose mean is exact and whose variance is 0.14 too large.
 */
const poisson = (() => {
  const terms = Array.from({ length: 10 }, (_, last) => {
    let series = '1'
    for (let k = last; k > 0; k--) {
      series = `(1 + mean / ${k} * ${series})`
    }
    return `(low_unit(hash) * exp(mean) > ${series})`
  })
  return `toUInt32(if(mean < ${cornishFisherFrom}, ${terms.join(' + ')},
    greatest(0, floor(mean + normal(hash) * sqrt(mean) + (normal(hash) * normal(hash) - 1) / 6 + 0.5))))`
})()

/** For each day, country and product: the indices of the products that its households use, as [[1], [2, 4], ...]. */
function sets(cells: readonly HistoryCell[]): string {
  const used = cells.map(({ parts }) => parts.flatMap((part, index) => (part > 0 ? [index + 1] : [])).join())
  return `[${used.map((list) => `[${list}]`).join()}]`
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const numbers = (values: readonly number[]) => `[${values.map((value) => Number(value.toPrecision(9))).join()}]`
const strings = (values: readonly string[]) =>
  `[${values.map((value) => `'${value.replace(/[\\']/g, '\\$&')}'`).join()}]`
