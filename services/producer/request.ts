import type { AssistantIntentEvent, Purchase } from '../shared/domain/event.ts'
import type { Outcome } from '../shared/domain/taxonomy.ts'
import { createIntentPicker, directIntents } from './intent-mix.ts'
import { countries, type Country, type Device, type Household } from './population.ts'
import { createPicker, uuidV7, type Random } from './random.ts'

/** What of a household and a device stands in its requests. */
export type AskingHousehold = Pick<Household, 'key' | 'country' | 'locale' | 'plans'>
export type AskedDevice = Pick<
  Device,
  'pseudonym' | 'product' | 'model' | 'activatedOn' | 'appVersion' | 'misheardShare'
>

export interface RequestWriter {
  write(request: {
    household: AskingHousehold
    device: AskedDevice
    occurredAt: number
    random: Random
    /** An Echo's owner buys in this turn. */
    buys: boolean
  }): AssistantIntentEvent
  /** Milliseconds since midnight UTC at which someone of that country asks. */
  timeOfDayMs(country: Country, random: Random): number
}

/** Share of a new device's requests that try something out; halves every two weeks, and a little stays. */
const novelty = { shareAtStart: 0.22, halfLifeDays: 14, shareThatStays: 0.01 } as const

/** Of the requests that are not understood: nobody spoke to the device. */
const falseWakeShare = 0.15

/** Weight of each local hour: quiet nights, a morning and a higher evening peak. */
const hourWeights = [2, 1, 1, 1, 1, 2, 5, 9, 9, 8, 7, 7, 8, 8, 7, 7, 8, 10, 12, 13, 12, 10, 7, 4]

/** Turns "this device is asked something now" into an event. */
export function createRequestWriter(): RequestWriter {
  const pickIntent = createIntentPicker()
  const pickHour = createPicker(hourWeights.map((weight, hour): [number, number] => [hour, weight]))
  const dayMs = 86_400_000

  function chooseIntent(device: AskedDevice, occurredAt: number, random: Random): string {
    const ageDays = Math.max(0, Math.floor(occurredAt / dayMs) - device.activatedOn)
    const noveltyShare = novelty.shareThatStays + novelty.shareAtStart * 2 ** (-ageDays / novelty.halfLifeDays)
    return random.chance(noveltyShare) ? pickIntent.novel(random) : pickIntent.habitual(device.product, random)
  }

  return {
    write({ household, device, occurredAt, random, buys }) {
      const eventId = uuidV7(occurredAt, random)
      const heard = buys || !random.chance(device.misheardShare)
      const intent = buys ? pickIntent.echoPurchase(random) : chooseIntent(device, occurredAt, random)
      const outcome = buys ? 'fulfilled' : heard ? chooseOutcome(device, intent, random) : 'not_understood'
      const purchase =
        outcome === 'fulfilled' && directIntents.has(intent) ? writePurchase(household.country, eventId, random) : null
      return {
        eventId,
        occurredAt,
        device: device.pseudonym,
        household: household.key,
        product: device.product,
        deviceModel: device.model,
        activatedOn: device.activatedOn,
        country: household.country,
        locale: household.locale,
        plans: household.plans,
        intent: !heard && random.chance(falseWakeShare) ? 'false_wake' : intent,
        outcome,
        latencyMs: latencyMs(purchase !== null, random),
        purchase,
        appVersion: device.appVersion,
        skillId: intent.startsWith('skill_') ? `skill.${random.integer(1, 40)}` : null,
      }
    },
    timeOfDayMs(country, random) {
      const localMs = pickHour(random) * 3_600_000 + random.integer(0, 3_599_999)
      return (localMs - countries[country].utcOffsetMinutes * 60_000 + dayMs) % dayMs
    },
  }
}

/** On an Echo a transaction is only fulfilled for those few who buy: all others try and give up, or it fails. */
function chooseOutcome(device: AskedDevice, intent: string, random: Random): Outcome {
  const draw = random.unit()
  if (directIntents.has(intent)) {
    const fulfilledShare = device.product === 'echo' ? 0 : 0.8
    return draw < fulfilledShare
      ? 'fulfilled'
      : draw < fulfilledShare + (1 - fulfilledShare) * 0.7
        ? 'abandoned'
        : 'failed'
  }
  return draw < 0.9 ? 'fulfilled' : draw < 0.96 ? 'failed' : 'abandoned'
}

/** Log-normal around 14 dollars, in the country's currency, rounded to its smallest coin. */
function writePurchase(country: Country, eventId: Buffer, random: Random): Purchase {
  const { currency, unitsPerDollar, decimals } = countries[country]
  const coins = Math.max(1, Math.round(14 * Math.exp(0.8 * random.normal()) * unitsPerDollar * 10 ** decimals))
  return { orderId: `order-${eventId.toString('hex', 8)}`, amountMicros: coins * 10 ** (6 - decimals), currency }
}

/** Log-normal around 650 ms, twice that with a purchase; at most 60 s. */
function latencyMs(bought: boolean, random: Random): number {
  return Math.min(60_000, Math.round((bought ? 1_300 : 650) * Math.exp(0.45 * random.normal())))
}
