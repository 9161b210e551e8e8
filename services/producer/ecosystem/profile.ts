import { normalQuantile } from '../../shared/domain/stats/normal.ts'
import { products, type Product } from '../population.ts'
import { createPicker, type Random } from '../random.ts'
import { dayMs } from '../traffic.ts'
import { firstDay, firstDayOfYear, lastDay, quarterCount, salesFromDay, yearOfDay, years } from './calendar.ts'
import { cents, ecosystemRandom, logNormal } from './draws.ts'
import {
  deviceAffinity,
  effectFacts,
  facts,
  leakShare,
  productFacts,
  requestFacts,
  type EcosystemSettings,
} from './facts.ts'

/** A device of a household: when it came, what was paid for it, whether and when it was given back. */
export interface OwnedDevice {
  /** Tells the devices of one household apart. */
  readonly place: number
  readonly product: Product
  readonly model: string
  /** Milliseconds since 1970-01-01 UTC. */
  readonly activatedAt: number
  /** Infinity while it is kept. */
  readonly returnedAt: number
  readonly priceMicros: number
  readonly costMicros: number
  /** How often it is asked once the novelty is over. */
  readonly requestsPerDay: number
  readonly appVersion: string
}

/** What is drawn of a household once: all that its orders and requests then follow from. */
export interface Profile {
  readonly index: number
  /** Retail a year by year, from 2016. */
  readonly retailDollars: readonly number[]
  /** By half-year from 2016: whether its retail order falls into the later of its quarters. */
  readonly retailIsLate: readonly boolean[]
  /** First day as a member (since 1970-01-01 UTC), and the day of the year (from 0) on which the fee is due. */
  readonly prime: { readonly from: number; readonly feeDay: number } | undefined
  /** Day of the year on which music is paid; undefined without it. */
  readonly musicDay: number | undefined
  readonly arms: Readonly<Record<Product, 'treatment' | 'holdout'>>
  /** By product, in the order of activation. Later devices come only where the first was kept. */
  readonly devices: Readonly<Record<Product, readonly OwnedDevice[]>>
  /** Multiplies what the household buys because of the product; 1 on average. */
  readonly taste: Readonly<Record<Product, number>>
  /** It pays for a security plan while this is below the share that does. */
  readonly planReluctance: number
  readonly misheardShare: number
}

const thresholds = {
  prime: normalQuantile(1 - facts.prime.share),
  ...(Object.fromEntries(
    products.map((product) => [product, normalQuantile(1 - productFacts[product].buyers)]),
  ) as Record<Product, number>),
}

const pickModel = Object.fromEntries(
  products.map((product) => [
    product,
    createPicker(productFacts[product].models.map((model) => [model, model.weight])),
  ]),
) as Record<Product, (random: Random) => (typeof productFacts)[Product]['models'][number]>

/** Of a day, so that the first requests and claims can follow on the same day. */
const activatedByMs = dayMs / 2

/**
 * The household of that index. Everything is drawn whether it counts or not (also the device that a held-out household would have
 * bought), so that another share of holdouts, or another effect, changes nothing else.
 */
