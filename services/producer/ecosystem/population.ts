import { pseudonym } from '../../shared/io/pseudonym.ts'
import { products } from '../population.ts'
import type { RequestWriter } from '../request.ts'
import { dayMs } from '../traffic.ts'
import { firstDayOfQuarter, quarterCount, salesFromDay } from './calendar.ts'
import type { EcosystemSettings } from './facts.ts'
import { armsOf, byTime, countOrders, devicesOf, type ArmRow, type DeviceRow } from './household.ts'
import { ordersOfQuarter, type Order } from './orders.ts'
import { drawProfile, type Profile } from './profile.ts'
import { requestsOfQuarter, type Asked } from './requests.ts'
import { countHousehold, createTally, type Tally } from './truth.ts'

/** A household with the pseudonyms that its events carry. */
export interface Member {
  readonly profile: Profile
  readonly key: Buffer
  /** By the place of the device. */
  readonly deviceKeys: readonly Buffer[]
  readonly deviceRows: readonly DeviceRow[]
}

/** What happened to a household. */
export type EcosystemEvent = { readonly member: Member; readonly occurredAt: number } & (
  | { readonly stream: 'ecosystem-orders'; readonly row: Order }
  | { readonly stream: 'device-activations'; readonly row: DeviceRow }
  | { readonly stream: 'experiment-arms'; readonly row: ArmRow }
  | { readonly stream: 'assistant-intents'; readonly row: Asked }
)
export const ecosystemStreams = [
  'ecosystem-orders',
  'device-activations',
  'experiment-arms',
  'assistant-intents',
] as const satisfies readonly EcosystemEvent['stream'][]
export type EcosystemStream = (typeof ecosystemStreams)[number]

export interface Population {
  readonly devices: number
  /** Each quarter's events, those of one stream in the order of time. Memory holds a quarter. Once only: it counts into `truth`. */
  quarters(): Generator<EcosystemEvent[]>
  /** What is true of the quarters so far. */
  readonly truth: Tally
}

export function createPopulation(options: {
  seed: number
  households: number
  settings: EcosystemSettings
  householdKey: Buffer
  writer: RequestWriter
}): Population {
  const { seed, settings } = options
  const truth = createTally()
  const members = Array.from({ length: options.households }, (_, index) => {
    const profile = drawProfile(seed, index, settings)
    countHousehold(truth, profile)
    return memberOf(options, profile)
  })

  function* quarters(): Generator<EcosystemEvent[]> {
    /** Refunds of later quarters. */
    let later: EcosystemEvent[] = []
    for (let quarter = 0; quarter < quarterCount; quarter++) {
      const end = firstDayOfQuarter(quarter + 1) * dayMs
      const events = later
      for (const member of members) {
        for (const event of eventsOf(member, quarter)) {
          events.push(event)
        }
      }
      later = events.filter(({ occurredAt }) => occurredAt >= end)
      yield events.filter(({ occurredAt }) => occurredAt < end).sort(byTime)
    }
  }

  function eventsOf(member: Member, quarter: number): EcosystemEvent[] {
    const { profile } = member
    const [from, to] = [firstDayOfQuarter(quarter) * dayMs, firstDayOfQuarter(quarter + 1) * dayMs]
    const orders = ordersOfQuarter(seed, profile, quarter, settings)
    countOrders(truth, profile, orders)
    const requests = requestsOfQuarter(seed, profile, quarter, options.writer)
    for (const { device } of requests) {
      truth.products[device.product].requestsSent += 1
    }
    const arms = firstDayOfQuarter(quarter) === salesFromDay ? armsOf(profile, settings) : []
    const devices = member.deviceRows.filter(({ occurredAt }) => occurredAt >= from && occurredAt < to)
    const event = <S extends EcosystemStream, R extends { occurredAt: number }>(stream: S, row: R) => ({
      ...{ member, stream, row, occurredAt: row.occurredAt },
    })
    return [
      ...arms.map((row) => event('experiment-arms', row)),
      ...devices.map((row) => event('device-activations', row)),
      ...orders.map((row) => event('ecosystem-orders', row)),
      ...requests.map((row) => event('assistant-intents', row)),
    ]
  }

  return { devices: products.reduce((sum, product) => sum + truth.products[product].devices, 0), quarters, truth }
}

/** Raw ids hold the seed and differ from those of `simulate`: two simulations on the same data never contradict each other. */
function memberOf({ seed, householdKey }: { seed: number; householdKey: Buffer }, profile: Profile): Member {
  const rawId = `simulated/ecosystem/${seed}/household/${profile.index}`
  const devices = products.flatMap((product) => profile.devices[product])
  return {
    profile,
    key: pseudonym(householdKey, rawId),
    deviceRows: devicesOf(profile),
    deviceKeys: devices.map(({ place }) => pseudonym(householdKey, `${rawId}/device/${place}`)),
  }
}
