import { products, type Product } from '../population.ts'
import type { Random } from '../random.ts'
import { dayMs } from '../traffic.ts'
import type { Line } from './facts.ts'
import { owns, startOfReturnDay, type Profile } from './profile.ts'

/** A product's team claims an order. */
export interface Claim {
  readonly product: Product
  readonly ground: string
  /** Milliseconds since 1970-01-01 UTC. */
  readonly touchedAt: number
}

/** What a team claims of a line, and on which ground. */
interface ClaimRule {
  readonly ground: string
  readonly share: number
}

/** Generous, as such rules are: each team sees what its own device could have had to do with an order. */
const rules: Record<Product, Partial<Record<Line, ClaimRule>>> = {
  kindle: {
    e_books: { ground: 'read_on_device', share: 0.98 },
    prime: { ground: 'prime_reading', share: 0.6 },
    retail: { ground: 'browsed_on_device', share: 0.5 },
  },
  fire_tv: {
    ads: { ground: 'viewed_on_device', share: 0.98 },
    prime: { ground: 'prime_video', share: 0.7 },
    music: { ground: 'listened_on_device', share: 0.3 },
    retail: { ground: 'ad_seen_on_device', share: 0.45 },
  },
  ring: {
    security_plan: { ground: 'plan_of_device', share: 0.98 },
    prime: { ground: 'delivery_seen', share: 0.3 },
    retail: { ground: 'delivery_seen', share: 0.4 },
  },
  echo: {
    retail: { ground: 'asked_about_shopping', share: 0.8 },
    music: { ground: 'listened_on_device', share: 0.9 },
    prime: { ground: 'owned', share: 0.7 },
    e_books: { ground: 'listened_on_device', share: 0.3 },
    ads: { ground: 'controlled_by_voice', share: 0.4 },
    security_plan: { ground: 'doorbell_announced', share: 0.5 },
  },
}

/** Mean days between a product's last touch and an order. */
const touchedDaysBefore: Record<Product, number> = { echo: 0.3, kindle: 2, fire_tv: 1, ring: 0.5 }

/** Of orders that somebody could claim, those that everybody who could does: a campaign over all devices. */
const campaignShare = 0.02

/** Of orders with a claim, those with one that can't be right. */
const wrongShares = { touchedAfterOrder: 0.004, notOwned: 0.006 } as const

interface Claimable {
  readonly occurredAt: number
  readonly line: Line
}

/** The claims of an order: those of the owned products' teams, overlapping, and now and then one that can't be right. */
export function drawClaims(random: Random, profile: Profile, order: Claimable): Claim[] {
  const owned = products.filter((product) => owns(profile, product, order.occurredAt))
  const isCampaign = owned.length > 0 && random.chance(campaignShare)
  const claims = owned.flatMap((product): Claim[] => {
    const rule = isCampaign ? { ground: 'campaign', share: 1 } : rules[product][order.line]
    if (rule === undefined || !random.chance(rule.share)) {
      return []
    }
    return [{ product, ground: rule.ground, touchedAt: lastTouch(random, profile, product, order.occurredAt) }]
  })
  const wrong = random.unit()
  if (wrong < wrongShares.notOwned) {
    const others = products.filter((product) => !owned.includes(product))
    const product = others[Math.floor((wrong / wrongShares.notOwned) * others.length)]
    return product === undefined
      ? claims
      : [...claims, { product, ground: 'owned', touchedAt: order.occurredAt - dayMs }]
  }
  const [first, ...rest] = claims
  return first !== undefined && wrong < wrongShares.notOwned + wrongShares.touchedAfterOrder
    ? [{ ...first, touchedAt: order.occurredAt + dayMs }, ...rest]
    : claims
}

function lastTouch(random: Random, profile: Profile, product: Product, orderedAt: number): number {
  const before = -Math.log(1 - random.unit()) * touchedDaysBefore[product] * dayMs
  return Math.max(profile.devices[product][0]!.activatedAt, Math.floor(orderedAt - before))
}

/** Why claims can't be right, in the order in which they are asked. */
export const claimFaults = ['never_owned', 'not_yet_activated', 'given_back', 'touched_after_order'] as const
export type ClaimFault = (typeof claimFaults)[number]

/** What is wrong with a claim on an order of that time; undefined for a claim that counts. */
export function claimFault(profile: Profile, claim: Claim, orderedAt: number): ClaimFault | undefined {
  const [device] = profile.devices[claim.product]
  if (device === undefined) {
    return 'never_owned'
  }
  if (orderedAt < Math.floor(device.activatedAt / dayMs) * dayMs) {
    return 'not_yet_activated'
  }
  if (orderedAt >= startOfReturnDay(device)) {
    return 'given_back'
  }
  return claim.touchedAt > orderedAt ? 'touched_after_order' : undefined
}
