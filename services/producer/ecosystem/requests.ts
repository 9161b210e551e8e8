import type { AssistantIntentEvent } from '../../shared/domain/event.ts'
import { products } from '../population.ts'
import type { RequestWriter } from '../request.ts'
import { dayMs } from '../traffic.ts'
import { firstDayOfQuarter, monthDays } from './calendar.ts'
import { ecosystemRandom, poisson } from './draws.ts'
import { requestFacts, type EcosystemSettings } from './facts.ts'
import { paysForPlan } from './orders.ts'
import { owns, startOfReturnDay, type OwnedDevice, type Profile } from './profile.ts'

/** A request of the sample. */
export interface Asked {
  /** With the household's index it is the identity. */
  readonly place: number
  readonly device: OwnedDevice
  readonly occurredAt: number
}

/** The requests of one quarter and device are fewer than this, and a household's devices fewer than 10. */
const placesOfDevice = 1_000

/** The sample of a household's requests in a quarter, in no order: each of them is in it with the same chance. */
export function requestsOfQuarter(seed: number, profile: Profile, quarter: number, writer: RequestWriter): Asked[] {
  const devices = products.flatMap((product) => profile.devices[product])
  const random = devices.length === 0 ? undefined : ecosystemRandom(seed, 'requests', profile.index, quarter)
  return devices.flatMap((device) => {
    const from = Math.max(firstDayOfQuarter(quarter), Math.floor(device.activatedAt / dayMs) + 1)
    const to = Math.min(firstDayOfQuarter(quarter + 1), startOfReturnDay(device) / dayMs)
    if (random === undefined || from >= to) {
      return []
    }
    const { a, bMonths } = requestFacts.novelty
    const months = ((from + to) / 2 - device.activatedAt / dayMs) / monthDays
    const mean =
      (device.requestsPerDay * (to - from) * (1 + a * Math.exp(-months / bMonths))) / requestFacts.requestsPerEvent
    const firstPlace = (quarter * 10 + device.place) * placesOfDevice
    return Array.from({ length: Math.min(poisson(random, mean), placesOfDevice) }, (_, nth) => ({
      ...{ place: firstPlace + nth, device },
      occurredAt: random.integer(from, to - 1) * dayMs + writer.timeOfDayMs('US', random),
    }))
  })
}

/** The request as an event, with what it needs of the household's pseudonyms. */
export function writeRequest(
  asked: Asked,
  of: {
    seed: number
    profile: Profile
    settings: EcosystemSettings
    household: Buffer
    device: Buffer
    writer: RequestWriter
  },
): AssistantIntentEvent {
  const { profile } = of
  const { device, occurredAt, place } = asked
  return of.writer.write({
    household: { key: of.household, country: 'US', locale: 'en-US', plans: plansAt(profile, occurredAt, of.settings) },
    device: {
      ...{ pseudonym: of.device, product: device.product, model: device.model, appVersion: device.appVersion },
      ...{ activatedOn: Math.floor(device.activatedAt / dayMs), misheardShare: profile.misheardShare },
    },
    occurredAt,
    random: ecosystemRandom(of.seed, 'request', profile.index, place),
    // Orders are a stream of their own here.
    buys: false,
  })
}

function plansAt(profile: Profile, atMs: number, settings: EcosystemSettings): string[] {
  const [ring] = profile.devices.ring
  const isSecured =
    ring !== undefined &&
    owns(profile, 'ring', atMs) &&
    paysForPlan(profile, (atMs - ring.activatedAt) / dayMs / monthDays, settings)
  return [
    ...(profile.musicDay === undefined ? [] : ['music']),
    ...(profile.prime !== undefined && profile.prime.from * dayMs <= atMs ? ['prime'] : []),
    ...(isSecured ? ['security'] : []),
  ]
}
