import type { Product } from '../population.ts'
import type { Random } from '../random.ts'
import { dayMs } from '../traffic.ts'
import { firstDayOfMonth, firstDayOfQuarter, firstDayOfYear, lastDay, monthDays } from './calendar.ts'
import { drawClaims, type Claim } from './claims.ts'
import { cents, ecosystemRandom, logNormal, poisson } from './draws.ts'
import { effectFacts, facts, oddities, productFacts, type EcosystemSettings, type Line } from './facts.ts'
import { startOfReturnDay, type Profile } from './profile.ts'

/** A line of an order, or a refund of one. */
export interface Order {
  /** With the household's index it is the identity. */
  readonly place: number
  readonly kind: 'order' | 'refund' | 'second_refund'
  /** Milliseconds since 1970-01-01 UTC. */
  readonly occurredAt: number
  readonly orderId: string
  readonly line: Line
  /** Negative for a refund. */
  readonly revenueMicros: number
  readonly marginMicros: number
  readonly currency: string
  /** A refund has those of its order. */
  readonly claims: readonly Claim[]
  /** The product without which there would be no such order; undefined for what is bought anyway. Known to the truth alone. */
  readonly causedBy: Product | undefined
}

/** An order before anybody claims it. */
type Bought = Pick<Order, 'occurredAt' | 'line' | 'revenueMicros' | 'marginMicros' | 'causedBy'>

/** Orders and refunds of one quarter and household are fewer than this. */
const placesOfQuarter = 1_000

/**
 * What a household buys in a quarter, and the refunds of it (which may come later), in no order. Depends on the seed, the
 * household, the quarter and the settings alone; but for its claims, what it buys anyway does not depend on what it owns.
 */
export function ordersOfQuarter(seed: number, profile: Profile, quarter: number, settings: EcosystemSettings): Order[] {
  const random = ecosystemRandom(seed, 'quarter', profile.index, quarter)
  let place = quarter * placesOfQuarter
  const finish = (one: Bought): Unclaimed[] => {
    const order: Unclaimed = {
      ...one,
      ...{ kind: 'order', place, orderId: `order-${seed}-${profile.index}-${place}` },
      currency: one.line === 'retail' && random.chance(oddities.inEuros) ? 'EUR' : 'USD',
    }
    place += 1
    return [order, ...drawRefunds(random, order).map((refund) => ({ ...refund, place: place++ }))]
  }
  const anyway = boughtAnyway(random, profile, quarter).flatMap(finish)
  const odd = inUnknownCurrency(profile, quarter).flatMap((one) =>
    finish(one).map((order) => ({ ...order, currency: oddities.unknownCurrency.code })),
  )
  const caused = [
    ...causedByKindle(random, profile, quarter, settings),
    ...causedByFireTv(profile, quarter, settings),
    ...causedByRing(profile, quarter, settings),
    ...causedByEcho(random, profile, quarter, settings),
  ].flatMap(finish)
  let claims: readonly Claim[] = []
  return [...anyway, ...odd, ...caused].map((one) => {
    // Refunds follow their order.
    claims = one.kind === 'order' ? drawClaims(random, profile, one) : claims
    return { ...one, claims }
  })
}

type Unclaimed = Omit<Order, 'claims'>

function boughtAnyway(random: Random, profile: Profile, quarter: number): Bought[] {
  const { retail, prime, music, eBooks } = facts
  const year = quarter >> 2
  const bought: Bought[] = []
  const isMember = profile.prime !== undefined && profile.prime.from <= firstDayOfQuarter(quarter)
  const share = isMember ? retail.orderedInHalfYear.prime : retail.orderedInHalfYear.others
  const isItsQuarter = profile.retailIsLate[quarter >> 1] === (quarter % 2 === 1)
  if (isItsQuarter && random.chance(share)) {
    const dollars = (profile.retailDollars[year]! / 2 / share) * logNormal(random, retail.sigmaOfOrder)
    bought.push(sale('retail', timeInQuarter(random, quarter), dollars, retail.marginShare))
  }
  const feeAt = dueInQuarter(quarter, profile.prime?.feeDay)
  if (feeAt !== undefined && feeAt >= profile.prime!.from * dayMs) {
    bought.push(
      sale('prime', feeAt, year >= 2 ? prime.feeDollars.from2018 : prime.feeDollars.until2017, prime.marginShare),
    )
  }
  const musicAt = dueInQuarter(quarter, profile.musicDay)
  if (musicAt !== undefined) {
    bought.push(sale('music', musicAt, music.feeDollars, music.marginShare))
  }
  if (random.chance(eBooks.orderedInQuarter)) {
    const dollars = eBooks.meanDollars * logNormal(random, eBooks.sigmaOfOrder)
    bought.push(sale('e_books', timeInQuarter(random, quarter), dollars, eBooks.marginShare))
  }
  return bought
}

