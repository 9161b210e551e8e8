import { mistake } from '../shared/domain/faults.ts'
import { commaList, shareDimensions, type ShareDimension } from '../shared/io/flag-kinds.ts'

export const intentClasses = ['direct', 'assisted', 'entitlement', 'free', 'unclassified', 'not_a_request'] as const

/** By the name of the option: ClickHouse' name of the format. */
export const exportFormatNames = { parquet: 'Parquet', csv: 'CSVWithNames', avro: 'Avro' } as const
export const exportFormats = Object.keys(exportFormatNames) as (keyof typeof exportFormatNames)[]
export type ExportFormat = keyof typeof exportFormatNames

/** What a view is asked with: the name of the parameter, and what stands for "all". */
const parameterDefaults = { by: '', product: '', cohort: '', country: '', plans: 'any', value_class: '' } as const
type FreeParameter = keyof typeof parameterDefaults

interface ExportedView {
  /** Whether it is asked for a window of days, by `from` and `to`. */
  readonly hasWindow: boolean
  readonly parameters: readonly FreeParameter[]
  /** What `by` may hold. */
  readonly dimensions: readonly ShareDimension[]
  /** Rows of a view come in no order. */
  readonly order: string
  readonly hasTaxonomy: boolean
}

const cohortFilters = ['product', 'cohort', 'country', 'plans'] as const
const cohortOrder = 'product, cohort_month, country, plans, day'

/** The views for people, as `infra/clickhouse/migrations/` makes them: the one description of what `export` may ask. */
export const exportedViews = {
  usage_share: {
    ...{ hasWindow: true, parameters: ['by', ...cohortFilters], dimensions: shareDimensions, hasTaxonomy: true },
    order: `${cohortOrder}, taxonomy_version`,
  },
  top_intents: {
    ...{ hasWindow: true, parameters: ['by', 'product', 'country', 'value_class'], hasTaxonomy: true },
    ...{ dimensions: ['product', 'country'], order: 'value_class, product, country, intent, taxonomy_version' },
  },
  purchases: {
    ...{ hasWindow: true, parameters: ['by', ...cohortFilters], dimensions: shareDimensions, hasTaxonomy: true },
    order: `${cohortOrder}, currency, taxonomy_version`,
  },
  freshness: {
    ...{ hasWindow: false, parameters: [], dimensions: [], hasTaxonomy: false },
    order: 'topic, topic_id, partition',
  },
} as const satisfies Record<string, ExportedView>

export type ViewName = keyof typeof exportedViews
export const viewNames = Object.keys(exportedViews) as ViewName[]

/** What a person may give besides the window. */
export type GivenParameters = Partial<Record<FreeParameter, string | undefined>>

/** The view's parameters, with "all" for what was not given. Throws a mistake for what the view does not take. */
export function viewParameters(name: ViewName, given: GivenParameters): Record<string, string> {
  const view: ExportedView = exportedViews[name]
  const options = (names: readonly string[]) => names.map((option) => `--${option.replace('_', '-')}`).join(', ')
  const strange = Object.keys(given).filter(
    (parameter) =>
      given[parameter as FreeParameter] !== undefined && !view.parameters.includes(parameter as FreeParameter),
  )
  if (strange.length > 0) {
    const takes = [...(view.hasWindow ? ['from', 'to'] : []), ...view.parameters]
    throw mistake(
      `export: ${name} has no ${options(strange)}; it takes ${takes.length === 0 ? 'nothing' : options(takes)}`,
    )
  }
  const by = commaList.parse(given.by ?? '')
  const unknown = by.find((dimension) => !view.dimensions.some((known) => known === dimension))
  if (unknown !== undefined) {
    throw mistake(`export: --by has no dimension ${unknown}; ${name} has ${view.dimensions.join(', ')}, or none`)
  }
  return Object.fromEntries(
    view.parameters.map((parameter) => [
      parameter,
      parameter === 'by' ? by.join(',') : (given[parameter] ?? parameterDefaults[parameter]),
    ]),
  )
}

/** `views.usage_share(from = {from:Date}, …)`: what stands after FROM. */
export function viewCall(views: string, name: ViewName): string {
  const view: ExportedView = exportedViews[name]
  const dates = view.hasWindow ? ['from = {from:Date}', 'to = {to:Date}'] : []
  const taken = [...dates, ...view.parameters.map((parameter) => `${parameter} = {${parameter}:String}`)]
  return taken.length === 0 ? `${views}.${name}` : `${views}.${name}(${taken.join(', ')})`
}
