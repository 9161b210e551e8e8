import type { AssistantIntentEvent } from '../shared/domain/event.ts'
import { rejectionReasons, type RejectionReason } from '../shared/domain/fate.ts'
import type { EventEncoder } from '../shared/io/avro.ts'
import { createCopyQueue } from './copy-queue.ts'
import { spoil } from './malformed.ts'
import { streams } from './population.ts'
import { createRandom } from './random.ts'
import type { WriterVersion } from './writer-schemas.ts'

/** A message ready to be sent, with the fate that the classifier must give it. */
export interface PreparedMessage {
  readonly key: Buffer
  readonly value: Buffer | null
  readonly fate: 'accepted' | 'duplicate' | RejectionReason
}

/** What the log holds of a simulation: to be compared with what the tables hold. */
export interface Fates {
  sent: number
  accepted: number
  duplicate: number
  rejected: Record<RejectionReason, number>
}

export function noFates(): Fates {
  return { sent: 0, accepted: 0, duplicate: 0, rejected: byReason(() => 0) }
}

export function countFate(fates: Fates, fate: PreparedMessage['fate']): void {
  fates.sent += 1
  if (fate === 'accepted' || fate === 'duplicate') {
    fates[fate] += 1
  } else {
    fates.rejected[fate] += 1
  }
}

export interface MessageOptions {
  readonly seed: number
  readonly encoders: Record<WriterVersion, EventEncoder>
  /** `mixed`: half of the devices still write version 1. */
  readonly schemaVersion: WriterVersion | 'mixed'
  /** Share of the good events that is sent a second time. */
  readonly duplicatesShare: number
  /** Share of the events that is spoiled before sending. */
  readonly malformedShare: number
  /** A second copy comes at most this many messages after the first. */
  readonly duplicateDistanceMax: number
}

/**
 * Second copies of history come within this many messages of all partitions together: far enough to cross batches, and
 * well within the 200,000 offsets of one partition in which the classifier knows a copy.
 */
export const duplicateDistanceOfHistory = 20_000

/** Turns events into messages, one at a time, with duplicates and malformed ones among them. Same seed, same bytes. */
export function createMessageWriter(options: MessageOptions) {
  const { encoders, schemaVersion } = options
  const random = createRandom(options.seed, streams.messages)
  const copies = createCopyQueue<PreparedMessage>()

  function encoderOf(event: AssistantIntentEvent): EventEncoder {
    return encoders[schemaVersion === 'mixed' ? (event.device[0]! & 1 ? 1 : 2) : schemaVersion]
  }

  /** The messages of one event: itself, and second copies of earlier ones that are due by now. */
  function write(event: AssistantIntentEvent): PreparedMessage[] {
    const key = event.household
    const messages = copies.next()
    if (random.chance(options.malformedShare)) {
      const { value, reason } = spoil(event, encoderOf(event), random)
      messages.push({ key, value, fate: reason })
    } else {
      const value = encoderOf(event).encode(event)
      messages.push({ key, value, fate: 'accepted' })
      if (random.chance(options.duplicatesShare)) {
        copies.put({ key, value, fate: 'duplicate' }, random.integer(1, options.duplicateDistanceMax))
      }
    }
    return messages
  }

  return { write, rest: () => copies.rest() }
}

/** The whole history as messages. */
export function* writeMessages(
  events: Iterable<AssistantIntentEvent>,
  options: MessageOptions,
): Generator<PreparedMessage> {
  const writer = createMessageWriter(options)
  for (const event of events) {
    yield* writer.write(event)
  }
  yield* writer.rest()
}

function byReason<T>(value: () => T): Record<RejectionReason, T> {
  return Object.fromEntries(rejectionReasons.map((reason) => [reason, value()])) as Record<RejectionReason, T>
}
