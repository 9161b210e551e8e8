import { products, type Product } from '../population.ts'
import { dayMs } from '../traffic.ts'
import { firstDayOfYear, yearOfDay, years } from './calendar.ts'
import { claimFault, claimFaults, type ClaimFault } from './claims.ts'
import { requestFacts } from './facts.ts'
import type { Order } from './orders.ts'
import { startOfReturnDay, type Profile } from './profile.ts'

/** By year from 2016, of one product. */
interface ProductTally {
  /** Households that own it on the last day. */
  readonly owners: number[]
  readonly ownedDays: number[]
  /** Of the orders that only the product caused, refunds taken off. */
  readonly causedMicros: number[]
  /** As it was sent: each claim counts the whole margin of its order. */
  readonly claimedMicros: number[]
  /** The same of claims that can be right. */
  readonly rightlyClaimedMicros: number[]
  readonly households: Record<Arm, number>
  /** Households of that arm that own it at the end. */
  readonly ownersOf: Record<Arm, number>
  readonly causedMicrosOf: Record<Arm, number>
  devices: number
  devicesReturned: number
  requestsSent: number
  /** Prices paid and not paid back. */
  priceMicros: number
  costOfGoodsMicros: number
}
type Arm = Profile['arms'][Product]

/** What is true of some households: sums, exact in micro-units. */
export interface Tally {
  readonly products: Readonly<Record<Product, ProductTally>>
  households: number
  householdsWithoutDevices: number
  orders: number
  refunds: number
  secondRefunds: number
  secondRefundsMarginMicros: number
  /** Orders, not refunds. */
  claimedByNobody: number
  claimedByAllProducts: number
  ordersWithoutDevices: number
  readonly invalidClaims: Record<ClaimFault, number>
  /** Rows and their margin by currency, refunds among them. */
  readonly currencies: Record<string, { rows: number; marginMicros: number; revenueMicros: number }>
}

export function createTally(): Tally {
  const perYear = () => years.map(() => 0)
  const perArm = () => ({ treatment: 0, holdout: 0 })
  const product = (): ProductTally => ({
    ...{ owners: perYear(), ownedDays: perYear(), causedMicros: perYear() },
    ...{ claimedMicros: perYear(), rightlyClaimedMicros: perYear() },
    ...{ households: perArm(), ownersOf: perArm(), causedMicrosOf: perArm() },
    ...{ devices: 0, devicesReturned: 0, requestsSent: 0, priceMicros: 0, costOfGoodsMicros: 0 },
  })
  return {
    products: { echo: product(), kindle: product(), fire_tv: product(), ring: product() },
    ...{ households: 0, householdsWithoutDevices: 0, orders: 0, refunds: 0 },
    ...{ secondRefunds: 0, secondRefundsMarginMicros: 0 },
    ...{ claimedByNobody: 0, claimedByAllProducts: 0, ordersWithoutDevices: 0 },
    invalidClaims: Object.fromEntries(claimFaults.map((fault) => [fault, 0])) as Record<ClaimFault, number>,
    currencies: {},
  }
}

/** Once for each household. */
export function countHousehold(tally: Tally, profile: Profile): void {
  tally.households += 1
  tally.householdsWithoutDevices += products.every((product) => profile.devices[product].length === 0) ? 1 : 0
  for (const product of products) {
    const own = tally.products[product]
    const arm = profile.arms[product]
    own.households[arm] += 1
    const [first] = profile.devices[product]
    if (first === undefined) {
      continue
    }
    for (const device of profile.devices[product]) {
      const isReturned = device.returnedAt !== Infinity
      own.devices += 1
      own.devicesReturned += isReturned ? 1 : 0
      own.priceMicros += isReturned ? 0 : device.priceMicros
      own.costOfGoodsMicros += device.costMicros
    }
    const from = Math.floor(first.activatedAt / dayMs)
    const to = startOfReturnDay(first) / dayMs
    years.forEach((_, year) => {
      const end = firstDayOfYear(year + 1)
      own.owners[year]! += from < end && to >= end ? 1 : 0
      own.ownedDays[year]! += Math.max(0, Math.min(to, end) - Math.max(from, firstDayOfYear(year)))
    })
    own.ownersOf[arm] += to === Infinity ? 1 : 0
  }
}

