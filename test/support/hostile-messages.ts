/**
 * Messages that somebody who wishes us ill, or knows no better, could send. Each says what must become of it by how it was
 * made: no decoder has looked at it.
 */
import { createPicker, createRandom, type Random } from '../../services/producer/random.ts'
import type { AssistantIntentEvent } from '../../services/shared/domain/event.ts'
import { kinds, pickOne, randomBytes, type Fate } from './hostile-kinds.ts'

export interface HostileMessage {
  readonly kind: string
  /** Its fate, if it is no copy of an event that was sent to its partition before. */
  readonly fate: Fate
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestampMs: number
}

const hourMs = 3_600_000
const distinctIntents = 10_000

/** An endless supply: the same seed and time give the same messages. */
export function createHostileMessages(seed: number, nowMs: number): { next(): HostileMessage } {
  const random = createRandom(seed)
  const pickKind = createPicker(kinds.map((kind) => [kind, kind[1]] as const))
  let number = 0
  return {
    next() {
      const [kind, , fate, make] = pickKind(random)
      const made = make({
        random,
        event: someEvent(random, number++, nowMs),
        version: random.chance(0.5) ? 1 : 2,
        nowMs,
      })
      const key = pickOne(random, hostileKeys)(random)
      return made === null || Buffer.isBuffer(made)
        ? { kind, fate, key, value: made, timestampMs: nowMs }
        : { kind, fate, key, ...made }
    },
  }
}

/** A valid event. There are 400 households, so that ClickHouse counts them exactly and does not estimate. */
function someEvent(random: Random, number: number, nowMs: number): AssistantIntentEvent {
  return {
    eventId: randomBytes(random, 16),
    occurredAt: nowMs - random.integer(0, 3 * hourMs),
    device: numbered(number % 600),
    household: numbered(number % 400),
    product: 'echo',
    deviceModel: 'echo_4',
    activatedOn: 20_000 + random.integer(0, 40),
    country: pickOne(random, ['US', 'DE']),
    locale: 'en-US',
    plans: pickOne(random, [[], ['prime'], ['music', 'prime']]),
    intent: `intent_${number % distinctIntents}`,
    outcome: 'fulfilled',
    latencyMs: random.integer(0, 2_000),
    purchase: null,
    appVersion: '1.0',
    skillId: null,
  }
}

const hostileKeys: readonly ((random: Random) => Buffer | null)[] = [
  () => null,
  () => Buffer.alloc(0),
  (random) => randomBytes(random, 8),
  () => Buffer.from([0xc3, 0x28, 0xff, 0x00]),
  (random) => Buffer.alloc(random.integer(1, 300), "'`\\\n"),
]

function numbered(number: number): Buffer {
  const bytes = Buffer.alloc(8, 0xa5)
  bytes.writeUInt32LE(number, 0)
  return bytes
}
