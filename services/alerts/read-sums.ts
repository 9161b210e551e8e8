/** Reads sums per bucket of households from the tables: roll-ups for days and weeks, raw rows for hours and for what no roll-up has. */
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { Cell, Series, WindowInput } from './inputs.ts'
import { windowMs, type RuleDimension } from './rule.ts'

export interface SumsSource {
  readonly clickHouse: ClickHouse
  readonly database: string
  readonly taxonomyVersion: number
}

interface Row {
  readonly win: number
  readonly cohort: string[]
  readonly mix: string
  /** bucket, denominator, numerator */
  readonly sums: [number, number, number][]
}

/** The windows that start then, each with its cells in one order; a window without rows has none. */
export async function readSums(
  source: SumsSource,
  series: Series,
  starts: readonly number[],
): Promise<Map<number, WindowInput>> {
  const found = new Map<number, Cell[]>(starts.map((start) => [start, []]))
  if (starts.length === 0) {
    return new Map()
  }
  const [rows, households] = await Promise.all([
    readRows(source, series, starts),
    readHouseholds(source, series, starts),
  ])
  for (const { win, cohort, mix, sums } of rows) {
    const buckets = Math.max(...sums.map(([bucket]) => bucket)) + 1
    const requests = new Array<number>(buckets).fill(0)
    const hits = new Array<number>(buckets).fill(0)
    for (const [bucket, x, y] of sums) {
      requests[bucket] = x
      hits[bucket] = y
    }
    const people = households.get(`${win} ${JSON.stringify(cohort)}`) ?? 0
    found.get(win)?.push({ cohort, mix, households: people, requests, hits })
  }
  return new Map(
    [...found].map(([startMs, cells]) => [
      startMs,
      { startMs, origin: 'tables', cells: cells.sort((left, right) => (cellName(left) < cellName(right) ? -1 : 1)) },
    ]),
  )
}

const cellName = ({ cohort, mix }: Cell) => JSON.stringify([cohort, mix])

const hitsOf = {
  strict_share: "value_class = 'direct'",
  broad_share: "value_class IN ('direct', 'assisted', 'entitlement')",
  unclassified_ratio: "value_class = 'unclassified'",
  requests_per_household: '1',
  rejected_ratio: '1',
} as const

function readRows(source: SumsSource, series: Series, starts: readonly number[]): Promise<Row[]> {
  const sql =
    series.measure === 'rejected_ratio'
      ? rejectedSql(source, series)
      : series.measure === 'requests_per_household'
        ? perHouseholdSql(source, series)
        : series.window === 'hour'
          ? rawSql(source, series)
          : rollupSql(source, series)
  return source.clickHouse.rows<Row>(sql, params(source, series, starts))
}

function params({ taxonomyVersion }: SumsSource, { filter }: Series, starts: readonly number[]) {
  const { product = '', cohort_month = '', country = '', plans = 'any' } = filter
  return { starts, taxonomy: taxonomyVersion, product, cohort_month, country, plans }
}

const columnOf: Record<RuleDimension, string> = {
  product: 'toString(product)',
  cohort_month: "formatDateTime(cohort_month, '%Y-%m')",
  country: 'toString(country)',
  plans: 'toString(plans)',
  partition: 'toString(partition)',
}

/** `win`: milliseconds at which a row's window starts, of a time or a day. */
function windowOf(series: Series, at: string): string {
  const length = windowMs[series.window]
  // Weeks start on Mondays, four days after the epoch's Thursday.
  const origin = series.window === 'week' ? 4 * windowMs.day : 0
  return `intDiv(toUnixTimestamp64Milli(toDateTime64(${at}, 3, 'UTC')) - ${origin}, ${length}) * ${length} + ${origin}`
}

const cohortOf = ({ by }: Series) =>
  `[${by.map((dimension) => columnOf[dimension]).join(', ')}]::Array(String) AS cohort`

const keys = (series: Series) => `${cohortOf(series)}, ${series.mix === null ? "''" : columnOf[series.mix]} AS mix`

const filters = (cohortMonth: string) =>
  `({product:String} = '' OR product = {product:String}) AND ({country:String} = '' OR country = {country:String})
   AND ({plans:String} = 'any' OR plans = {plans:String})
   AND ({cohort_month:String} = '' OR ${cohortMonth} = toDateOrZero(concat({cohort_month:String}, '-01')))
   AND taxonomy_version = {taxonomy:UInt16}`

/** The roll-up of households holds no other rows. */
const requestsOnly = "value_class != 'not_a_request'"