/** Each order and refund; `orderedAt` is the time of the order that a refund takes back. */
export function countOrder(tally: Tally, profile: Profile, order: Order, orderedAt: number): void {
  const year = yearOfDay(Math.floor(order.occurredAt / dayMs))
  const sums = (tally.currencies[order.currency] ??= { rows: 0, marginMicros: 0, revenueMicros: 0 })
  sums.rows += 1
  sums.marginMicros += order.marginMicros
  sums.revenueMicros += order.revenueMicros
  if (order.kind === 'order') {
    countShape(tally, profile, order)
  } else {
    tally.refunds += 1
    tally.secondRefunds += order.kind === 'second_refund' ? 1 : 0
    tally.secondRefundsMarginMicros += order.kind === 'second_refund' ? order.marginMicros : 0
  }
  if (order.causedBy !== undefined) {
    const own = tally.products[order.causedBy]
    own.causedMicros[year]! += order.marginMicros
    own.causedMicrosOf[profile.arms[order.causedBy]] += order.marginMicros
  }
  for (const claim of order.claims) {
    const fault = claimFault(profile, claim, orderedAt)
    if (fault !== undefined && order.kind === 'order') {
      tally.invalidClaims[fault] += 1
    }
    // Another currency's money is not added to it.
    if (order.currency === 'USD') {
      const own = tally.products[claim.product]
      own.claimedMicros[year]! += order.marginMicros
      own.rightlyClaimedMicros[year]! += fault === undefined ? order.marginMicros : 0
    }
  }
}

function countShape(tally: Tally, profile: Profile, { claims }: Order): void {
  tally.orders += 1
  tally.claimedByNobody += claims.length === 0 ? 1 : 0
  tally.claimedByAllProducts += new Set(claims.map(({ product }) => product)).size === products.length ? 1 : 0
  tally.ordersWithoutDevices += products.every((product) => profile.devices[product].length === 0) ? 1 : 0
}

/** The truth as it is written to a file: by product, and by year in it. Money in micro-units of the dollar. */
export function describeTruth(tally: Tally) {
  return {
    ...tally,
    requestsPerEvent: requestFacts.requestsPerEvent,
    products: Object.fromEntries(
      products.map((product) => [product, describeProduct(tally.products[product])]),
    ) as Record<Product, ReturnType<typeof describeProduct>>,
  }
}
export type Truth = ReturnType<typeof describeTruth>

function describeProduct(own: ProductTally) {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const figures = (owners: number, ownedDays: number, pick: (perYear: readonly number[]) => number) => {
    const causedMarginMicros = pick(own.causedMicros)
    const ownerYears = ownedDays / 365.25
    return {
      ...{ owners, ownerYears, causedMarginMicros },
      causedPerOwnerYearMicros: ratio(causedMarginMicros, ownerYears),
      causedPerOwnerMicros: ratio(causedMarginMicros, owners),
      claimedMarginMicros: pick(own.claimedMicros),
      rightlyClaimedMarginMicros: pick(own.rightlyClaimedMicros),
    }
  }
  const perHousehold = (arm: Arm) => ratio(own.causedMicrosOf[arm], own.households[arm])
  const { treatment, holdout } = { treatment: perHousehold('treatment'), holdout: perHousehold('holdout') }
  return {
    ...figures(own.owners.at(-1)!, sum(own.ownedDays), sum),
    years: Object.fromEntries(
      years.map((year, place) => [year, figures(own.owners[place]!, own.ownedDays[place]!, (all) => all[place]!)]),
    ),
    experiment: {
      ...{ households: own.households, ownersAtEnd: own.ownersOf },
      causedPerHouseholdMicros: { treatment, holdout },
      /** The intention to treat: what being offered the product adds to a household's margin, the leak taken off. */
      intentionToTreatMicros: treatment === null || holdout === null ? null : treatment - holdout,
    },
    ...{ devices: own.devices, devicesReturned: own.devicesReturned, requestsSent: own.requestsSent },
    ...{ priceMicros: own.priceMicros, costOfGoodsMicros: own.costOfGoodsMicros },
  }
}

const ratio = (numerator: number, denominator: number) =>
  denominator === 0 ? null : Math.round(numerator / denominator)
