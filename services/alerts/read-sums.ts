/**
 * Reads sums per bucket of households from the tables: roll-ups for days and weeks, raw rows for hours and for what no roll-up has.
 *
 * Series that differ in the measure or in the values of their filters alone are a family, read by one statement: a thousand rules
 * of many teams ask for few families, and a statement costs more than its rows.
 */
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { Cell, Series, WindowInput } from './inputs.ts'
import { windowMs, type Measure, type RuleDimension } from './rule.ts'

export interface SumsSource {
  readonly clickHouse: ClickHouse
  readonly database: string
  readonly taxonomyVersion: number
}

/** Windows of a series, by their starts. */
export interface Wanted {
  readonly series: Series
  readonly starts: readonly number[]
}

/** By series key and start: the windows, each with its cells in one order; a window without rows has none. */
export type Sums = ReadonlyMap<string, ReadonlyMap<number, WindowInput>>

export async function readSums(source: SumsSource, wanted: readonly Wanted[]): Promise<Sums> {
  const found = new Map<string, Map<number, WindowInput>>()
  const families = Map.groupBy(wanted, ({ series }) => familyKey(series))
  for (const members of families.values()) {
    const family = familyOf(members.map(({ series }) => series))
    const starts = [...new Set(members.flatMap((member) => member.starts))].sort((left, right) => left - right)
    for (let from = 0; from < starts.length; from += startsAtOnce) {
      const some = starts.slice(from, from + startsAtOnce)
      const [rows, households] = await Promise.all([
        readRows(source, family, some),
        readHouseholds(source, family, some),
      ])
      for (const { series, starts: asked } of members) {
        const own = found.get(series.key) ?? new Map<number, WindowInput>()
        found.set(series.key, own)
        for (const startMs of asked.filter((start) => some.includes(start))) {
          own.set(startMs, { startMs, origin: 'tables', cells: cellsOf({ series, family, startMs, rows, households }) })
        }
      }
    }
  }
  return found
}

/** An answer of 2,000 cells of 64 buckets is about 2 MB a window. */
const startsAtOnce = 7

interface Family {
  readonly kind: 'rollup' | 'raw' | 'per household' | 'rejected'
  /** Whose numerators are read; the denominator is the same for all. */
  readonly measures: readonly Measure[]
  readonly window: Series['window']
  /** What filters ask of, and the values that they ask for. */
  readonly filterBy: readonly RuleDimension[]
  readonly filters: readonly (readonly string[])[]
  readonly by: Series['by']
  readonly mix: Series['mix']
}

function familyKey(series: Series): string {
  return JSON.stringify([kindOf(series), series.window, Object.keys(filterOf(series)), series.by, series.mix])
}

function familyOf(members: readonly Series[]): Family {
  const [{ window, by, mix }] = members as [Series]
  const filters = new Map(members.map((series) => [filterKey(series), Object.values(filterOf(series))]))
  return {
    ...{ kind: kindOf(members[0]!), window, by, mix, filters: [...filters.values()] },
    measures: [...new Set(members.map(({ measure }) => measure))].sort(),
    filterBy: Object.keys(filterOf(members[0]!)) as RuleDimension[],
  }
}

function kindOf({ measure, window }: Series): Family['kind'] {
  if (measure === 'rejected_ratio') {
    return 'rejected'
  }
  if (measure === 'requests_per_household') {
    return 'per household'
  }
  return window === 'hour' ? 'raw' : 'rollup'
}

/** In one order of names. Only of plans an empty value asks for something: for households without a plan. */
function filterOf({ filter }: Series): Record<string, string> {
  const asked = Object.entries(filter).filter(([name, value]) => name === 'plans' || value !== '')
  return Object.fromEntries(asked.sort(([left], [right]) => (left < right ? -1 : 1)))
}

const filterKey = (series: Series) => JSON.stringify(Object.values(filterOf(series)))

interface Row {
  readonly win: number
  readonly filter: string[]
  readonly cohort: string[]
  readonly mix: string
  /** Bucket, denominator, and a numerator for each measure. */
  readonly sums: number[][]
}

/** Rows by window and values of the filter. */
type Rows = ReadonlyMap<string, readonly Row[]>