/** Days of the windows, so that the primary key is used. */
function daysOf(series: Series): string {
  const days = Math.max(1, windowMs[series.window] / windowMs.day)
  return `arrayDistinct(arrayFlatten(arrayMap(s -> arrayMap(d -> toDate(fromUnixTimestamp64Milli(s, 'UTC')) + d, range(${days})), {starts:Array(Int64)})))`
}

const grouped = (inner: string) =>
  `SELECT win, cohort, mix, groupArray((bucket, x, y)) AS sums FROM (${inner}) GROUP BY win, cohort, mix`

function rollupSql({ database }: SumsSource, series: Series): string {
  return grouped(
    `SELECT ${windowOf(series, 'day')} AS win, ${keys(series)}, bucket, sum(requests) AS x, sumIf(requests, ${hitsOf[series.measure]}) AS y
     FROM ${database}.usage_by_cohort_daily WHERE day IN (SELECT arrayJoin(${daysOf(series)})) AND ${filters('cohort_month')} AND ${requestsOnly}
     GROUP BY win, cohort, mix, bucket`,
  )
}

/** Raw rows of the windows. Only days with such a window are read. */
function fromRaw({ database }: SumsSource, series: Series): string {
  return `(SELECT *, toStartOfMonth(activated_on) AS cohort_month, ${windowOf(series, 'occurred_at')} AS win
     FROM ${database}.intent_events
     WHERE toDate(occurred_at) IN (SELECT arrayJoin(${daysOf(series)})) AND has({starts:Array(Int64)}, win) AND ${filters('toStartOfMonth(activated_on)')} AND ${requestsOnly})`
}

function rawSql(source: SumsSource, series: Series): string {
  return grouped(
    `SELECT win, ${keys(series)}, toUInt8(cityHash64(household) % 64) AS bucket, count() AS x, countIf(${hitsOf[series.measure]}) AS y
     FROM ${fromRaw(source, series)} GROUP BY win, cohort, mix, bucket`,
  )
}

function perHouseholdSql(source: SumsSource, series: Series): string {
  return grouped(
    `SELECT win, ${keys(series)}, toUInt8(cityHash64(household) % 64) AS bucket, uniqExact(household) AS x, count() AS y
     FROM ${fromRaw(source, series)} GROUP BY win, cohort, mix, bucket`,
  )
}

/** Messages by partition and the time of their record: the log's own, for a rejected message has no other that is known. */
function rejectedSql({ database }: SumsSource, series: Series): string {
  const part = (table: string, rejected: 0 | 1) =>
    `SELECT ${windowOf(series, 'recorded_at')} AS win, partition, ${rejected} AS rejected, count() AS messages FROM ${database}.${table}
     WHERE recorded_at >= fromUnixTimestamp64Milli(arrayMin({starts:Array(Int64)}), 'UTC')
       AND recorded_at < fromUnixTimestamp64Milli(arrayMax({starts:Array(Int64)}) + ${windowMs[series.window]}, 'UTC')
       AND has({starts:Array(Int64)}, win) GROUP BY win, partition`
  return grouped(
    `SELECT win, ${cohortOf(series)}, '' AS mix, 0 AS bucket,
       sum(messages) AS x, sumIf(messages, rejected = 1) AS y
     FROM (${part('intent_events', 0)} UNION ALL ${part('duplicate_events', 0)} UNION ALL ${part('rejected_events', 1)})
     GROUP BY win, cohort`,
  )
}

/** Distinct households of each window and cohort; a household asks on many days and of two products. */
async function readHouseholds(
  source: SumsSource,
  series: Series,
  starts: readonly number[],
): Promise<ReadonlyMap<string, number>> {
  if (series.measure === 'rejected_ratio') {
    return new Map()
  }
  const { database } = source
  const cohort = cohortOf(series)
  const raw = series.window === 'hour' || series.measure === 'requests_per_household'
  const sql = raw
    ? `SELECT win, ${cohort}, uniq(household) AS households FROM ${fromRaw(source, series)} GROUP BY win, cohort`
    : `SELECT ${windowOf(series, 'day')} AS win, ${cohort}, uniqCombined64Merge(households) AS households
       FROM ${database}.households_by_cohort_daily
       WHERE day IN (SELECT arrayJoin(${daysOf(series)})) AND ${filters('cohort_month')}
       GROUP BY win, cohort`
  const rows = await source.clickHouse.rows<{ win: number; cohort: string[]; households: number }>(
    sql,
    params(source, series, starts),
  )
  return new Map(rows.map(({ win, cohort: values, households }) => [`${win} ${JSON.stringify(values)}`, households]))
}
