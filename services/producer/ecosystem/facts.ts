import { products, type Product } from '../population.ts'

/**
 * What is assumed of the simulated customers, in USD. README.md beside this says why each number is what it is;
 * `test/unit/producer/ecosystem/` measures what they come to.
 */
export const facts = {
  /** Retail a household buys in 2016: log-normal, this mean; sigma of its logarithm between households. */
  retail: {
    meanDollarsPerYear: 858,
    sigma: 0.75,
    /** Of the logarithm from year to year, around the household's own level. */
    sigmaOfYear: 0.1,
    /** Everybody buys more every year, in proportion: what a difference in differences of money takes for an effect. */
    growthPerYear: 0.03,
    /** One order in a half-year at most: it stands for all baskets of that time. */
    orderedInHalfYear: { prime: 0.98, others: 0.85 },
    sigmaOfOrder: 0.25,
    marginShare: 0.1,
  },
  prime: {
    ...{ share: 0.6, loading: 0.55 },
    /** Of those, members before 2016; the others join evenly over the six years. */
    alreadyMembers: 0.7,
    feeDollars: { until2017: 99, from2018: 119 },
    /** Most of the fee is spent on delivery. */
    marginShare: 0.1,
  },
  music: { share: 0.1, feeDollars: 79, marginShare: 0.2 },
  /** E-books that are read on telephones. */
  eBooks: { orderedInQuarter: 0.05, meanDollars: 10, sigmaOfOrder: 0.4, marginShare: 0.3 },
} as const

/** A product: who buys it, what it sells for, how it is used. */
export interface ProductFacts {
  /** Of the households that are offered it, those who buy it by the end of 2021. */
  readonly buyers: number
  /** Correlation between a household's spend level (its logarithm, standardised) and its wish to buy. */
  readonly loading: number
  readonly returned: number
  readonly secondDevice: number
  readonly models: readonly {
    readonly name: string
    readonly weight: number
    readonly priceDollars: number
    readonly costDollars: number
  }[]
  readonly requestsPerDay: number
  /** The effect is multiplied by 1 + a * exp(-months / b), months since the activation. */
  readonly novelty: { readonly a: number; readonly bMonths: number }
}

export const productFacts: Record<Product, ProductFacts> = {
  kindle: {
    ...{ buyers: 0.22, loading: 0.25, returned: 0.03, secondDevice: 0.08, requestsPerDay: 0.1 },
    models: [
      { name: 'kindle_10', weight: 55, priceDollars: 85, costDollars: 72 },
      { name: 'kindle_paperwhite_4', weight: 45, priceDollars: 120, costDollars: 95 },
    ],
    novelty: { a: 0.6, bMonths: 6 },
  },
  fire_tv: {
    ...{ buyers: 0.2, loading: 0.2, returned: 0.04, secondDevice: 0.08, requestsPerDay: 1 },
    models: [
      { name: 'fire_tv_stick_2', weight: 85, priceDollars: 39, costDollars: 37 },
      { name: 'fire_tv_cube_1', weight: 15, priceDollars: 110, costDollars: 104 },
    ],
    novelty: { a: 0.4, bMonths: 6 },
  },
  ring: {
    ...{ buyers: 0.16, loading: 0.2, returned: 0.04, secondDevice: 0.08, requestsPerDay: 0.6 },
    models: [
      { name: 'ring_doorbell_2', weight: 65, priceDollars: 150, costDollars: 128 },
      { name: 'ring_stick_up_cam_2', weight: 35, priceDollars: 98, costDollars: 88 },
    ],
    novelty: { a: 0.5, bMonths: 9 },
  },
  echo: {
    ...{ buyers: 0.32, loading: 0.77, returned: 0.05, secondDevice: 0.3, requestsPerDay: 8 },
    models: [
      { name: 'echo_dot_3', weight: 65, priceDollars: 36, costDollars: 41 },
      { name: 'echo_3', weight: 20, priceDollars: 85, costDollars: 88 },
      { name: 'echo_show_5', weight: 15, priceDollars: 75, costDollars: 84 },
    ],
    novelty: { a: 2, bMonths: 3 },
  },
}

/** Correlation between a liking for devices, of whatever kind, and the wish to buy each: who has one more often has another. */
export const deviceAffinity = 0.6

/** What owners buy only because they own it, before novelty; taste multiplies it, log-normal with mean 1. */
export const effectFacts = {
  tasteSigma: 0.5,
  kindle: { ordersPerQuarter: 1.1, meanDollars: 34, sigmaOfOrder: 0.4, marginShare: 0.3 },
  fire_tv: { dollarsPerMonth: 5.5, marginShare: 0.7 },
  ring: { subscribers: 0.55, dollarsPerQuarter: 30, marginShare: 0.75 },
  echo: {
    music: { orderedInQuarter: 0.02, dollars: 24, marginShare: 0.2 },
    retail: { orderedInQuarter: 0.02, meanDollars: 40, sigmaOfOrder: 0.4, marginShare: 0.1 },
  },
} as const

/** Held-out households that would have bought and find a way to buy nevertheless: about 1 in 100 of all that are held out. */
export const leakShare = 0.05

/** Rare things that a log holds. */
export const oddities = {
  refunded: { retail: 0.04, e_books: 0.02 } as Partial<Record<Line, number>>,
  refundDaysMax: 30,
  /** Of the refunds. */
  refundedTwice: 0.005,
  /** Of retail orders. */
  inEuros: 0.0003,
  /** One more retail order, of one household, in a currency that there is none of. */
  unknownCurrency: { household: 17, quarter: 9, dollars: 20, code: 'QQQ' },
} as const

export const lines = ['retail', 'prime', 'music', 'e_books', 'ads', 'security_plan'] as const
export type Line = (typeof lines)[number]

export const requestFacts = {
  /** One request that is sent stands for so many. */
  requestsPerEvent: 200,
  /** Sigma of the logarithm of a device's requests a day: most of the spread of use is people. */
  sigma: 1.1,
  /** New devices are asked more: times 1 + a * exp(-months / b). */
  novelty: { a: 0.8, bMonths: 1.5 },
} as const

export interface EcosystemSettings {
  /** Of the households, by lot and for each product on its own: from them it is withheld. */
  readonly holdoutMillionths: number
  /** Multiplies the number (Fire TV: the money) of what owners buy because of a product; 0 plants no effect. */
  readonly effects: Readonly<Record<Product, number>>
}

export const defaultSettings: EcosystemSettings = {
  holdoutMillionths: 50_000,
  effects: Object.fromEntries(products.map((product) => [product, 1])) as Record<Product, number>,
}