const place = (win: number, filter: string) => `${win} ${filter}`

function cellsOf(of: {
  series: Series
  family: Family
  startMs: number
  rows: Rows
  households: ReadonlyMap<string, number>
}): Cell[] {
  const { series, family, startMs, rows, households } = of
  const numerator = 2 + family.measures.indexOf(series.measure)
  const own = place(startMs, filterKey(series))
  const cells = (rows.get(own) ?? []).map(({ cohort, mix, sums }) => {
    const buckets = sums.reduce((most, [bucket]) => Math.max(most, bucket!), 0) + 1
    const requests = new Array<number>(buckets).fill(0)
    const hits = new Array<number>(buckets).fill(0)
    for (const counts of sums) {
      requests[counts[0]!] = counts[1]!
      hits[counts[0]!] = counts[numerator]!
    }
    return { cohort, mix, households: households.get(`${own} ${JSON.stringify(cohort)}`) ?? 0, requests, hits }
  })
  return cells
    .map((cell) => ({ cell, name: JSON.stringify([cell.cohort, cell.mix]) }))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .map(({ cell }) => cell)
}

const hitsOf: Record<Measure, string> = {
  strict_share: "value_class = 'direct'",
  broad_share: "value_class IN ('direct', 'assisted', 'entitlement')",
  unclassified_ratio: "value_class = 'unclassified'",
  requests_per_household: '1',
  rejected_ratio: 'rejected = 1',
}

async function readRows(source: SumsSource, family: Family, starts: readonly number[]): Promise<Rows> {
  const hits = family.measures.map((measure, index) => [hitsOf[measure], `y${index}`] as const)
  const counted = (sumIf: (condition: string) => string) =>
    hits.map(([condition, name]) => `${sumIf(condition)} AS ${name}`).join(', ')
  const select = (from: string, bucket: string, x: string, y: string) =>
    `SELECT win, filter, cohort, mix, groupArray([bucket, x, ${hits.map(([, name]) => name).join(', ')}]) AS sums FROM (
       SELECT win, ${keys(family)}, ${bucket} AS bucket, toUInt64(${x}) AS x, ${y} FROM ${from} GROUP BY win, filter, cohort, mix, bucket)
     GROUP BY win, filter, cohort, mix`
  const ofHousehold = 'cityHash64(household) % 64'
  const sql = {
    rollup: () =>
      select(
        fromRollup(source, family, 'usage_by_cohort_daily', requestsOnly),
        ...(['toUInt64(bucket)', 'sum(requests)', counted((condition) => `sumIf(requests, ${condition})`)] as const),
      ),
    raw: () =>
      select(
        fromRaw(source, family),
        ofHousehold,
        'count()',
        counted((condition) => `countIf(${condition})`),
      ),
    'per household': () =>
      select(
        fromRaw(source, family),
        ofHousehold,
        'uniqExact(household)',
        counted(() => 'count()'),
      ),
    rejected: () =>
      select(
        fromMessages(source, family),
        'toUInt64(0)',
        'sum(messages)',
        counted((condition) => `sumIf(messages, ${condition})`),
      ),
  }[family.kind]()
  const rows = await source.clickHouse.rows<Row>(sql, params(source, family, starts))
  return Map.groupBy(rows, ({ win, filter }) => place(win, JSON.stringify(filter)))
}

function params({ taxonomyVersion }: SumsSource, { filters }: Family, starts: readonly number[]) {
  return { starts, taxonomy: taxonomyVersion, filters }
}

const columnOf: Record<RuleDimension, string> = {
  product: 'toString(product)',
  cohort_month: "formatDateTime(cohort_month, '%Y-%m')",
  country: 'toString(country)',
  plans: 'toString(plans)',
  partition: 'toString(partition)',
}

const columns = (dimensions: readonly RuleDimension[]) =>
  `[${dimensions.map((dimension) => columnOf[dimension]).join(', ')}]::Array(String)`

const keys = ({ filterBy, by, mix }: Family) =>
  `${columns(filterBy)} AS filter, ${columns(by)} AS cohort, ${mix === null ? "''" : columnOf[mix]} AS mix`

