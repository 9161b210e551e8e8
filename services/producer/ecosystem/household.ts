import { products, type Product } from '../population.ts'
import { dayMs } from '../traffic.ts'
import { lastDay, quarterCount, salesFromDay } from './calendar.ts'
import type { EcosystemSettings } from './facts.ts'
import { ordersOfQuarter, type Order } from './orders.ts'
import { drawProfile, type OwnedDevice, type Profile } from './profile.ts'
import { countHousehold, countOrder, createTally, type Tally } from './truth.ts'

/** A device was activated, or given back. */
export interface DeviceRow {
  /** With the household's index it is the identity. */
  readonly place: number
  readonly device: OwnedDevice
  readonly occurredAt: number
  readonly returned: boolean
}

/** A household was drawn into an arm. */
export interface ArmRow {
  readonly place: number
  readonly occurredAt: number
  readonly experiment: string
  readonly product: Product
  readonly arm: 'treatment' | 'holdout'
  readonly shareMillionths: number
  /** Days since 1970-01-01 UTC. */
  readonly fromDay: number
  readonly toDay: number
}

export interface DrawnHousehold {
  readonly profile: Profile
  readonly arms: readonly ArmRow[]
  /** In the order of time. */
  readonly devices: readonly DeviceRow[]
  /** In the order of time. */
  readonly orders: readonly Order[]
  readonly truth: Tally
}

/**
 * Six years of one household, without its requests. It has random streams of its own, so the first 2,000 households of a population are
 * the same however many follow.
 */
export function drawHousehold(seed: number, index: number, settings: EcosystemSettings): DrawnHousehold {
  const profile = drawProfile(seed, index, settings)
  const truth = createTally()
  countHousehold(truth, profile)
  const orders: Order[] = []
  for (let quarter = 0; quarter < quarterCount; quarter++) {
    const drawn = ordersOfQuarter(seed, profile, quarter, settings)
    countOrders(truth, profile, drawn)
    orders.push(...drawn)
  }
  return { profile, arms: armsOf(profile, settings), devices: devicesOf(profile), orders: orders.sort(byTime), truth }
}

/** Counts the orders of a quarter, in which refunds follow their order. */
export function countOrders(truth: Tally, profile: Profile, orders: readonly Order[]): void {
  let orderedAt = 0
  for (const order of orders) {
    orderedAt = order.kind === 'order' ? order.occurredAt : orderedAt
    countOrder(truth, profile, order, orderedAt)
  }
}

export function armsOf(profile: Profile, settings: EcosystemSettings): ArmRow[] {
  return products.map((product, place) => {
    const arm = profile.arms[product]
    const { holdoutMillionths } = settings
    return {
      ...{ place, occurredAt: salesFromDay * dayMs, experiment: `${product}_holdout`, product, arm },
      shareMillionths: arm === 'holdout' ? holdoutMillionths : 1_000_000 - holdoutMillionths,
      ...{ fromDay: salesFromDay, toDay: lastDay },
    }
  })
}

export function devicesOf(profile: Profile): DeviceRow[] {
  return products
    .flatMap((product) => profile.devices[product])
    .flatMap((device): DeviceRow[] => [
      { place: 2 * device.place, device, occurredAt: device.activatedAt, returned: false },
      ...(device.returnedAt === Infinity
        ? []
        : [{ place: 2 * device.place + 1, device, occurredAt: device.returnedAt, returned: true }]),
    ])
    .sort(byTime)
}

export function byTime(left: { occurredAt: number }, right: { occurredAt: number }): number {
  return left.occurredAt - right.occurredAt
}
