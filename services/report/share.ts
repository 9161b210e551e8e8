import type { AuditedSample } from '../shared/domain/audited-sample.ts'
import type { ShareDefinition } from '../shared/domain/taxonomy.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { viewsDatabase } from '../shared/io/settings.ts'
import { correctedFigures, correctionLegend, correctionsOf, type Corrections } from './corrected.ts'
import type { ShareDimension } from '../shared/io/flag-kinds.ts'
import {
  formatInterval,
  renderCsv,
  renderJson,
  renderTable,
  type Cell,
  type Column,
  type Format,
  type ShareFigures,
} from '../shared/io/render.ts'
import { describeWindow, type Window } from './window.ts'

export interface ShareParameters {
  readonly by: readonly ShareDimension[]
  readonly product: string
  readonly cohort: string
  readonly country: string
  /** `any`, or a sorted set joined by commas; empty for no plan. */
  readonly plans: string
}

type Quality = ShareFigures['quality']

/** A row of the view `usage_share`: figures are null where the cell is suppressed. */
export interface ShareRow {
  readonly product: string
  readonly cohort_month: string
  readonly country: string
  readonly plans: string
  readonly day: string
  readonly taxonomy_version: number
  readonly requests: number | null
  readonly households: number | null
  readonly strict_share: number | null
  readonly strict_low: number | null
  readonly strict_high: number | null
  readonly strict_quality: Quality
  readonly broad_share: number | null
  readonly broad_low: number | null
  readonly broad_high: number | null
  readonly broad_quality: Quality
  readonly suppressed: number
}

export interface ShareReport {
  readonly window: Window
  readonly parameters: ShareParameters
  readonly rows: readonly ShareRow[]
}

/** Asks the view `usage_share`, as any client may. */
export async function queryShare(
  client: ClickHouse,
  database: string,
  { window, parameters }: Omit<ShareReport, 'rows'>,
): Promise<ShareReport> {
  const { by, ...filters } = parameters
  const rows = await client.rows<ShareRow>(
    `SELECT * FROM ${viewsDatabase(database)}.usage_share(from = {from:Date}, to = {to:Date}, by = {by:String},
       product = {product:String}, cohort = {cohort:String}, country = {country:String}, plans = {plans:String})
     ORDER BY product, cohort_month, country, plans, day, taxonomy_version`,
    { from: window.from, to: window.to, by: by.join(','), ...filters },
  )
  return { window, parameters, rows }
}

/** With audits (`samples`, latest first) the corrected shares stand beside; without one nothing does. */
export function printShare(
  report: ShareReport,
  format: Format = 'table',
  samples: readonly AuditedSample[] = [],
): string {
  const { window, parameters, rows } = report
  const corrections = correctionsOf(rows, samples)
  const { definitions, audits } = corrections
  if (format === 'json') {
    return renderJson({
      ...{ report: 'share', window, parameters, ...(audits.length === 0 ? {} : { audits }) },
      rows: rows.map((row) => ({ ...plainRow(row), ...Object.fromEntries(correctedFields(row, corrections)) })),
    })
  }
  if (format === 'csv') {
    return renderCsv(
      [...parameters.by, ...figureNames, ...definitions.flatMap(correctedNames)],
      rows.map((row) => [
        ...parameters.by.map((dimension) => row[dimension]),
        ...figureNames.map((name) => csvValue(row, name)),
        ...correctedFields(row, corrections).map(([, value]) => value),
      ]),
    )
  }
  const head = `usage share, ${describeWindow(window)}${describeFilters(parameters)}`
  if (rows.length === 0) {
    return `${head}\nno requests\n`
  }
  const versions = new Set(rows.map((row) => row.taxonomy_version))
  const columns: Column[] = [
    ...parameters.by.map((dimension): Column => ({ head: headOf[dimension], align: 'left' })),
    ...(versions.size > 1 ? [{ head: 'taxonomy', align: 'right' } as const] : []),
    { head: 'requests', align: 'right' },
    { head: 'households', align: 'right' },
    ...(['strict', 'broad'] as const).flatMap((definition): Column[] => [
      { head: definition, align: 'right' },
      ...(definitions.includes(definition) ? [{ head: 'corrected', align: 'right' } as const] : []),
    ]),
  ]
  const table = renderTable(
    columns,
    rows.map((row): Cell[] => [
      ...parameters.by.map((dimension) => (dimension === 'plans' && row.plans === '' ? 'none' : row[dimension])),
      ...(versions.size > 1 ? [`v${row.taxonomy_version}`] : []),
      row.suppressed ? 'hidden' : row.requests,
      row.suppressed ? 'hidden' : row.households,
      ...(['strict', 'broad'] as const).flatMap((definition) => [
        formatInterval(figuresOf(row, definition)),
        ...(definitions.includes(definition) ? [formatInterval(correctedFigures(row, definition, corrections))] : []),
      ]),
    ]),
  )
  return `${head}\n\n${table}${legend(rows, corrections)}`
}

