import type { Difference } from '../shared/domain/stats/welch.ts'
import { MIN_HOUSEHOLDS, suppressedCells } from '../shared/domain/suppression.ts'
import { creditMethods, type ClaimFate, type CreditMethod, type CreditQuestion } from '../shared/pipeline/credit-sql.ts'
import type { ClaimDimension } from './claims-sql.ts'
import type { CurrencySum } from './currencies.ts'
import type { ImpactDeps } from './experiments.ts'
import { readNaive, type ClaimKey, type NaiveFigures } from './naive.ts'
import { readClaimSums, readRefunds, type ClaimSums, type OddRefunds } from './read-claims.ts'

/** What is claimed and credited of one product, or of none: then its credits are what is uncredited. */
export interface ClaimRow extends ClaimKey {
  /** Null, as all that follows: under 11 households, or needed to hide such a row. */
  readonly figures: ClaimFigures | null
}

export interface ClaimFigures {
  readonly households: number
  readonly claims: Readonly<Record<ClaimFate, number>>
  readonly claimedMicros: bigint
  /** What anybody claims of the orders that are claimed here, over their margin; null where that is not above 0. */
  readonly overClaimFactor: number | null
  readonly creditMicros: Readonly<Record<CreditMethod, bigint>>
  /** Null of what is uncredited. */
  readonly owners: number | null
  readonly naive: Difference | null
}

export interface ClaimsReport extends CreditQuestion {
  readonly by: readonly ClaimDimension[]
  /** By product and dimensions; what is uncredited after the products. */
  readonly rows: readonly ClaimRow[]
  /** Null under 11 households. Of all products, and each credit with what is uncredited: the margin of all orders. */
  readonly totals:
    (Omit<ClaimFigures, 'owners' | 'naive'> & { readonly marginMicros: bigint; readonly orders: number }) | null
  readonly refunds: OddRefunds
  /** Order lines of the window that are left out. */
  readonly otherCurrencies: readonly CurrencySum[]
}

export async function readClaims(
  deps: ImpactDeps,
  {
    by,
    currencies,
    ...question
  }: CreditQuestion & { by: readonly ClaimDimension[]; currencies: readonly CurrencySum[] },
): Promise<ClaimsReport> {
  const sums = await readClaimSums(deps, question, by)
  const naive = await readNaive(deps, question, by)
  const refunds = await readRefunds(deps, question)
  return {
    ...{ ...question, by, rows: rowsOf(sums, naive, by), totals: totalsOf(sums), refunds },
    otherCurrencies: currencies.filter(({ currency }) => currency !== question.currency),
  }
}

/** Exported for its tests. A row that is too small, or would give one away, has no figures. */
export function rowsOf(sums: readonly ClaimSums[], naive: NaiveFigures, by: readonly ClaimDimension[]): ClaimRow[] {
  const all = [...sums, ...ownedOnly(sums, naive, by)]
  const rows = [...all.filter(({ product }) => product !== ''), ...all.filter(({ product }) => product === '')].map(
    (one) => ({ one, naive: one.product === '' ? null : naive.of(one) }),
  )
  const hidden = suppressedCells(
    rows.map(({ one, naive: compared }) => ({
      ...{ taxonomyVersion: 0, parent: one.product },
      households: fewest([one.households, compared?.owners ?? 0]),
    })),
  )
  return rows.map(({ one, naive: compared }, at): ClaimRow => {
    const { product, cohortMonth, line, year } = one
    const isTold = compared !== null && compared.owners >= MIN_HOUSEHOLDS && compared.others >= MIN_HOUSEHOLDS
    return {
      ...{ product, cohortMonth, line, year },
      figures: hidden[at]!
        ? null
        : { ...figuresOf(one), owners: compared?.owners ?? null, naive: isTold ? compared.difference : null },
    }
  })
}

/** Claims and owners are of different households: the fewer decide, of those that there are. */
function fewest(households: readonly number[]): number {
  return Math.min(...households.filter((count) => count > 0))
}

/** Exported for its tests. */
export function totalsOf(sums: readonly ClaimSums[]): ClaimsReport['totals'] {
  const orders = sums.filter(({ product }) => product === '')
  const add = (of: (one: ClaimSums) => bigint, over = orders) => over.reduce((total, one) => total + of(one), 0n)
  const [first] = orders
  // Of several lines or years the households of one are enough to know that they are no few.
  const households = Math.max(0, ...orders.map((one) => one.households))
  if (first === undefined || households < MIN_HOUSEHOLDS) {
    return null
  }
  const together: ClaimSums = {
    ...first,
    ...{ households, orders: orders.reduce((total, one) => total + one.orders, 0) },
    marginMicros: add((one) => one.marginMicros),
    claimedMicros: add((one) => one.claimedMicros),
    contestedMicros: add((one) => one.contestedMicros),
    distinctMicros: add((one) => one.distinctMicros),
    claims: mapValues(first.claims, (fate) => orders.reduce((total, one) => total + one.claims[fate], 0)),
    creditMicros: mapValues(first.creditMicros, (method) => add((one) => one.creditMicros[method], [...sums])),
  }
  return { ...figuresOf(together), marginMicros: together.marginMicros, orders: together.orders }
}

function figuresOf(sums: ClaimSums): Omit<ClaimFigures, 'owners' | 'naive'> {
  const { households, claims, claimedMicros, contestedMicros, distinctMicros, creditMicros } = sums
  const overClaimFactor = distinctMicros > 0n ? Number(contestedMicros) / Number(distinctMicros) : null
  return { households, claims, claimedMicros, overClaimFactor, creditMicros }
}

/** Products and cohorts with owners of which no order says anything. */
function ownedOnly(sums: readonly ClaimSums[], { owned }: NaiveFigures, by: readonly ClaimDimension[]): ClaimSums[] {
  const [any] = sums
  if (any === undefined || by.some((dimension) => dimension !== 'cohort_month')) {
    return []
  }
  const missing = owned.filter(
    (one) => !sums.some(({ product, cohortMonth }) => product === one.product && cohortMonth === one.cohortMonth),
  )
  return missing.map(({ product, cohortMonth }) => ({
    ...{ product, cohortMonth, line: '', year: '', orders: 0, households: 0 },
    ...{ marginMicros: 0n, claimedMicros: 0n, contestedMicros: 0n, distinctMicros: 0n },
    claims: mapValues(any.claims, () => 0),
    creditMicros: Object.fromEntries(creditMethods.map((method) => [method, 0n])) as Record<CreditMethod, bigint>,
  }))
}

function mapValues<K extends string, V>(record: Readonly<Record<K, V>>, of: (key: K) => V): Record<K, V> {
  return Object.fromEntries(Object.keys(record).map((key) => [key, of(key as K)])) as Record<K, V>
}