function causedByKindle(random: Random, profile: Profile, quarter: number, settings: EcosystemSettings): Bought[] {
  const { ordersPerQuarter, meanDollars, sigmaOfOrder, marginShare } = effectFacts.kindle
  const held = heldInQuarter(profile, 'kindle', quarter)
  if (held === undefined) {
    return []
  }
  const rate = ordersPerQuarter * held.share * held.novelty * profile.taste.kindle * settings.effects.kindle
  return Array.from({ length: poisson(random, rate) }, () =>
    sale('e_books', held.time(random), meanDollars * logNormal(random, sigmaOfOrder), marginShare, 'kindle'),
  )
}

/** Ads are settled on the last day of each month, for the days on which the product was owned. */
function causedByFireTv(profile: Profile, quarter: number, settings: EcosystemSettings): Bought[] {
  const { dollarsPerMonth, marginShare } = effectFacts.fire_tv
  const [device] = profile.devices.fire_tv
  if (device === undefined || settings.effects.fire_tv === 0) {
    return []
  }
  return [0, 1, 2].flatMap((place) => {
    const from = firstDayOfMonth(quarter * 3 + place)
    const settledOn = firstDayOfMonth(quarter * 3 + place + 1) - 1
    const settledAt = settledOn * dayMs + adsSettledAtMs
    const ownedMs = settledAt - Math.max(device.activatedAt, from * dayMs)
    if (ownedMs < adsAfterMs || settledAt >= startOfReturnDay(device)) {
      return []
    }
    const months = (settledAt - device.activatedAt) / dayMs / monthDays
    const share = Math.min(1, ownedMs / ((settledOn - from) * dayMs + adsSettledAtMs))
    const dollars =
      dollarsPerMonth * share * noveltyOf('fire_tv', months) * profile.taste.fire_tv * settings.effects.fire_tv
    return [sale('ads', settledAt, dollars, marginShare, 'fire_tv')]
  })
}

const adsSettledAtMs = dayMs - 3_600_000
const adsAfterMs = dayMs

/** Paid in advance every three months since the activation, by the share of owners that the novelty then leaves. */
function causedByRing(profile: Profile, quarter: number, settings: EcosystemSettings): Bought[] {
  const { dollarsPerQuarter, marginShare } = effectFacts.ring
  const [device] = profile.devices.ring
  if (device === undefined) {
    return []
  }
  const from = firstDayOfQuarter(quarter) * dayMs
  const to = firstDayOfQuarter(quarter + 1) * dayMs
  const periods = Math.max(0, Math.ceil((from - device.activatedAt - planStartsAfterMs) / planPeriodMs))
  const paidAt = device.activatedAt + planStartsAfterMs + periods * planPeriodMs
  const isDue = paidAt >= from && paidAt < to && paidAt < startOfReturnDay(device)
  return isDue && paysForPlan(profile, periods * 3, settings)
    ? [sale('security_plan', paidAt, dollarsPerQuarter * profile.taste.ring, marginShare, 'ring')]
    : []
}

/** Whether the owner of a Ring pays for its plan so many months after the activation. */
export function paysForPlan(profile: Profile, months: number, { effects }: EcosystemSettings): boolean {
  return profile.planReluctance < effectFacts.ring.subscribers * noveltyOf('ring', months) * effects.ring
}

