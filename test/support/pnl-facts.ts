import type { DeviceAssumptions, ProductAssumptions } from '../../services/impact/pnl/assumptions.ts'
import type { Facts } from '../../services/impact/pnl/facts.ts'
import { monthOf } from '../../services/impact/pnl/month.ts'

/** Figures that a person can follow: 10 a device for freight, 1 for a request. */
export const plainProduct: ProductAssumptions = {
  product: 'echo',
  freightMicros: 10n,
  returnHandlingMicros: 5n,
  returnLossMillionths: 250_000n,
  perRequestMicros: 1n,
}

export const plainAssumptions: DeviceAssumptions = {
  assumptions: [],
  currency: 'USD',
  horizonMonths: 60,
  discountPerYear: 0,
  requestsPerEvent: 2n,
  products: [plainProduct],
}

export const noFacts: Facts = {
  ...{ households: [], sales: [], returns: [], requests: [], owners: [], claimed: [], effects: [] },
}

/** Ten devices of one month for 100 each that cost 60, one a household, whose owners keep them. */
export function soldIn(month: string, product = 'echo'): Pick<Facts, 'sales' | 'owners'> {
  const cohort = monthOf(month)
  return {
    sales: [{ product, cohort, households: 10, devices: 10, priceMicros: 1_000n, costOfGoodsMicros: 600n }],
    owners: [{ product, cohort, month: cohort, change: 10, days: 100 }],
  }
}
