import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { viewsDatabase } from '../shared/io/settings.ts'
import { intentClasses } from './exported-views.ts'
import {
  formatShare,
  renderCsv,
  renderJson,
  renderTable,
  type Cell,
  type Column,
  type Format,
} from '../shared/io/render.ts'
import { describeWindow, type Window } from './window.ts'

export interface IntentParameters {
  /** Intents listed of each class. */
  readonly limit: number
  readonly product: string
  readonly country: string
  /** One value class, or empty for all. */
  readonly valueClass: string
}

/** A row of the view `top_intents`: figures are null where the cell is suppressed. */
export interface IntentRow {
  readonly intent: string
  readonly value_class: (typeof intentClasses)[number]
  readonly taxonomy_version: number
  readonly requests: number | null
  readonly households: number | null
  /** Of all requests; null for what is no request. */
  readonly share: number | null
  readonly suppressed: number
}

export interface IntentReport {
  readonly window: Window
  readonly parameters: IntentParameters
  readonly rows: readonly IntentRow[]
}

/** Asks the view `top_intents` for the most frequent intents of each class. */
export async function queryIntents(
  client: ClickHouse,
  database: string,
  { window, parameters }: Omit<IntentReport, 'rows'>,
): Promise<IntentReport> {
  const { limit, product, country, valueClass } = parameters
  const rows = await client.rows<IntentRow>(
    `SELECT intent, value_class, taxonomy_version, requests, households, share, suppressed
     FROM ${viewsDatabase(database)}.top_intents(from = {from:Date}, to = {to:Date}, by = '', product = {product:String},
       country = {country:String}, value_class = {value_class:String})
     ORDER BY taxonomy_version, indexOf({classes:Array(String)}, value_class), suppressed, requests DESC, intent
     LIMIT {limit:UInt32} BY taxonomy_version, value_class`,
    { from: window.from, to: window.to, product, country, value_class: valueClass, limit, classes: [...intentClasses] },
  )
  return { window, parameters, rows }
}

export function printIntents(report: IntentReport, format: Format = 'table'): string {
  const { window, parameters, rows } = report
  if (format === 'json') {
    const plain = rows.map((row) => ({ ...row, suppressed: row.suppressed !== 0 }))
    return renderJson({ report: 'intents', window, parameters, rows: plain })
  }
  if (format === 'csv') {
    const names = ['value_class', 'intent', 'taxonomy_version', 'requests', 'households', 'share'] as const
    return renderCsv(
      [...names, 'suppressed'],
      rows.map((row) => [...names.map((name) => row[name]), row.suppressed !== 0]),
    )
  }
  const head = `top intents by class, ${describeWindow(window)}${describeFilters(parameters)}`
  if (rows.length === 0) {
    return `${head}\nno requests\n`
  }
  const versions = new Set(rows.map((row) => row.taxonomy_version)).size > 1
  const columns: Column[] = [
    { head: 'class', align: 'left' },
    ...(versions ? [{ head: 'taxonomy', align: 'right' } as const] : []),
    { head: 'intent', align: 'left' },
    { head: 'requests', align: 'right' },
    { head: 'households', align: 'right' },
    { head: 'of all requests', align: 'right' },
  ]
  const table = renderTable(
    columns,
    rows.map((row, index): Cell[] => {
      const above = rows[index - 1]
      const isFirst = above?.value_class !== row.value_class || above.taxonomy_version !== row.taxonomy_version
      return [
        isFirst ? row.value_class : '',
        ...(versions ? [`v${row.taxonomy_version}`] : []),
        row.intent,
        row.suppressed ? 'hidden' : row.requests,
        row.suppressed ? 'hidden' : row.households,
        row.share === null ? '' : formatShare(row.share),
      ]
    }),
  )
  const hidden = rows.some((row) => row.suppressed)
    ? 'hidden: under 11 households, or it would give such a cell away\n'
    : ''
  return `${head}\n\n${table}${hidden}`
}

function describeFilters({ product, country, valueClass }: IntentParameters): string {
  const named = [
    ...(product === '' ? [] : [`product ${product}`]),
    ...(country === '' ? [] : [`country ${country}`]),
    ...(valueClass === '' ? [] : [`class ${valueClass}`]),
  ]
  return named.length === 0 ? '' : `\nonly ${named.join(', ')}`
}