export function drawProfile(seed: number, index: number, settings: EcosystemSettings): Profile {
  const random = ecosystemRandom(seed, 'profile', index)
  const [level, affinity] = [random.normal(), random.normal()]
  const wishes = (loading: number, ofAffinity: number, threshold: number) => {
    const own = Math.sqrt(1 - loading ** 2 - ofAffinity ** 2) * random.normal()
    return loading * level + ofAffinity * affinity + own > threshold
  }
  const { retail, prime, music } = facts
  const own = retail.meanDollarsPerYear * Math.exp(retail.sigma * level - retail.sigma ** 2 / 2)
  const retailDollars = years.map(
    (_, year) => own * (1 + retail.growthPerYear) ** year * logNormal(random, retail.sigmaOfYear),
  )
  const retailIsLate = Array.from({ length: quarterCount / 2 }, () => random.chance(0.5))
  const wantsPrime = wishes(prime.loading, 0, thresholds.prime)
  const primeFrom = random.chance(prime.alreadyMembers) ? firstDay : random.integer(firstDay, lastDay)
  const someDay = random.integer(0, 364)
  const feeDay = primeFrom === firstDay ? someDay : Math.min(364, primeFrom - firstDayOfYear(yearOfDay(primeFrom)))
  const musicDay = random.integer(0, 364)
  const hasMusic = random.chance(music.share)
  const misheardShare = 0.11 + 0.06 * random.unit()
  const planReluctance = random.unit()
  const drawn = products.map((product) => {
    const wants = wishes(productFacts[product].loading, deviceAffinity, thresholds[product])
    const arm = random.chance(settings.holdoutMillionths / 1e6) ? ('holdout' as const) : ('treatment' as const)
    const isSold = arm === 'treatment' || random.chance(leakShare)
    const taste = logNormal(random, effectFacts.tasteSigma)
    return { product, wants: wants && isSold, arm, taste }
  })
  let place = 0
  const devices = drawn.map(({ product, wants }) => {
    // A stream of its own, so that one product's devices do not move the draws of the next.
    const bought = wants
      ? drawDevices(ecosystemRandom(seed, 'profile', index, 1 + products.indexOf(product)), product)
      : []
    return [product, bought.map((device): OwnedDevice => ({ ...device, place: place++ }))] as const
  })
  return {
    ...{ index, retailDollars, retailIsLate, misheardShare, planReluctance },
    prime: wantsPrime ? { from: primeFrom, feeDay } : undefined,
    musicDay: hasMusic ? musicDay : undefined,
    arms: byProduct(drawn.map(({ product, arm }) => [product, arm])),
    taste: byProduct(drawn.map(({ product, taste }) => [product, taste])),
    devices: byProduct(devices),
  }
}

function drawDevices(random: Random, product: Product): Omit<OwnedDevice, 'place'>[] {
  const { returned, secondDevice } = productFacts[product]
  const first = drawDevice(random, product, random.integer(salesFromDay, lastDay))
  const again = first.returnedAt === Infinity && random.chance(secondDevice)
  const earliest = Math.floor(first.activatedAt / dayMs) + secondAfterDays
  return again && earliest <= lastDay
    ? [first, drawDevice(random, product, random.integer(earliest, lastDay))]
    : [first]

  function drawDevice(own: Random, of: Product, activatedOn: number): Omit<OwnedDevice, 'place'> {
    const model = pickModel[of](own)
    const activatedAt = activatedOn * dayMs + own.integer(0, activatedByMs)
    const isReturned = own.chance(returned)
    const returnedAt = activatedAt + own.integer(2, returnDaysMax) * dayMs
    return {
      ...{ product: of, model: model.name, activatedAt },
      returnedAt: isReturned && returnedAt < (lastDay + 1) * dayMs ? returnedAt : Infinity,
      priceMicros: cents(model.priceDollars),
      costMicros: cents(model.costDollars),
      requestsPerDay: productFacts[of].requestsPerDay * logNormal(own, requestFacts.sigma),
      appVersion: `${own.integer(1, 2)}.${own.integer(0, 11)}.${own.integer(0, 4)}`,
    }
  }
}

const returnDaysMax = 30
const secondAfterDays = 30

/** Whether a household owns the product at that moment. It owns nothing on the day that a device is given back. */
export function owns(profile: Profile, product: Product, atMs: number): boolean {
  const [first] = profile.devices[product]
  return first !== undefined && atMs >= first.activatedAt && atMs < startOfReturnDay(first)
}

/** Milliseconds; Infinity for a device that is kept. */
export function startOfReturnDay({ returnedAt }: OwnedDevice): number {
  return returnedAt === Infinity ? Infinity : Math.floor(returnedAt / dayMs) * dayMs
}

function byProduct<T>(entries: readonly (readonly [Product, T])[]): Record<Product, T> {
  return Object.fromEntries(entries) as Record<Product, T>
}
