import type { CreditCase } from './credit-model.ts'
import type { DeviceRow, OrderRow } from './ecosystem-rows.ts'

const products = ['echo', 'fire_tv', 'kindle', 'ring'] as const
const lines = ['ads', 'e_books', 'retail'] as const
const day = (at: number) => new Date(Date.parse('2020-01-01') + at * 86_400_000).toISOString().slice(0, 10)

/**
 * Households, devices, orders, refunds and claims of 120 days, with everything that real ones should not have: claims of products that
 * nobody owns, or from after the order, or twice; refunds of nothing, before their order, or more than once; orders that lose money;
 * another currency; households without a device. The window begins later and ends earlier than the orders.
 */
export function randomEcosystem(random: () => number, { households }: { households: number }): CreditCase {
  const whole = (below: number) => Math.floor(random() * below)
  const pick = <T>(values: readonly T[]): T => values[whole(values.length)]!
  const chance = (share: number) => random() < share
  const time = () => `${String(whole(24)).padStart(2, '0')}:${String(whole(60)).padStart(2, '0')}:00.000`
  const devices: DeviceRow[] = []
  const orders: OrderRow[] = []
  let device = 0
  for (let household = 1; household <= households; household++) {
    for (const product of products) {
      for (let left = whole(chance(0.5) ? 1 : 3); left > 0; left--) {
        const activated = whole(150) - 30
        const returned = chance(0.2) ? { returnedOn: day(activated + whole(40)) } : {}
        devices.push({ household, device: ++device, product, activatedOn: day(activated), ...returned })
      }
    }
    for (let left = whole(8); left > 0; left--) {
      const at = whole(120)
      // Some sums divide by nothing that shares them, some are tiny, some lose.
      const marginMicros = pick([whole(50_000_000), whole(7), -whole(1_000_003), 0, 900_000_000_000_001])
      const order: OrderRow = {
        ...{ household, day: day(at), time: time(), marginMicros, revenueMicros: Math.abs(marginMicros) + 1 },
        ...{ orderId: `${household}-${left}`, line: pick(lines), currency: chance(0.05) ? 'EUR' : 'USD' },
        claims: Array.from({ length: whole(6) }, () => ({
          product: pick([...products, 'nobodys']),
          // Of few moments, so that touches of two products are at the same time.
          touchedAt: `${day(at - whole(3))} ${String(whole(24)).padStart(2, '0')}:00:00.000`,
        })),
      }
      orders.push(order)
      for (let refunds = chance(0.3) ? 1 + whole(2) : 0; refunds > 0; refunds--) {
        orders.push({
          ...order,
          ...{ day: day(at + whole(20) - 2), time: time() },
          ...{ marginMicros: chance(0.5) ? -marginMicros : -whole(1_000), revenueMicros: -1 - whole(1_000) },
          ...(chance(0.2) ? { orderId: 'of nothing' } : {}),
          ...(chance(0.2) ? { claims: [] } : {}),
        })
      }
    }
  }
  return { orders, devices, drawn: [1, households + 1, households + 2], from: day(10), to: day(100) }
}