/** A device is given back within a month, so nobody pays for a plan of one that was. */
const planStartsAfterMs = 30 * dayMs
const planPeriodMs = 91.3125 * dayMs

function causedByEcho(random: Random, profile: Profile, quarter: number, settings: EcosystemSettings): Bought[] {
  const held = heldInQuarter(profile, 'echo', quarter)
  if (held === undefined) {
    return []
  }
  const { music, retail } = effectFacts.echo
  const factor = held.share * held.novelty * profile.taste.echo * settings.effects.echo
  const listens = random.chance(music.orderedInQuarter * factor)
  const buys = random.chance(retail.orderedInQuarter * factor)
  return [
    ...(listens ? [sale('music', held.time(random), music.dollars, music.marginShare, 'echo')] : []),
    ...(buys
      ? [
          sale(
            ...(['retail', held.time(random), retail.meanDollars * logNormal(random, retail.sigmaOfOrder)] as const),
            ...([retail.marginShare, 'echo'] as const),
          ),
        ]
      : []),
  ]
}

function sale(line: Line, occurredAt: number, dollars: number, marginShare: number, causedBy?: Product): Bought {
  const revenueMicros = cents(dollars)
  return { line, occurredAt, revenueMicros, marginMicros: Math.round(revenueMicros * marginShare), causedBy }
}

/** The part of a quarter in which a product is owned: its share, the novelty in its middle, and times in it. */
function heldInQuarter(profile: Profile, product: Product, quarter: number) {
  const [device] = profile.devices[product]
  if (device === undefined) {
    return undefined
  }
  const start = firstDayOfQuarter(quarter) * dayMs
  const end = firstDayOfQuarter(quarter + 1) * dayMs
  const from = Math.max(start, device.activatedAt)
  const to = Math.min(end, startOfReturnDay(device))
  if (from >= to) {
    return undefined
  }
  const months = ((from + to) / 2 - device.activatedAt) / dayMs / monthDays
  return {
    share: (to - from) / (end - start),
    novelty: noveltyOf(product, months),
    time: (random: Random) => from + Math.floor(random.unit() * (to - from)),
  }
}

/** What multiplies an effect so many months after the activation. */
export function noveltyOf(product: Product, months: number): number {
  const { a, bMonths } = productFacts[product].novelty
  return 1 + a * Math.exp(-months / bMonths)
}

function timeInQuarter(random: Random, quarter: number): number {
  const from = firstDayOfQuarter(quarter) * dayMs
  return from + Math.floor(random.unit() * (firstDayOfQuarter(quarter + 1) * dayMs - from))
}

/** At noon of that day of the year (from 0), if it lies in the quarter. */
function dueInQuarter(quarter: number, dayOfYear: number | undefined): number | undefined {
  const day = firstDayOfYear(quarter >> 2) + (dayOfYear ?? NaN)
  return day >= firstDayOfQuarter(quarter) && day < firstDayOfQuarter(quarter + 1) ? day * dayMs + dayMs / 2 : undefined
}

function inUnknownCurrency(profile: Profile, quarter: number): Bought[] {
  const { household, quarter: at, dollars } = oddities.unknownCurrency
  return profile.index === household && quarter === at
    ? [sale('retail', firstDayOfQuarter(quarter) * dayMs, dollars, facts.retail.marginShare)]
    : []
}

function drawRefunds(random: Random, order: Unclaimed): Unclaimed[] {
  if (!random.chance(oddities.refunded[order.line] ?? 0)) {
    return []
  }
  const kinds: readonly Order['kind'][] = random.chance(oddities.refundedTwice)
    ? ['refund', 'second_refund']
    : ['refund']
  return kinds
    .map((kind) => ({
      ...order,
      kind,
      occurredAt: order.occurredAt + Math.ceil(random.unit() * oddities.refundDaysMax * dayMs),
      revenueMicros: -order.revenueMicros,
      marginMicros: -order.marginMicros,
    }))
    .filter(({ occurredAt }) => occurredAt < (lastDay + 1) * dayMs)
}
