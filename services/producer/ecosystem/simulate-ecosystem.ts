import type { LogProducer } from '../../shared/io/kafka-producer.ts'
import { createCopyQueue } from '../copy-queue.ts'
import { createRequestWriter } from '../request.ts'
import { createBatchSender } from '../sending.ts'
import { ecosystemRandom } from './draws.ts'
import { defaultSettings } from './facts.ts'
import { createEventWriter } from './messages.ts'
import type { EcosystemOptions } from './options.ts'
import { createPopulation, ecosystemStreams, type EcosystemStream, type Population } from './population.ts'
import { describeTruth, type Truth } from './truth.ts'

/** Messages that Kafka has acknowledged. */
export interface SentToStream {
  events: number
  /** Second copies, byte for byte. */
  duplicates: number
}

export interface EcosystemSummary {
  readonly seed: number
  readonly sent: Readonly<Record<EcosystemStream, SentToStream>>
  readonly seconds: number
  /** Stopped before its end: `sent` says what was sent until then. */
  readonly interrupted: boolean
  /** Undefined when it was stopped before its end, because it is that of six whole years. */
  readonly truth: Truth | undefined
}

export interface EcosystemDeps {
  /** One a topic. */
  readonly producers: Readonly<Record<EcosystemStream, LogProducer>>
  readonly householdKey: Buffer
  readonly signal: AbortSignal
  /** Called once, before the first message. */
  readonly onStart?: (population: Population) => void
  /** Called after every acknowledged batch, with the quarters that are done. */
  readonly onProgress?: (quarters: number, sent: EcosystemSummary['sent']) => void
}

/** A second copy comes within this many messages of its topic: they are few, and a batch should span few months. */
const duplicateDistanceMax = 2_000

interface Message {
  readonly key: Buffer
  readonly value: Buffer
  readonly isCopy: boolean
}

/** Sends six years of a population to four topics, each in the order of time. The same options give the same bytes. */
export async function simulateEcosystem(
  options: Pick<EcosystemOptions, 'households' | 'seed' | 'duplicatesShare'>,
  deps: EcosystemDeps,
): Promise<EcosystemSummary> {
  const startedMs = performance.now()
  const { seed, households, duplicatesShare } = options
  const shared = { seed, settings: defaultSettings, writer: createRequestWriter() }
  const population = createPopulation({ ...shared, households, householdKey: deps.householdKey })
  const write = createEventWriter(shared)
  const sent = byStream(() => ({ events: 0, duplicates: 0 }))
  let quarters = 0
  const topics = byStream((stream) => ({
    copies: createCopyQueue<Message>(),
    random: ecosystemRandom(seed, 'copies', ecosystemStreams.indexOf(stream)),
    sender: createBatchSender<Message>({
      producer: deps.producers[stream],
      onSent(messages) {
        for (const { isCopy } of messages) {
          sent[stream][isCopy ? 'duplicates' : 'events'] += 1
        }
        deps.onProgress?.(quarters, sent)
      },
    }),
  }))

  deps.onStart?.(population)
  sending: for (const events of population.quarters()) {
    for (const event of events) {
      const { copies, random, sender } = topics[event.stream]
      const due = copies.next()
      const message = { key: event.member.key, value: write(event), isCopy: false }
      if (random.chance(duplicatesShare)) {
        copies.put({ ...message, isCopy: true }, random.integer(1, duplicateDistanceMax))
      }
      for (const one of [...due, message]) {
        const flushed = sender.add(one)
        if (flushed !== undefined) {
          await flushed
        }
      }
      if (deps.signal.aborted) {
        break sending
      }
    }
    quarters += 1
  }
  for (const { copies, sender } of Object.values(topics)) {
    for (const copy of deps.signal.aborted ? [] : copies.rest()) {
      await sender.add(copy)
    }
    await sender.finish()
  }
  const interrupted = deps.signal.aborted
  return {
    ...{ seed, sent, interrupted },
    seconds: (performance.now() - startedMs) / 1_000,
    truth: interrupted ? undefined : describeTruth(population.truth),
  }
}

function byStream<T>(make: (stream: EcosystemStream) => T): Record<EcosystemStream, T> {
  return Object.fromEntries(ecosystemStreams.map((stream) => [stream, make(stream)])) as Record<EcosystemStream, T>
}
