import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'

export interface ImpactDeps {
  readonly clickHouse: ClickHouse
  readonly database: string
}

/** Whole days, UTC, both included. */
export interface Days {
  readonly from: string
  readonly to: string
}

export interface Experiment {
  readonly experiment: string
  readonly product: string
  /** From the day it was drawn to the last on which the product is withheld. */
  readonly drawn: Days
}

/** By product, then name. */
export async function readExperiments({ clickHouse, database }: ImpactDeps): Promise<Experiment[]> {
  const rows = await clickHouse.rows<{ product: string; experiment: string; begin: string; end: string }>(
    `SELECT product, experiment, toString(min(from_day)) AS begin, toString(max(to_day)) AS end
     FROM ${database}.experiment_arms GROUP BY product, experiment ORDER BY product, experiment`,
  )
  return rows.map(({ product, experiment, begin, end }) => ({ product, experiment, drawn: { from: begin, to: end } }))
}

/** The one that withholds the product. Throws a mistake where there is none, or several and none is named. */
export function chooseExperiment(
  all: readonly Experiment[],
  { product, experiment }: { readonly product: string; readonly experiment?: string | undefined },
): Experiment {
  const ofProduct = all.filter((one) => one.product === product)
  if (ofProduct.length === 0) {
    throw mistake(
      `no experiment withholds product ${product}; ${listOf(
        all.map((one) => one.product),
        'products',
      )}`,
    )
  }
  const named = ofProduct.filter((one) => experiment === undefined || one.experiment === experiment)
  if (named.length !== 1) {
    const names = listOf(
      ofProduct.map((one) => one.experiment),
      'experiments',
    )
    throw mistake(
      experiment === undefined
        ? `several experiments withhold product ${product}; name one: ${names}`
        : `product ${product} has no experiment ${experiment}; ${names}`,
    )
  }
  return named[0]!
}

function listOf(names: readonly string[], what: string): string {
  return names.length === 0 ? `there are no ${what} of experiments yet` : `there are ${[...new Set(names)].join(', ')}`
}