const headOf: Record<ShareDimension, string> = {
  product: 'product',
  cohort_month: 'activated',
  country: 'country',
  plans: 'plans',
  day: 'day',
}

const figureNames = [
  ...(['taxonomy_version', 'requests', 'households'] as const),
  ...(['strict_share', 'strict_low', 'strict_high', 'strict_quality'] as const),
  ...(['broad_share', 'broad_low', 'broad_high', 'broad_quality', 'suppressed'] as const),
] as const

function csvValue(row: ShareRow, name: (typeof figureNames)[number]): Cell | boolean {
  return name === 'suppressed' ? row.suppressed !== 0 : row[name]
}

const correctedNames = (definition: ShareDefinition) =>
  ['', '_low', '_high'].map((end) => `${definition}_corrected${end}`)

function correctedFields(row: ShareRow, corrections: Corrections): [name: string, value: number | null][] {
  return corrections.definitions.flatMap((definition) => {
    const { share, low, high } = correctedFigures(row, definition, corrections)
    const values = [share, low, high]
    return correctedNames(definition).map((name, index): [string, number | null] => [name, values[index]!])
  })
}

function plainRow(row: ShareRow): object {
  return { ...row, suppressed: row.suppressed !== 0 }
}

function figuresOf(row: ShareRow, kind: 'strict' | 'broad'): ShareFigures {
  return {
    share: row[`${kind}_share`],
    low: row[`${kind}_low`],
    high: row[`${kind}_high`],
    quality: row[`${kind}_quality`],
  }
}

function describeFilters({ product, cohort, country, plans }: ShareParameters): string {
  const named = [
    ...(product === '' ? [] : [`product ${product}`]),
    ...(cohort === '' ? [] : [`activated ${cohort}`]),
    ...(country === '' ? [] : [`country ${country}`]),
    ...(plans === 'any' ? [] : [`plans ${plans === '' ? 'none' : plans}`]),
  ]
  return named.length === 0 ? '' : `\nonly ${named.join(', ')}`
}

/** Explains the marks that the table holds, and no others. */
function legend(rows: readonly ShareRow[], corrections: Corrections): string {
  const qualities = new Set(
    rows.flatMap((row) => [
      ...[row.strict_quality, row.broad_quality],
      ...corrections.definitions.map((definition) => correctedFigures(row, definition, corrections).quality),
    ]),
  )
  const lines = [
    'strict: bought in the turn; broad: also upstream of a purchase or part of a paid plan; 95 % interval',
    ...correctionLegend(corrections),
    ...(qualities.has('wide') ? ['~ a wide interval: half of it is more than half of the share'] : []),
    ...(qualities.has('insufficient')
      ? ['<= or (-): too few households contribute for a lower bound, or for any']
      : []),
    ...(rows.some((row) => row.suppressed) ? ['hidden: under 11 households, or it would give such a cell away'] : []),
    ...(new Set(rows.map((row) => row.taxonomy_version)).size > 1
      ? ['two taxonomy versions: their numbers are never added up']
      : []),
  ]
  return lines.map((line) => `${line}\n`).join('')
}
