/** What a paid assistant is assumed to be. Sums are in micro-units of one currency. */
export interface Scenario {
  readonly name: string
  /** Sentences of whoever wrote the file. */
  readonly assumptions: readonly string[]
  /** ISO 4217. */
  readonly currency: string
  readonly horizonMonths: number
  /** Above 0: at 0.1 what comes in a year is worth 1/1.1 of what comes now. */
  readonly discountPerYear: number
  /** With the device; nobody joins them later. */
  readonly households: number
  /** A month, of a household that pays. */
  readonly priceMicros: bigint
  /** First months of a household that are not charged. */
  readonly trialMonths: number
  readonly takeUp: TakeUp
  /** null: nobody gets it free. */
  readonly prime: PrimeOffer | null
  readonly retention: ObservedCohort
  readonly requestsPerMonth: number
  readonly perRequestMicros: bigint
  readonly fixedPerYearMicros: bigint
}

/** Of the households that may: a share in month 1, or each month a share of those who never had it. */
export interface TakeUp {
  readonly kind: 'once' | 'monthly'
  readonly share: number
}

export interface PrimeOffer {
  /** Of the households, those who pay for Prime already and so get it free. */
  readonly share: number
  readonly takeUp: TakeUp
  /** A month. */
  readonly feeMicros: bigint
  /** Part of the fee that is left when all that Prime brings its member is paid for. */
  readonly margin: number
}

export interface ObservedCohort {
  /** By month, month 0 first, never rising. */
  readonly alive: readonly number[]
  /** null: not known, so there are no intervals. */
  readonly customers: number | null
}

/** Of a household that has it, paying or not. */
export function serveMicrosPerMonth({ requestsPerMonth, perRequestMicros }: Scenario): number {
  return requestsPerMonth * Number(perRequestMicros)
}

/** d with (1 + d)^12 = 1 + the discount of a year. */
export function monthlyDiscountOf({ discountPerYear }: Pick<Scenario, 'discountPerYear'>): number {
  return (1 + discountPerYear) ** (1 / 12) - 1
}
