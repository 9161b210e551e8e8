import { setTimeout as wait } from 'node:timers/promises'

import type { LogProducer } from '../shared/io/kafka-producer.ts'
import {
  countFate,
  createMessageWriter,
  duplicateDistanceOfHistory,
  noFates,
  writeMessages,
  type Fates,
  type MessageOptions,
  type PreparedMessage,
} from './messages.ts'
import { streams } from './population.ts'
import { createRandom } from './random.ts'
import { createBatchSender } from './sending.ts'
import { dayName, type SimulationOptions } from './simulation-options.ts'
import { createTraffic, type Traffic } from './traffic.ts'
import { loadEncoders } from './writer-schemas.ts'

/** What a simulation put into the log: the known truth. */
export interface SimulationSummary extends Fates {
  readonly seed: number
  readonly households: number
  readonly devices: number
  readonly firstDay: string
  readonly lastDay: string
  readonly seconds: number
  /** Stopped before its end: the numbers say what was sent until then. */
  readonly interrupted: boolean
}

export interface SimulationDeps {
  readonly producer: LogProducer
  readonly householdKey: Buffer
  readonly signal: AbortSignal
  /** Called after every acknowledged batch. */
  readonly onProgress?: (fates: Readonly<Fates>) => void
  /** Called once, before the first message. */
  readonly onStart?: (traffic: Traffic) => void
}

/** Live mode: a second copy comes within this many messages, a minute or less at the usual rates. */
const duplicateDistanceOfLive = 500
const liveTickMs = 100

/** Sends a simulated population's requests to the log: its history, or live ones until the signal. */
export async function simulate(options: SimulationOptions, deps: SimulationDeps): Promise<SimulationSummary> {
  const startedMs = performance.now()
  const traffic = createTraffic({ ...options, householdKey: deps.householdKey })
  const live = options.ratePerSecond > 0
  const messageOptions: MessageOptions = {
    ...options,
    encoders: loadEncoders(),
    duplicateDistanceMax: live ? duplicateDistanceOfLive : duplicateDistanceOfHistory,
  }
  const fates = noFates()
  const sender = createBatchSender<PreparedMessage>({
    producer: deps.producer,
    onSent(messages) {
      messages.forEach(({ fate }) => countFate(fates, fate))
      deps.onProgress?.(fates)
    },
  })
  deps.onStart?.(traffic)
  if (live) {
    await sendLive({ options, messageOptions, traffic, sender, signal: deps.signal })
  } else {
    for (const message of writeMessages(traffic.history(), messageOptions)) {
      const flushed = sender.add(message)
      if (flushed !== undefined) {
        await flushed
        if (deps.signal.aborted) {
          break
        }
      }
    }
  }
  await sender.finish()
  return {
    ...fates,
    seed: options.seed,
    households: traffic.households,
    devices: traffic.devices,
    firstDay: dayName(options.firstDay),
    lastDay: dayName(options.firstDay + options.days - 1),
    seconds: (performance.now() - startedMs) / 1_000,
    interrupted: deps.signal.aborted,
  }
}

/** Sends what is due every tick. Behind its rate (a slow broker) it sends later, never less. */
async function sendLive(live: {
  options: SimulationOptions
  messageOptions: MessageOptions
  traffic: Traffic
  sender: ReturnType<typeof createBatchSender<PreparedMessage>>
  signal: AbortSignal
}): Promise<void> {
  const { options, signal, sender } = live
  const startedMs = Date.now()
  // The starting time is among the words: a second live run on the same seed makes other events, not copies of the first.
  const random = createRandom(options.seed, streams.live, startedMs / 1_000, startedMs % 1_000)
  const writer = createMessageWriter(live.messageOptions)
  let made = 0
  while (!signal.aborted && made < options.liveEventsMax) {
    const due = Math.min(options.liveEventsMax, Math.floor(((Date.now() - startedMs) / 1_000) * options.ratePerSecond))
    for (; made < due; made++) {
      for (const message of writer.write(live.traffic.live(Date.now(), random))) {
        await sender.add(message)
      }
    }
    await sender.finish()
    await wait(liveTickMs, undefined, { signal }).catch((thrown: unknown) => {
      if (!signal.aborted) {
        throw thrown
      }
    })
  }
  for (const message of writer.rest()) {
    await sender.add(message)
  }
}
