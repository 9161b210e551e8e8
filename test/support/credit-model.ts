import type { DeviceRow, OrderRow } from './ecosystem-rows.ts'

/** Margin in micro-units by product; '' is the uncredited remainder. Products that get nothing are left out. */
export type Credits = ReadonlyMap<string, bigint>

export interface CreditedOrder {
  readonly lastTouch: Credits
  readonly equalSplit: Credits
  readonly shapley: Credits
  /** The fate of each claim, in their order. */
  readonly claims: readonly string[]
}

export interface CreditCase {
  readonly orders: readonly OrderRow[]
  readonly devices: readonly DeviceRow[]
  /** Households that the experiments know, with or without a device or an order. */
  readonly drawn: readonly number[]
  readonly from: string
  readonly to: string
}

/**
 * The credit of each order in the window, in USD, as its definition says it and not as the statement works it out: day by day, order by
 * order, and Shapley values as means over all orders in which the products could have come.
 */
export function creditModel(world: CreditCase): Map<OrderRow, CreditedOrder> {
  const ours = world.orders.filter(({ currency = 'USD' }) => currency === 'USD')
  const within = ours.filter(({ day }) => day >= world.from && day <= world.to)
  const basisOf = (order: OrderRow) => (revenueOf(order) < 0 ? (firstOrder(ours, order) ?? order) : order)
  const owned = (household: number, day: string) => ownedProducts(world.devices, household, day)
  const worth = worths(world, within, (order) => owned(order.household, basisOf(order).day))
  return new Map(
    within.map((order) => {
      const basis = basisOf(order)
      const has = owned(order.household, basis.day)
      const fates = (basis.claims ?? []).map((claim) => fateOf(world.devices, { basis, has }, claim))
      const valid = (basis.claims ?? []).filter((_, at) => fates[at] === 'valid')
      const latest = valid.toSorted((a, b) => compare(b.touchedAt, a.touchedAt) || compare(a.product, b.product))[0]
      const claimants = [...new Set(valid.map(({ product }) => product))].sort()
      const shares = shapleyShares(has, (set) => worth(order.line ?? 'retail', set))
      const margin = BigInt(order.marginMicros)
      return [
        order,
        {
          lastTouch: sharedOut(margin, latest === undefined ? [] : [[latest.product, 1n]], 1n),
          equalSplit: sharedOut(
            margin,
            claimants.map((product) => [product, 1n]),
            BigInt(Math.max(1, claimants.length)),
          ),
          shapley: sharedOut(margin, shares, 10n ** 12n),
          claims: fates,
        },
      ]
    }),
  )
}

const revenueOf = ({ revenueMicros, marginMicros }: OrderRow) => revenueMicros ?? 10 * marginMicros
const timeOf = ({ day, time = '12:00:00.000' }: OrderRow) => `${day} ${time}`
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function firstOrder(orders: readonly OrderRow[], refund: OrderRow): OrderRow | undefined {
  return orders
    .filter(
      (order) =>
        revenueOf(order) >= 0 &&
        order.household === refund.household &&
        order.orderId === refund.orderId &&
        (order.line ?? 'retail') === (refund.line ?? 'retail'),
    )
    .sort((a, b) => compare(timeOf(a), timeOf(b)))[0]
}

function ownedProducts(devices: readonly DeviceRow[], household: number, day: string): string[] {
  const owned = devices.filter(
    (device) =>
      device.household === household &&
      device.activatedOn <= day &&
      (device.returnedOn === undefined || device.returnedOn > day),
  )
  return [...new Set(owned.map(({ product }) => product))].sort()
}

function fateOf(
  devices: readonly DeviceRow[],
  { basis, has }: { basis: OrderRow; has: readonly string[] },
  { product, touchedAt }: { product: string; touchedAt: string },
): string {
  const ever = devices.filter((device) => device.household === basis.household && device.product === product)
  if (touchedAt > timeOf(basis)) return 'touched_later'
  if (has.includes(product)) return 'valid'
  if (ever.length === 0) return 'never_owned'
  return ever.every(({ activatedOn }) => activatedOn > basis.day) ? 'before_activation' : 'given_back'
}

/** v of a line and a set, in millionths of a micro-unit; undefined for a set that nobody owned on any day. */
function worths(world: CreditCase, orders: readonly OrderRow[], ownedAt: (order: OrderRow) => readonly string[]) {
  const known = new Set([
    ...world.orders.map(({ household }) => household),
    ...world.devices.map(({ household }) => household),
    ...world.drawn,
  ])
  const days = new Map<string, bigint>()
  for (let at = Date.parse(world.from); at <= Date.parse(world.to); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10)
    for (const household of known) {
      const set = ownedProducts(world.devices, household, day).join()
      days.set(set, (days.get(set) ?? 0n) + 1n)
    }
  }
  const margins = new Map<string, bigint>()
  for (const order of orders) {
    const key = `${order.line ?? 'retail'}:${ownedAt(order).join()}`
    margins.set(key, (margins.get(key) ?? 0n) + BigInt(order.marginMicros))
  }
  return (line: string, set: readonly string[]): bigint | undefined => {
    const seen = days.get(set.join())
    return seen === undefined ? undefined : ((margins.get(`${line}:${set.join()}`) ?? 0n) * 1_000_000n) / seen
  }
}

/** Shares in trillionths, up to and with each product. */
function shapleyShares(
  owned: readonly string[],
  worth: (set: readonly string[]) => bigint | undefined,
): [string, bigint][] {
  const arrivals = permutations(owned)
  const added = new Map(owned.map((product) => [product, 0n]))
  for (const arrival of arrivals) {
    for (const [at, product] of arrival.entries()) {
      const before = worth(arrival.slice(0, at).sort())
      const after = worth(arrival.slice(0, at + 1).sort())
      if (before === undefined || after === undefined) return []
      added.set(product, added.get(product)! + after - before)
    }
  }
  const positive = (value: bigint) => (value > 0n ? value : 0n)
  const gains = owned.map((product) => positive(added.get(product)!))
  const base = worth([])
  if (owned.length === 0 || base === undefined) return []
  const whole = positive(base) * BigInt(arrivals.length) + gains.reduce((sum, gain) => sum + gain, 0n)
  if (whole === 0n) return []
  const upTo = gains.map((_, at) => gains.slice(0, at + 1).reduce((sum, gain) => sum + gain, 0n))
  const reached = upTo.map((sum) => (sum * 10n ** 12n) / whole)
  return owned.map((product, at) => [product, reached[at]! - (at === 0 ? 0n : reached[at - 1]!)])
}

function permutations(of: readonly string[]): string[][] {
  return of.length === 0
    ? [[]]
    : of.flatMap((first) => permutations(of.filter((one) => one !== first)).map((rest) => [first, ...rest]))
}

function sharedOut(margin: bigint, weights: readonly (readonly [string, bigint])[], whole: bigint): Credits {
  const credits = new Map<string, bigint>()
  let upTo = 0n
  let given = 0n
  for (const [product, weight] of weights) {
    upTo += weight
    credits.set(product, (margin * upTo) / whole - given)
    given = (margin * upTo) / whole
  }
  credits.set('', margin - given)
  return new Map([...credits].filter(([, micros]) => micros !== 0n))
}
