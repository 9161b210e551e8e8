import { welchDifference, type Difference } from '../shared/domain/stats/welch.ts'
import type { Moments } from '../shared/domain/stats/moments.ts'
import {
  cohortMonth,
  creditSettings,
  devicesByHousehold,
  inWindow,
  ownedOn,
  type CreditQuestion,
} from '../shared/pipeline/credit-sql.ts'
import type { ClaimDimension } from './claims-sql.ts'
import type { ImpactDeps } from './experiments.ts'

/** Owners of a product on the window's last day, of one cohort or of all, beside all households that don't own it. */
export interface Naive {
  readonly owners: number
  readonly others: number
  /** Mean margin per household in micro-units, owners minus others; null where either are none. */
  readonly difference: Difference | null
}

/** What a row of the report is of: '' for a dimension that it is not split by. */
export interface ClaimKey {
  readonly product: string
  readonly cohortMonth: string
  readonly line: string
  readonly year: string
}

export interface NaiveFigures {
  /** Every household that an order, a device or an experiment knows. */
  readonly households: number
  of(key: ClaimKey): Naive
  /** Products and cohorts that have owners. */
  readonly owned: readonly Pick<ClaimKey, 'product' | 'cohortMonth'>[]
}

interface Sums {
  readonly n: bigint
  readonly sum: bigint
  readonly squares: bigint
}

/**
 * The naive figure that downstream impact rests on: what owners spend minus what the others do. It credits a product with whatever its
 * owners would have spent without it. Households without an order count as 0.
 *
 * Sums and squares are added up exactly by the database, in 256 bits, so that those of non-owners are what owners leave of all.
 */
export async function readNaive(
  deps: ImpactDeps,
  question: CreditQuestion,
  by: readonly ClaimDimension[],
): Promise<NaiveFigures> {
  const owners = await readOwners(deps, question, by)
  const margins = await readMargins(deps, question, by)
  const households = owners.get(keyText(everybody)) ?? 0
  const sumsOf = (key: ClaimKey, n: number): Sums => ({ ...(margins.get(keyText(key)) ?? nothing), n: BigInt(n) })
  const owned = [...owners.keys()].map(keyOf).filter(({ product }) => product !== '')
  return {
    ...{ households, owned },
    of(key) {
      const inCohort = owners.get(keyText({ ...key, line: '', year: '' })) ?? 0
      const cohorts = owned.filter(({ product }) => product === key.product)
      const all = sumsOf({ ...key, product: '', cohortMonth: '' }, households)
      const others = cohorts.reduce(
        (left, { cohortMonth }) =>
          minus(
            left,
            sumsOf({ ...key, cohortMonth }, owners.get(keyText({ ...key, cohortMonth, line: '', year: '' }))!),
          ),
        all,
      )
      const isComparable = inCohort > 0 && others.n > 0n
      return {
        ...{ owners: inCohort, others: Number(others.n) },
        difference: isComparable ? welchDifference(momentsOf(sumsOf(key, inCohort)), momentsOf(others)) : null,
      }
    },
  }
}

const everybody: ClaimKey = { product: '', cohortMonth: '', line: '', year: '' }
const nothing = { sum: 0n, squares: 0n }

const keyText = ({ product, cohortMonth, line, year }: ClaimKey) => JSON.stringify([product, cohortMonth, line, year])

function keyOf(text: string): ClaimKey {
  const [product, cohortMonth, line, year] = JSON.parse(text) as [string, string, string, string]
  return { product, cohortMonth, line, year }
}

const minus = (a: Sums, b: Sums): Sums => ({ n: a.n - b.n, sum: a.sum - b.sum, squares: a.squares - b.squares })

function momentsOf({ n, sum, squares }: Sums): Moments {
  return {
    n: Number(n),
    mean: Number(sum) / Number(n),
    variance: Number(squares * n - sum * sum) / Number(n * (n - 1n)),
  }
}

/** Households by product and cohort that own it on the last day, and everybody. */
async function readOwners(
  { clickHouse, database }: ImpactDeps,
  question: CreditQuestion,
  by: readonly ClaimDimension[],
): Promise<Map<string, number>> {
  const rows = await clickHouse.rows<{ product: string; cohort: string; households: number }>(
    `SELECT owned.1 AS product, owned.2 AS cohort, count() AS households
     FROM (${owners(database, by)}) ARRAY JOIN owned GROUP BY product, cohort
     UNION ALL
     SELECT '' AS product, '' AS cohort, count() AS households FROM (
       SELECT household FROM (
         SELECT household FROM ${database}.ecosystem_orders
         UNION ALL SELECT household FROM ${database}.device_activations
         UNION ALL SELECT household FROM ${database}.experiment_arms)
       GROUP BY household)`,
    { ...question },
    creditSettings,
  )
  return new Map(
    rows.map(({ product, cohort, households }) => [
      keyText({ ...everybody, product, cohortMonth: cohort }),
      households,
    ]),
  )
}

async function readMargins(
  { clickHouse, database }: ImpactDeps,
  question: CreditQuestion,
  by: readonly ClaimDimension[],
): Promise<Map<string, Omit<Sums, 'n'>>> {
  const line = by.includes('line') ? 'toString(line)' : "''"
  const year = by.includes('year') ? 'toString(toYear(occurred_at))' : "''"
  const rows = await clickHouse.rows<Record<'product' | 'cohort' | 'of_line' | 'year' | 'total' | 'squares', string>>(
    `SELECT own.1 AS product, own.2 AS cohort, of_line, year, toString(sum(margin)) AS total,
       toString(sum(margin * margin)) AS squares
     FROM (
       SELECT household, ${line} AS of_line, ${year} AS year, sum(toInt256(margin_micros)) AS margin
       FROM ${database}.ecosystem_orders WHERE currency = {currency:String} AND ${inWindow}
       GROUP BY household, of_line, year) AS orders
     LEFT JOIN (${owners(database, by)}) AS owners USING (household)
     ARRAY JOIN arrayPushFront(owned, ('', '')) AS own
     GROUP BY product, cohort, of_line, year`,
    { ...question },
    creditSettings,
  )
  return new Map(
    rows.map(({ product, cohort, of_line, year: ofYear, total, squares }) => [
      keyText({ product, cohortMonth: cohort, line: of_line, year: ofYear }),
      { sum: BigInt(total), squares: BigInt(squares) },
    ]),
  )
}

/** By household the products that it owns on the last day, each with its cohort where that is asked for. */
function owners(database: string, by: readonly ClaimDimension[]): string {
  const cohort = by.includes('cohort_month') ? cohortMonth : "''"
  return `SELECT household, arrayMap(product -> (product, ${cohort}), ${ownedOn('{to:Date}')}) AS owned
      FROM (${devicesByHousehold(database)})`
}