/** `win`: milliseconds at which a row's window starts, of a time or a day. */
function windowOf({ window }: Family, at: string): string {
  const length = windowMs[window]
  // Weeks start on Mondays, four days after the epoch's Thursday.
  const origin = window === 'week' ? 4 * windowMs.day : 0
  return `intDiv(toUnixTimestamp64Milli(toDateTime64(${at}, 3, 'UTC')) - ${origin}, ${length}) * ${length} + ${origin}`
}

function filtered({ filterBy }: Family): string {
  const asked = filterBy.map((_, index) => `f[${index + 1}]`)
  const filter =
    filterBy.length === 0
      ? ''
      : ` AND (${filterBy.map((dimension) => columnOf[dimension]).join(', ')}) IN
            (SELECT ${asked.join(', ')} FROM (SELECT arrayJoin({filters:Array(Array(String))}) AS f))`
  return `taxonomy_version = {taxonomy:UInt16}${filter}`
}

/** The roll-up of households holds no other rows. */
const requestsOnly = "value_class != 'not_a_request'"

/** Days of the windows, so that the primary key is used. */
function daysOf({ window }: Family): string {
  const days = Math.max(1, windowMs[window] / windowMs.day)
  return `arrayDistinct(arrayFlatten(arrayMap(s -> arrayMap(d -> toDate(fromUnixTimestamp64Milli(s, 'UTC')) + d, range(${days})), {starts:Array(Int64)})))`
}

function fromRollup({ database }: SumsSource, family: Family, table: string, where = 'true'): string {
  return `(SELECT *, ${windowOf(family, 'day')} AS win FROM ${database}.${table}
     WHERE day IN (SELECT arrayJoin(${daysOf(family)})) AND ${filtered(family)} AND ${where})`
}

/** Raw rows of the windows. Only days with such a window are read. */
function fromRaw({ database }: SumsSource, family: Family): string {
  return `(SELECT *, toStartOfMonth(activated_on) AS cohort_month, ${windowOf(family, 'occurred_at')} AS win
     FROM ${database}.intent_events
     WHERE toDate(occurred_at) IN (SELECT arrayJoin(${daysOf(family)})) AND has({starts:Array(Int64)}, win) AND ${filtered(family)} AND ${requestsOnly})`
}

/** Messages by partition and the time of their record: the log's own, for a rejected message has no other that is known. */
function fromMessages({ database }: SumsSource, family: Family): string {
  const part = (table: string, rejected: 0 | 1) =>
    `SELECT ${windowOf(family, 'recorded_at')} AS win, partition, ${rejected} AS rejected, count() AS messages FROM ${database}.${table}
     WHERE recorded_at >= fromUnixTimestamp64Milli(arrayMin({starts:Array(Int64)}), 'UTC')
       AND recorded_at < fromUnixTimestamp64Milli(arrayMax({starts:Array(Int64)}) + ${windowMs[family.window]}, 'UTC')
       AND topic_id NOT IN (SELECT topic_id FROM ${database}.ingest_batches WHERE stream != 'assistant-intents')
       AND has({starts:Array(Int64)}, win) GROUP BY win, partition`
  return `(${part('intent_events', 0)} UNION ALL ${part('duplicate_events', 0)} UNION ALL ${part('rejected_events', 1)})`
}

/** Distinct households of each window and cohort; a household asks on many days and of two products. */
async function readHouseholds(
  source: SumsSource,
  family: Family,
  starts: readonly number[],
): Promise<ReadonlyMap<string, number>> {
  if (family.kind === 'rejected') {
    return new Map()
  }
  const [from, count] =
    family.kind === 'rollup'
      ? [fromRollup(source, family, 'households_by_cohort_daily'), 'uniqCombined64Merge(households)']
      : [fromRaw(source, family), 'uniq(household)']
  const rows = await source.clickHouse.rows<{ win: number; filter: string[]; cohort: string[]; households: number }>(
    `SELECT win, ${columns(family.filterBy)} AS filter, ${columns(family.by)} AS cohort, ${count} AS households
     FROM ${from} GROUP BY win, filter, cohort`,
    params(source, family, starts),
  )
  return new Map(
    rows.map(({ win, filter, cohort, households }) => [
      `${place(win, JSON.stringify(filter))} ${JSON.stringify(cohort)}`,
      households,
    ]),
  )
}
