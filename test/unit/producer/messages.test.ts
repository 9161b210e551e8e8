import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import avro from 'avro-js'

import { spoilFor } from '../../../services/producer/malformed.ts'
import { countFate, noFates, writeMessages, type MessageOptions } from '../../../services/producer/messages.ts'
import { createRandom } from '../../../services/producer/random.ts'
import { createTraffic, dayMs, type TrafficOptions } from '../../../services/producer/traffic.ts'
import { loadEncoders } from '../../../services/producer/writer-schemas.ts'
import type { AssistantIntentEvent } from '../../../services/shared/domain/event.ts'
import { defaultFateSettings, rejectionReasons, type RejectionReason } from '../../../services/shared/domain/fate.ts'
import { headerBytes, schemaIdOf } from '../../../services/shared/domain/wire.ts'
import { judgeLog } from '../../support/log-truth.ts'
import type { TopicLog } from '../../support/topic-log.ts'

const encoders = loadEncoders()
const traffic: TrafficOptions = {
  seed: 5,
  householdKey: Buffer.alloc(32, 3),
  firstDay: 20_000,
  days: 3,
  size: { events: 20_000 },
}
const messages: MessageOptions = {
  seed: 5,
  encoders,
  schemaVersion: 'mixed',
  duplicatesShare: 0.02,
  malformedShare: 0.02,
  duplicateDistanceMax: 1_000,
}

function write(overTraffic: Partial<TrafficOptions> = {}, overMessages: Partial<MessageOptions> = {}) {
  return [...writeMessages(createTraffic({ ...traffic, ...overTraffic }).history(), { ...messages, ...overMessages })]
}

function digest(written: ReturnType<typeof write>): string {
  const hash = createHash('sha256')
  for (const { key, value, fate } of written) {
    hash
      .update(key)
      .update(value ?? 'null')
      .update(fate)
  }
  return hash.digest('hex')
}

const decoders = [1, 2].map((version) => {
  const file = new URL(`../../../schemas/assistant-intent-event/v${version}.avsc`, import.meta.url)
  return avro.parse(JSON.parse(readFileSync(file, 'utf8')))
})

function decode(value: Buffer): AssistantIntentEvent {
  return decoders[schemaIdOf(value) - 1]!.fromBuffer(value.subarray(headerBytes)) as AssistantIntentEvent
}

test('the same seed gives the same bytes, ids and all', () => {
  assert.equal(digest(write()), digest(write()))
})

test('another seed, key or day gives other bytes', () => {
  const base = digest(write())
  assert.notEqual(digest(write({ seed: 6 }, { seed: 6 })), base)
  assert.notEqual(digest(write({ householdKey: Buffer.alloc(32, 4) })), base)
  assert.notEqual(digest(write({ firstDay: 20_001 })), base)
})

test('gives exactly the events asked for, in the order of time, within the days', () => {
  const events = [...createTraffic(traffic).history()]
  assert.equal(events.length, 20_000)
  const times = events.map(({ occurredAt }) => occurredAt)
  assert.deepEqual(
    times,
    [...times].sort((left, right) => left - right),
  )
  assert.ok(times[0]! >= 20_000 * dayMs && times.at(-1)! < 20_003 * dayMs)
})

test('announces the number of events that it gives', () => {
  for (const size of [{ events: 1 }, { events: 777 }, { households: 1 }, { households: 40 }]) {
    const made = createTraffic({ ...traffic, size })
    assert.equal([...made.history()].length, made.events)
  }
})

test('a smaller population is the start of a larger one', () => {
  const keys = (households: number) =>
    new Set(
      [...createTraffic({ ...traffic, size: { households } }).history()].map((event) =>
        event.household.toString('hex'),
      ),
    )
  assert.ok(keys(20).isSubsetOf(keys(40)))
})

test('event ids are UUIDs of version 7 that hold the time, and no two are alike', () => {
  const events = [...createTraffic(traffic).history()]
  for (const { eventId, occurredAt } of events) {
    assert.equal(eventId.readUIntBE(0, 6), occurredAt)
    assert.equal(eventId[6]! >> 4, 7)
    assert.equal(eventId[8]! >> 6, 2)
  }
  assert.equal(new Set(events.map(({ eventId }) => eventId.toString('hex'))).size, events.length)
})

test('every good event decodes to what was simulated, under both writer schemas', () => {
  const events = [...createTraffic(traffic).history()]
  const written = write({}, { duplicatesShare: 0, malformedShare: 0 })
  const ids = new Set<number>()
  written.forEach(({ value }, index) => {
    const decoded = decode(value!)
    const { eventId, intent, plans, latencyMs } = events[index]!
    assert.deepEqual(
      { ...decoded, eventId: Buffer.from(decoded.eventId) },
      { ...decoded, eventId, intent, plans: [...plans], latencyMs },
    )
    ids.add(schemaIdOf(value))
  })
  assert.deepEqual([...ids].sort(), [1, 2])
})

