import type { NaiveFigures } from '../../services/impact/naive.ts'
import type { ClaimSums } from '../../services/impact/read-claims.ts'

/** Sums of one product with what a test does not care about left out; in micro-units. */
export function claimSumsOf(sums: Partial<ClaimSums> & Pick<ClaimSums, 'product'>): ClaimSums {
  return {
    ...{ cohortMonth: '', line: '', year: '', orders: 10, households: 100 },
    ...{ marginMicros: 0n, claimedMicros: 0n, contestedMicros: 0n, distinctMicros: 0n },
    claims: { valid: 1, touched_later: 2, never_owned: 3, before_activation: 4, given_back: 5 },
    creditMicros: { last_touch: 0n, equal_split: 0n, shapley: 0n },
    ...sums,
  }
}

/** As many owners of each product as are said, 1,000 households without it, and one figure for all. */
export function naiveOf(owners: Readonly<Record<string, number>>): NaiveFigures {
  const difference = { estimate: 12_300_000, standardError: 1, degreesOfFreedom: 9, t: 1, pValue: 0.5 }
  return {
    households: 1_000,
    owned: Object.keys(owners).map((product) => ({ product, cohortMonth: '' })),
    of: ({ product }) => ({
      ...{ owners: owners[product] ?? 0, others: 1_000 },
      difference: (owners[product] ?? 0) === 0 ? null : { ...difference, low: 11_000_000, high: 13_600_000 },
    }),
  }
}
