/** The sums that windows were judged by: kept as they were seen first, for late events change the tables afterwards. */
import { createHash } from 'node:crypto'

import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { insertSettings } from '../shared/pipeline/insert.ts'
import { sum, type Cell, type Series, type WindowInput } from './inputs.ts'
import type { Sums, Wanted } from './read-sums.ts'

export interface RecordOptions {
  readonly clickHouse: ClickHouse
  readonly database: string
  readonly taxonomyVersion: number
}

export interface InputsRecord {
  /** Those of the windows that a live tick has kept. */
  inputs(wanted: readonly Wanted[]): Promise<Sums>
  keepInputs(inputs: readonly KeptInputs[], nowMs: number): Promise<void>
  /** Those of the windows that were kept with other cells than these. */
  inputsUnlike(these: Sums, wanted: readonly Wanted[]): Promise<Sums>
}

export interface KeptInputs {
  readonly series: Series
  readonly windows: readonly WindowInput[]
}

export function createInputsRecord(options: RecordOptions): InputsRecord {
  const { clickHouse, database, taxonomyVersion } = options
  const insert = createInsert(options)

  /** Of the windows that were kept; `cells` is SQL over their rows. */
  async function kept<T>(wanted: readonly Wanted[], cells: string): Promise<(T & { series: string; start: number })[]> {
    const rows: (T & { series: string; start: number })[] = []
    for (let from = 0; from < wanted.length; from += seriesAtOnce) {
      const some = wanted.slice(from, from + seriesAtOnce)
      const starts = [...new Set(some.flatMap((each) => each.starts))]
      rows.push(
        ...(await clickHouse.rows<T & { series: string; start: number }>(
          `SELECT series, toUnixTimestamp64Milli(window_start) AS start, ${cells} FROM ${database}.alert_inputs
           WHERE series IN {series:Array(String)} AND taxonomy_version = {taxonomy:UInt16}
             AND window_start IN (SELECT arrayJoin(arrayMap(s -> fromUnixTimestamp64Milli(s, 'UTC'), {starts:Array(Int64)})))
           GROUP BY series, window_start`,
          { series: some.map(({ series }) => series.key), taxonomy: taxonomyVersion, starts },
        )),
      )
    }
    const asked = new Map(wanted.map(({ series, starts }) => [series.key, new Set(starts)]))
    return rows.filter(({ series, start }) => asked.get(series)!.has(start))
  }

  async function inputs(wanted: readonly Wanted[]): Promise<Sums> {
    const found = new Map<string, Map<number, WindowInput>>()
    const rows = await kept<{ cells: string }>(wanted, `${firstCells} AS cells`)
    for (const { series, start, cells } of rows) {
      const own = found.get(series) ?? new Map<number, WindowInput>()
      found.set(series, own.set(start, { startMs: start, origin: 'seen', cells: JSON.parse(cells) as Cell[] }))
    }
    return found
  }

  return {
    inputs,
    async inputsUnlike(these, wanted) {
      const rows = await kept<{ hash: string }>(wanted, `lower(hex(MD5(${firstCells}))) AS hash`)
      const unlike = rows.filter(({ series, start, hash }) => {
        const own = these.get(series)?.get(start)
        return own === undefined || hash !== md5(JSON.stringify(own.cells))
      })
      const others = Map.groupBy(unlike, ({ series }) => series)
      return inputs(
        wanted.flatMap(({ series }) => {
          const starts = others.get(series.key)?.map(({ start }) => start) ?? []
          return starts.length === 0 ? [] : [{ series, starts }]
        }),
      )
    },
    async keepInputs(made, nowMs) {
      const rows = made.flatMap(({ series, windows }) =>
        windows.map(({ startMs, cells }) => ({
          ...{ series: series.key, window_start: time(startMs), taxonomy_version: taxonomyVersion },
          ...{ cells: JSON.stringify(cells), requests: cells.reduce((all, cell) => all + sum(cell.requests), 0) },
          seen_at: time(nowMs),
        })),
      )
      const names = made.flatMap(({ series, windows }) => windows.map(({ startMs }) => `${series.key} ${startMs}`))
      await insert('alert_inputs', tokenOf(`inputs ${taxonomyVersion}`, names), rows)
    },
  }
}

/** Inserts rows under a token: repeated, it stores nothing twice. */
export function createInsert({ clickHouse, database }: Pick<RecordOptions, 'clickHouse' | 'database'>) {
  return async (table: string, token: string, rows: readonly object[]): Promise<void> => {
    if (rows.length === 0) {
      return
    }
    const body = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
    await clickHouse.insert(`INSERT INTO ${database}.${table} FORMAT JSONEachRow`, [body], {
      params: {},
      settings: insertSettings(token),
    })
  }
}

const seriesAtOnce = 500

/** Of windows that two processes kept at once the same for both. */
const firstCells = 'argMin(cells, (seen_at, cells))'

/** The same rows are dropped; a row that comes again among others is harmless: the first one counts. */
export function tokenOf(what: string, names: readonly string[]): string {
  return `${what} ${md5(JSON.stringify(names))}`
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** As ClickHouse reads a DateTime64(3). */
export function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 23)
}