test('a second copy has the bytes of the first and follows within the distance; a malformed one has no copy', () => {
  const written = write()
  const firstAt = new Map<string, number>()
  let copies = 0
  written.forEach(({ key, value, fate }, position) => {
    const bytes = `${key.toString('hex')}${value?.toString('hex') ?? position}`
    if (fate === 'duplicate') {
      copies += 1
      const first = firstAt.get(bytes)
      // Copies themselves stand between the two, so the distance in messages is a little more than in events.
      assert.ok(first !== undefined && position > first && position - first <= 1_000 * 1.1)
    } else if (fate === 'accepted') {
      assert.ok(!firstAt.has(bytes))
      firstAt.set(bytes, position)
    }
  })
  // 2 % of 19,600: a standard deviation of 20.
  assert.ok(copies > 300 && copies < 480, `${copies} copies`)
})

test('the counted fates add up to what was asked for', () => {
  const fates = noFates()
  write().forEach(({ fate }) => countFate(fates, fate))
  const rejected = Object.values(fates.rejected).reduce((sum, count) => sum + count, 0)
  assert.equal(fates.accepted + rejected, 20_000)
  assert.equal(fates.sent, 20_000 + fates.duplicate)
  assert.ok(rejected > 300 && rejected < 500, `${rejected} malformed`)
})

test('every message has the fate that a second reading of the log finds', () => {
  const written = write({}, { malformedShare: 0.1 })
  const sentMs = (20_000 + 3) * dayMs
  const log: TopicLog = {
    topic: 'simulated',
    topicId: 'simulated',
    partitions: [written.map(({ key, value }, offset) => ({ offset, timestampMs: sentMs, key, value }))],
  }
  const judged = judgeLog(log).map((message) => (message.fate === 'rejected' ? message.reason : message.fate))
  assert.deepEqual(
    written.flatMap(({ fate }, index) => (fate === judged[index] ? [] : [`${index}: ${fate}, but ${judged[index]}`])),
    [],
  )
  assert.deepEqual(new Set(judged), new Set(['accepted', 'duplicate', ...rejectionReasons]))
})

test('with shares of 0 nothing is copied or spoiled; with 1 everything is', () => {
  const fatesOf = (over: Partial<MessageOptions>) => {
    const fates = noFates()
    write({ size: { events: 500 } }, over).forEach(({ fate }) => countFate(fates, fate))
    return fates
  }
  assert.deepEqual(fatesOf({ duplicatesShare: 0, malformedShare: 0 }), { ...noFates(), sent: 500, accepted: 500 })
  assert.equal(fatesOf({ duplicatesShare: 1, malformedShare: 0 }).duplicate, 500)
  assert.equal(fatesOf({ duplicatesShare: 1, malformedShare: 1 }).duplicate, 0)
})

/** Each kind of malformed message against avro-js, which is not what wrote it or will walk it. */
const holds: Record<RejectionReason, (value: Buffer | null) => boolean> = {
  not_framed: (value) => schemaIdOf(value) === -1,
  unknown_schema: (value) => schemaIdOf(value) === 999,
  malformed: (value) => !decodes(value!),
  trailing_bytes: (value) => !decodes(value!) && decodes(withoutTail(value!)),
  field_invalid: (value) => decodes(value!),
  in_future: (value) => decode(value!).occurredAt > Date.UTC(2090, 0),
  too_old: (value) => decode(value!).occurredAt < Date.UTC(2010, 0),
  too_large: (value) => value!.length > defaultFateSettings.eventBytesMax,
}

function decodes(value: Buffer): boolean {
  try {
    decode(value)
    return schemaIdOf(value) > 0
  } catch {
    return false
  }
}

function withoutTail(value: Buffer): Buffer {
  return value.subarray(0, value.findLastIndex((byte) => byte !== 0x2a) + 1)
}

for (const reason of rejectionReasons) {
  test(`a message spoiled as ${reason} is just that, under both writer schemas`, () => {
    const random = createRandom(11)
    const sample = [...createTraffic({ ...traffic, size: { events: 300 } }).history()]
    sample.forEach((event, index) => {
      const value = spoilFor[reason](event, encoders[index % 2 === 0 ? 1 : 2], random)
      assert.ok(holds[reason](value), `event ${index}: ${value?.toString('hex').slice(0, 400)}`)
    })
  })
}

test('live events happen at the time given, to people of the population', () => {
  const made = createTraffic(traffic)
  const known = new Set([...made.history()].map(({ household }) => household.toString('hex')))
  const random = createRandom(1)
  const live = Array.from({ length: 500 }, (_, index) => made.live(1_800_000_000_000 + index, random))
  assert.deepEqual(
    live.map(({ occurredAt }) => occurredAt),
    live.map((_, index) => 1_800_000_000_000 + index),
  )
  // A household that was never used in these three days may be asked now, so most are known, not all.
  assert.ok(live.filter(({ household }) => known.has(household.toString('hex'))).length > 400)
})
