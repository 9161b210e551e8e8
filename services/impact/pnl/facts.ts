/** What is known of devices, their owners and what they are claimed to bring; months are those of `month.ts`. */
export interface Facts {
  readonly households: readonly { readonly product: string; readonly households: number }[]
  readonly sales: readonly Sales[]
  readonly returns: readonly Returns[]
  readonly requests: readonly Requests[]
  readonly owners: readonly OwnerSteps[]
  readonly claimed: readonly Claimed[]
  readonly effects: readonly YearlyEffect[]
}

/** Devices of a product that were activated in one month, their cohort. */
export interface Sales {
  readonly product: string
  readonly cohort: number
  readonly households: number
  readonly devices: number
  readonly priceMicros: bigint
  readonly costOfGoodsMicros: bigint
}

/** Of them, those that came back in a month. */
export interface Returns {
  readonly product: string
  readonly cohort: number
  readonly month: number
  readonly devices: number
  readonly priceMicros: bigint
  readonly costOfGoodsMicros: bigint
}

/** Stored events of a cohort's devices. */
export interface Requests {
  readonly product: string
  readonly cohort: number
  readonly month: number
  readonly events: bigint
}

/** Households of a cohort (the month of their first device) that begin or cease to own a device in a month. */
export interface OwnerSteps {
  readonly product: string
  readonly cohort: number
  readonly month: number
  /** Those who begin less those who cease. */
  readonly change: number
  /** Days of this month that the change brings, below 0 where more cease. */
  readonly days: number
}

/** Margin of a calendar year that the product's team claims of the owners of a cohort. */
export interface Claimed {
  readonly product: string
  readonly cohort: number
  readonly year: number
  readonly micros: bigint
}

/** Margin per owner that there would not be without the product, in a calendar year; null where it can't be told, and why. */
export interface YearlyEffect {
  readonly product: string
  readonly year: number
  readonly perOwner: EffectPerOwner | null
  readonly whyNone: string | null
  /** The same from the first year that is known to the end of this one, whose bounds are those of a sum of years; null as `perOwner`. */
  readonly upToYear: EffectPerOwner | null
}

/** Micro-units; infinite where nothing bounds it. */
export interface EffectPerOwner {
  readonly micros: number
  readonly low: number
  readonly high: number
}
