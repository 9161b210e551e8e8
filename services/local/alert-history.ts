import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse, ClickHouseSettings } from '../shared/io/clickhouse.ts'
import { betaSlices } from './beta-slices.ts'
import { checkChanges, dayNumber, dayText, plantedFactors, plantedMix, type HistoryChange } from './history-changes.ts'
import { householdsInsert, usageInsert, type HistoryTables } from './history-sql.ts'
import { createRandom } from '../producer/random.ts'

export interface HistoryProduct {
  readonly product: string
  /** Of the households, relative to the other products': a household has one product. */
  readonly weight: number
  /** Mean share of requests that are direct, assisted or entitlement; above `strict`, below 1. */
  readonly broad: number
  /** Mean share of requests that are direct; below a third. */
  readonly strict: number
  /** What its broad requests are that are not direct. */
  readonly broadClass: 'assisted' | 'entitlement'
}

export interface HistoryCohorts {
  /** Households by country. */
  readonly countries: Readonly<Record<string, number>>
  readonly products: readonly HistoryProduct[]
  /** First days of the months that households were activated in, evenly; all before the history, for nobody joins or leaves. */
  readonly months: readonly string[]
  /** Part of the households with plan prime; the others have none. */
  readonly prime: number
}

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
 * Fills the daily roll-ups by cohort with the days of a population of households, straight: no events stand behind the rows,
 * so `audit` would miss them. For a database of the demo's or a test's own, as `migrate` makes it.
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
  if (Number.isNaN(first) || !Number.isSafeInteger(days) || days < 1) {
    throw mistake(`a history has a first day as YYYY-MM-DD and a number of days, not ${history.firstDay} and ${days}`)
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
    await clickHouse.command(householdsInsert(tables), {}, insertSettings)
    history.onProgress?.(dayText(some.at(-1)!))
  }
}

/** Eight countries, four products, six months of activation before the first day: 192 cohorts of product, country and month. */
export function demoCohorts(firstDay: string, householdsPerCountry = 20_000): HistoryCohorts {
  const [year, month] = firstDay.split('-').map(Number) as [number, number]
  return {
    countries: Object.fromEntries(
      ['US', 'GB', 'DE', 'FR', 'IN', 'JP', 'BR', 'CA'].map((country) => [country, householdsPerCountry]),
    ),
    products: [
      { product: 'echo', weight: 50, broad: 0.06, strict: 0.01, broadClass: 'assisted' },
      { product: 'fire_tv', weight: 20, broad: 0.35, strict: 0.01, broadClass: 'entitlement' },
      { product: 'kindle', weight: 16, broad: 0.3, strict: 0.01, broadClass: 'entitlement' },
      { product: 'ring', weight: 14, broad: 0.4, strict: 0.005, broadClass: 'entitlement' },
    ],
    months: Array.from({ length: 6 }, (_, back) =>
      new Date(Date.UTC(year, month - 7 + back, 1)).toISOString().slice(0, 10),
    ),
    prime: 0.5,
  }
}

/** Monday to Sunday, on requests and on shares. Means are 1, that of shares weighted by requests. */
const weekdayRequests = [0.97, 0.95, 0.95, 0.96, 0.99, 1.1, 1.08]
const weekdayShares = weightedToOne([0.98, 0.98, 0.98, 0.99, 1, 1.04, 1.03], weekdayRequests)

export const tasteSlices = 1_024
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
  for (const table of ['usage_by_cohort_daily', 'households_by_cohort_daily']) {
    const [found] = await clickHouse.rows<{ day: string }>(
      `SELECT day FROM ${database}.${table} WHERE day BETWEEN {from:Date} AND {to:Date} LIMIT 1`,
      { from: dayText(first), to: dayText(first + days - 1) },
    )
    if (found !== undefined) {
      throw mistake(`${database}.${table} has rows of ${found.day} already: take a new database, or other days`)
    }
  }
}

function checkCohorts({ countries, products, months, prime }: HistoryCohorts): void {
  const bad =
    Object.values(countries).some((households) => !Number.isSafeInteger(households) || households < 0) ||
    products.some(
      ({ weight, broad, strict }) => !(weight >= 0 && strict >= 0 && strict < 1 / 3 && broad > strict && broad < 1),
    ) ||
    months.some((month) => Number.isNaN(dayNumber(month))) ||
    !(prime >= 0 && prime <= 1)
  if (bad || Object.keys(countries).length === 0 || products.length === 0 || months.length === 0) {
    throw mistake(
      'a history needs whole numbers of households, products with 0 <= strict < 1/3 and strict < broad < 1, and months as YYYY-MM-DD',
    )
  }
}

function weightedToOne(values: readonly number[], weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = values.reduce((sum, value, index) => sum + value * weights[index]!, 0) / total
  return values.map((value) => value / mean)
}
