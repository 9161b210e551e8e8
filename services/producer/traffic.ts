import type { AssistantIntentEvent } from '../shared/domain/event.ts'
import { createHousehold, facts, streams, type Device, type Household } from './population.ts'
import { createRandom, type Random } from './random.ts'
import { createRequestWriter } from './request.ts'

export const dayMs = 86_400_000
/** Noon to noon of this day is Thursday: 1970-01-01. */
const epochWeekday = 4

export interface TrafficOptions {
  readonly seed: number
  readonly householdKey: Buffer
  /** Days since 1970-01-01 UTC. */
  readonly firstDay: number
  readonly days: number
  /** Either all that this many households ask, or as many households as ask exactly this many times. */
  readonly size: { readonly households: number } | { readonly events: number }
}

export interface Traffic {
  readonly households: number
  readonly devices: number
  /** Events that `history` gives. */
  readonly events: number
  /** All requests of the days in the order of time; the same options give the same bytes. Memory holds one day. */
  history(): Generator<AssistantIntentEvent>
  /** One request made at that time by someone of the population, heavy users more often. */
  live(occurredAt: number, random: Random): AssistantIntentEvent
}

interface User {
  readonly household: Household
  readonly device: Device
}

/**
 * The requests of a simulated population.
 *
 * A number of events is reached by the number of households, never by changing how much a household asks: households are
 * added until their requests suffice, and the last one stops asking when the number is reached.
 */
export function createTraffic(options: TrafficOptions): Traffic {
  const { seed, firstDay, days } = options
  const lastDay = firstDay + days - 1
  const wanted = 'events' in options.size ? options.size.events : Infinity
  const householdsMax = 'households' in options.size ? options.size.households : Infinity
  const users: User[] = []
  let households = 0
  let events = 0
  // How often the last household may still ask, and where its devices start in `users`.
  let lastAllowance = Infinity
  let lastUserFrom = 0
  while (households < householdsMax && events < wanted) {
    const household = createHousehold({
      seed,
      index: households,
      householdKey: options.householdKey,
      firstDay,
      lastDay,
    })
    lastUserFrom = users.length
    lastAllowance = wanted - events
    for (const device of household.devices) {
      users.push({ household, device })
      for (let day = firstDay; day <= lastDay; day++) {
        events += drawDeviceDay(seed, device, day)?.requests ?? 0
      }
    }
    households += 1
  }
  events = Math.min(events, wanted)
  const writer = createRequestWriter()

  function* history(): Generator<AssistantIntentEvent> {
    const purchaseDays = createPurchaseDays(options, users)
    let allowance = lastAllowance
    for (let day = firstDay; day <= lastDay; day++) {
      const times: number[] = []
      const userOf: number[] = []
      const purchases = new Set<number>()
      users.forEach(({ household, device }, user) => {
        const drawn = drawDeviceDay(seed, device, day)
        if (drawn === undefined) {
          return
        }
        let requests = drawn.requests
        if (user >= lastUserFrom) {
          requests = Math.min(requests, allowance)
          allowance -= requests
        }
        if (requests > 0 && purchaseDays.isDue(user, day)) {
          purchases.add(times.length)
        }
        for (let nth = 0; nth < requests; nth++) {
          // Time and place in one number sort fast: 27 bits of milliseconds above 25 bits of place.
          times.push(writer.timeOfDayMs(household.country, drawn.random) * placesMax + times.length)
          userOf.push(user)
        }
      })
      const ordered = Float64Array.from(times).sort()
      const random = createRandom(seed, streams.day, day)
      for (const keyed of ordered) {
        const place = keyed % placesMax
        const { household, device } = users[userOf[place]!]!
        const occurredAt = day * dayMs + (keyed - place) / placesMax
        yield writer.write({ household, device, occurredAt, random, buys: purchases.has(place) })
      }
    }
  }

  const weightUpTo = new Float64Array(users.length)
  let weight = 0
  users.forEach(({ device }, user) => {
    weight += device.activeChance * Math.exp(device.requestsLog)
    weightUpTo[user] = weight
  })

  function live(occurredAt: number, random: Random): AssistantIntentEvent {
    const target = random.unit() * weight
    const user = weightUpTo.findIndex((upTo) => upTo > target)
    const { household, device } = users[user]!
    const buys = device.buyer === 'again' && random.chance(liveBuyChance)
    return writer.write({ household, device, occurredAt, random, buys })
  }

  return { households, devices: users.length, events, history, live }
}

/** A day holds fewer requests than this. */
const placesMax = 2 ** 25

/** Of the requests in live mode by those who buy again. */
const liveBuyChance = 0.01

/**
 * How often a device is asked on a day, with the stream to draw the times from; undefined when it is not used. Drawn from
 * the device and the day alone, so counting ahead and writing agree.
 */
function drawDeviceDay(seed: number, device: Device, day: number): { requests: number; random: Random } | undefined {
  const age = day - device.activatedOn
  if (age < 0 || (device.silentInWeek2 && age >= 7 && age < 14)) {
    return undefined
  }
  const random = createRandom(seed, streams.deviceDay, device.index, day)
  if (!random.chance(device.activeChance)) {
    return undefined
  }
  const level = Math.exp(device.requestsLog + sigmaWithin * random.normal())
  return { requests: Math.max(1, Math.round(level * dayFactor(day))), random }
}

const sigmaWithin = Math.sqrt(facts.requestsSigma ** 2 - facts.requestsSigmaBetween ** 2)

/** Weekends above weekdays, scaled so that a whole week keeps the mean. */
function dayFactor(day: number): number {
  const weekdayFactor = 7 / (5 + 2 * facts.weekendFactor)
  return isWeekend(day) ? weekdayFactor * facts.weekendFactor : weekdayFactor
}

export function isWeekend(day: number): boolean {
  const weekday = (day + epochWeekday) % 7
  return weekday === 0 || weekday === 6
}

/** When those who buy by voice do so: on the first active day from a random one on; again, if they do, some days later. */
function createPurchaseDays(options: TrafficOptions, users: readonly User[]) {
  const { seed, firstDay, days } = options
  const due = users.map(({ device }) => {
    if (device.buyer === 'never') {
      return Infinity
    }
    // Early enough that an active day, or a second purchase, still fits into the days.
    const within = device.buyer === 'once' ? 0.6 : 0.3
    const start = Math.max(firstDay, device.activatedOn)
    return start + createRandom(seed, streams.purchase, device.index).integer(0, Math.floor(days * within))
  })
  return {
    isDue(user: number, day: number): boolean {
      if (day < due[user]!) {
        return false
      }
      due[user] = users[user]!.device.buyer === 'again' ? day + 1 + (users[user]!.device.index % 3) : Infinity
      return true
    },
  }
}
