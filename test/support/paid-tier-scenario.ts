import type { Scenario } from '../../services/impact/scenario.ts'

/** A scenario whose sums can be done by hand: 1,000 households, a tenth takes it at once, 10 and 2 a month, no fixed cost. */
export const plainScenario: Scenario = {
  name: 'plain',
  assumptions: [],
  currency: 'USD',
  horizonMonths: 24,
  discountPerYear: 0.1,
  households: 1_000,
  priceMicros: 10_000_000n,
  trialMonths: 0,
  takeUp: { kind: 'once', share: 0.1 },
  prime: null,
  retention: { alive: [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1], customers: 1_000 },
  requestsPerMonth: 200,
  perRequestMicros: 10_000n,
  fixedPerYearMicros: 0n,
}

export const primeOffer: NonNullable<Scenario['prime']> = {
  share: 0.5,
  takeUp: { kind: 'once', share: 0.4 },
  feeMicros: 15_000_000n,
  margin: 0.2,
}
