import { pseudonym } from '../shared/io/pseudonym.ts'
import { createPicker, createRandom, type Random } from './random.ts'

export const products = ['echo', 'kindle', 'fire_tv', 'ring'] as const
export type Product = (typeof products)[number]

export interface Household {
  readonly index: number
  /** The pseudonym, as events carry it. */
  readonly key: Buffer
  readonly country: Country
  readonly locale: string
  /** Sorted and distinct. */
  readonly plans: readonly string[]
  readonly devices: readonly Device[]
}

export interface Device {
  /** Tells the devices of one population apart; part of the words of its random streams. */
  readonly index: number
  readonly pseudonym: Buffer
  readonly product: Product
  readonly model: string
  /** Days since 1970-01-01 UTC. */
  readonly activatedOn: number
  readonly appVersion: string
  /** Chance to be used on a day at all. */
  readonly activeChance: number
  /** The device's own level: requests on an active day are log-normal around it. */
  readonly requestsLog: number
  /** Share of its requests that are not understood. */
  readonly misheardShare: number
  readonly silentInWeek2: boolean
  readonly buyer: 'never' | 'once' | 'again'
}

/** What was assumed of the simulated people; `test/unit/producer/population.test.ts` measures each of these on a sample. */
export const facts = {
  requestsMedian: 10,
  /** Mean of a log-normal is median * exp(sigma^2 / 2) = 23.2. */
  requestsSigma: 1.297,
  /** The part of sigma between devices; the rest is from day to day. Most of the spread is people, not days. */
  requestsSigmaBetween: 1.1,
  weekendFactor: 1.1,
  activeChance: { low: 0.14, high: 0.62 },
  misheardShare: { low: 0.11, high: 0.17 },
  /** With those silent by chance (0.09 for the activeChance above) a fifth of new devices is silent in week 2. */
  silentInWeek2: 0.12,
  echoBuyers: 0.021,
  /** Of the buyers, those who buy again. */
  echoBuyersAgain: 0.1,
  /** Devices were activated evenly over this many days before the first day, and on the days themselves. */
  activationDaysBefore: 226,
} as const

/** Minutes east of UTC and the currency of each country that takes part. */
export const countries = {
  US: { utcOffsetMinutes: -360, currency: 'USD', unitsPerDollar: 1, decimals: 2 },
  GB: { utcOffsetMinutes: 0, currency: 'GBP', unitsPerDollar: 0.78, decimals: 2 },
  DE: { utcOffsetMinutes: 60, currency: 'EUR', unitsPerDollar: 0.92, decimals: 2 },
  CA: { utcOffsetMinutes: -300, currency: 'CAD', unitsPerDollar: 1.35, decimals: 2 },
  IN: { utcOffsetMinutes: 330, currency: 'INR', unitsPerDollar: 84, decimals: 2 },
  JP: { utcOffsetMinutes: 540, currency: 'JPY', unitsPerDollar: 150, decimals: 0 },
} as const
export type Country = keyof typeof countries

const pickCountry = createPicker<Country>([
  ['US', 52],
  ['GB', 15],
  ['DE', 13],
  ['CA', 8],
  ['IN', 7],
  ['JP', 5],
])
const pickLocale: Record<Country, (random: Random) => string> = {
  US: createPicker([
    ['en-US', 9],
    ['es-US', 1],
  ]),
  GB: createPicker([['en-GB', 1]]),
  DE: createPicker([['de-DE', 1]]),
  CA: createPicker([
    ['en-CA', 8],
    ['fr-CA', 2],
  ]),
  IN: createPicker([
    ['en-IN', 7],
    ['hi-IN', 3],
  ]),
  JP: createPicker([['ja-JP', 1]]),
}
const pickProduct = createPicker<Product>([
  ['echo', 50],
  ['fire_tv', 20],
  ['kindle', 16],
  ['ring', 14],
])
const pickModel: Record<Product, (random: Random) => string> = {
  echo: createPicker([
    ['echo_dot_5', 60],
    ['echo_4', 25],
    ['echo_show_8', 15],
  ]),
  kindle: createPicker([
    ['kindle_paperwhite_5', 70],
    ['kindle_11', 30],
  ]),
  fire_tv: createPicker([
    ['fire_tv_stick_4k', 75],
    ['fire_tv_cube_3', 25],
  ]),
  ring: createPicker([
    ['ring_doorbell_4', 65],
    ['ring_stick_up_cam_3', 35],
  ]),
}
const pickDeviceCount = createPicker([
  [1, 78],
  [2, 16],
  [3, 6],
])

const devicesPerHouseholdMax = 3

/**
 * The household of that index. It depends on the seed, the first day and its index alone, so a population of 2,000 is the
 * start of one of 3,000. Its raw ids hold the seed: another simulation on the same data has other households, not the same
 * ones with contradictory facts.
 */
export function createHousehold(options: {
  seed: number
  index: number
  householdKey: Buffer
  firstDay: number
  lastDay: number
}): Household {
  const { seed, index } = options
  const random = createRandom(seed, streams.household, index)
  const rawId = `simulated/${seed}/household/${index}`
  const country = pickCountry(random)
  const locale = pickLocale[country](random)
  const misheardShare = between(random, facts.misheardShare)
  const owned = Array.from({ length: pickDeviceCount(random) }, () => pickProduct(random))
  const firstEcho = owned.indexOf('echo')
  const buyer = drawBuyer(random)
  const plans = drawPlans(random, owned)
  const devices = owned.map((product, place): Device => ({
    index: index * devicesPerHouseholdMax + place,
    pseudonym: pseudonym(options.householdKey, `${rawId}/device/${place}`),
    product,
    model: pickModel[product](random),
    activatedOn: random.integer(options.firstDay - facts.activationDaysBefore, options.lastDay),
    appVersion: `${random.integer(3, 4)}.${random.integer(0, 11)}.${random.integer(0, 4)}`,
    activeChance: between(random, facts.activeChance),
    requestsLog: Math.log(facts.requestsMedian) + facts.requestsSigmaBetween * random.normal(),
    misheardShare,
    silentInWeek2: random.chance(facts.silentInWeek2),
    buyer: place === firstEcho ? buyer : 'never',
  }))
  return { index, key: pseudonym(options.householdKey, rawId), country, locale, plans, devices }
}

/** First words of the random streams, so that no two purposes share one. */
export const streams = { household: 1, deviceDay: 2, day: 3, purchase: 4, messages: 5, live: 6, ecosystem: 7 } as const

function between(random: Random, range: { low: number; high: number }): number {
  return range.low + (range.high - range.low) * random.unit()
}

function drawBuyer(random: Random): Device['buyer'] {
  if (!random.chance(facts.echoBuyers)) {
    return 'never'
  }
  return random.chance(facts.echoBuyersAgain) ? 'again' : 'once'
}

function drawPlans(random: Random, owned: readonly Product[]): string[] {
  const chances: [string, number][] = [
    ['audiobook', owned.includes('kindle') ? 0.25 : 0.05],
    ['music', 0.14],
    ['paid_assistant', 0.05],
    ['prime', 0.55],
    ['security', owned.includes('ring') ? 0.6 : 0.01],
  ]
  return chances.filter(([, chance]) => random.chance(chance)).map(([plan]) => plan)
}
