import { createRandom } from '../producer/random.ts'
import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse, ClickHouseSettings } from '../shared/io/clickhouse.ts'
import { betaSlices } from './beta-slices.ts'
import { checkChanges, dayNumber, dayText, plantedFactors, plantedMix, type HistoryChange } from './history-changes.ts'
import { checkCohorts, type HistoryCohorts } from './history-cohorts.ts'
import { householdsInsert, usageByProductInsert, usageInsert, type HistoryTables } from './history-sql.ts'

export interface AlertHistory {
  readonly database: string
  /** YYYY-MM-DD. */
  readonly firstDay: string
  readonly days: number
  readonly seed: number
  readonly cohorts: HistoryCohorts
  readonly changes: readonly HistoryChange[]
  /** Standard deviation of a day's shock on the shares of all households alike, relative; 0.02 by default, 0 for none. */
  readonly noise?: number
  /** Called with the last day made, about weekly. */
  readonly onProgress?: (day: string) => void
}

/**
 * Fills the daily roll-ups by cohort and by product with the days of a population of households, straight: no events stand
 * behind the rows, so `audit` would miss them. For a database of the demo's or a test's own, as `migrate` makes it.
 *
 * The households are those of test/support/daily-usage-model.ts: each has a rate of its own, log-normal with median 10 and
 * sigma 1.297, and tastes of its own; it is active on 60 % of days. The strict taste is 0 but for a part of the households
 * (three times the share), who have one from Beta(1, 2) by its closed inverse; the broad taste beside it is from
 * Beta(3p, 3(1 - p)) cut into 1,024 equally likely values (`betaSlices`). A household's requests of a class and day are Poisson
 * (inverse for expectations below 2, Cornish-Fisher above), which makes its monetised ones binomial given all of them. Weekdays
 * have a profile of requests and of shares; both leave a whole week's mean as it is.
 *
 * Everything is drawn by hashes of the seed, the household and the day alone: the same options give the same rows, any days
 * can be made apart or later, and a change alters only what it names. A day that has rows already is refused, because its
 * sums would double.
 *
 * @throws PipelineError for a change, cohort or day that can't be
 */
export async function fillAlertHistory(clickHouse: ClickHouse, history: AlertHistory): Promise<void> {
  const { database, days, cohorts, changes } = history
  const countries = Object.keys(cohorts.countries)
  const products = cohorts.products.map(({ product }) => product)
  const first = dayNumber(history.firstDay)
  if (Number.isNaN(first) || !Number.isSafeInteger(days) || days < 1 || !Number.isSafeInteger(history.seed)) {
    throw mistake(
      `a history has a first day as YYYY-MM-DD, a number of days and a whole number as seed, not ${history.firstDay}, ${days}, ${history.seed}`,
    )
  }
  checkCohorts(cohorts)
  checkChanges(changes, { countries, products })
  await refuseDaysWithRows(clickHouse, history, first)

  const tastes = cohorts.products.flatMap(({ broad, strict }) => {
    // Of what is not direct, so that both together have the mean `broad`.
    const rest = (broad - strict) / (1 - strict)
    return betaSlices(3 * rest, 3 * (1 - rest), tasteSlices)
  })
  for (let from = first; from < first + days; from += daysAtOnce) {
    const some = Array.from({ length: Math.min(daysAtOnce, first + days - from) }, (_, index) => from + index)
    const tables: HistoryTables = { database, seed: history.seed, cohorts, tastes, ...dayTables(history, some) }
    await clickHouse.command(usageInsert(tables), {}, insertSettings)
    await clickHouse.command(usageByProductInsert(tables), {}, insertSettings)
    await clickHouse.command(householdsInsert(tables), {}, insertSettings)
    history.onProgress?.(dayText(some.at(-1)!))
  }
}

/** Monday to Sunday, on requests and on shares. Means are 1, that of shares weighted by requests. */
const weekdayRequests = [0.97, 0.95, 0.95, 0.96, 0.99, 1.1, 1.08]
const weekdayShares = weightedToOne([0.98, 0.98, 0.98, 0.99, 1, 1.04, 1.03], weekdayRequests)

const tasteSlices = 1_024
/** A week a statement: a household's fixed numbers are drawn once for all its days; 160,000 households take about 0.5 GB. */
const daysAtOnce = 7
const defaultNoise = 0.02
/** First word of the random stream of day shocks, apart from those of services/producer/population.ts. */
const shockStream = 101

const insertSettings: ClickHouseSettings = {
  // Days that were dropped and are made again are the same blocks: ClickHouse would skip them as repeated.
  insert_deduplicate: 0,
  max_memory_usage: '1000000000',
}

function dayTables(
  { seed, cohorts, changes, noise }: AlertHistory,
  days: readonly number[],
): Pick<HistoryTables, 'days' | 'cells'> {
  const cells = days.flatMap((number) => {
    const day = dayText(number)
    // 1970-01-01 was a Thursday.
    const weekday = (number + 3) % 7
    const shock = 1 + (noise ?? defaultNoise) * createRandom(seed, shockStream, number).normal()
    const level = weekdayShares[weekday]! * Math.max(0, shock)
    return Object.keys(cohorts.countries).flatMap((country) =>
      cohorts.products.map((own) => {
        const at = { day, country, product: own.product }
        const { volume, broad, strict } = plantedFactors(changes, at)
        // Direct requests are part of the broad share and stay, so the rest must change by more than the whole.
        const rest = Math.max(0, (broad * own.broad - own.strict) / (own.broad - own.strict))
        const mix = plantedMix(changes, at)
        return {
          requests: weekdayRequests[weekday]! * volume,
          direct: level,
          rest: level * rest,
          bought: strict,
          parts: cohorts.products.map(({ product }) => mix.get(product) ?? 0),
        }
      }),
    )
  })
  return { days, cells }
}

async function refuseDaysWithRows(clickHouse: ClickHouse, { database, days }: AlertHistory, first: number) {
  for (const table of ['usage_by_cohort_daily', 'usage_by_product_daily', 'households_by_cohort_daily']) {
    const [found] = await clickHouse.rows<{ day: string }>(
      `SELECT day FROM ${database}.${table} WHERE day BETWEEN {from:Date} AND {to:Date} LIMIT 1`,
      { from: dayText(first), to: dayText(first + days - 1) },
    )
    if (found !== undefined) {
      throw mistake(`${database}.${table} has rows of ${found.day} already: take a new database, or other days`)
    }
  }
}

function weightedToOne(values: readonly number[], weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = values.reduce((sum, value, index) => sum + value * weights[index]!, 0) / total
  return values.map((value) => value / mean)
}
