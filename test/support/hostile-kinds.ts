/**
 * What is hostile about a message, kind by kind: each reason of `fate.ts`, at its bounds and far beyond them, and what looks hostile
 * and must be accepted.
 */
import type { Random } from '../../services/producer/random.ts'
import type { AssistantIntentEvent } from '../../services/shared/domain/event.ts'
import { defaultFateSettings, type RejectionReason } from '../../services/shared/domain/fate.ts'
import { array, framed, piecesOf, text, varint, type Pieces } from './avro-pieces.ts'

export type Fate = 'accepted' | RejectionReason

export interface Draw {
  readonly random: Random
  readonly event: AssistantIntentEvent
  readonly version: 1 | 2
  /** When the record is sent, unless its kind says otherwise. */
  readonly nowMs: number
}

type Made = Buffer | null | { value: Buffer; timestampMs: number }
export type Kind = readonly [kind: string, weight: number, fate: Fate, make: (draw: Draw) => Made]

const { ageMaxMs, futureToleranceMs, eventBytesMax } = defaultFateSettings
const yearOneMs = -62_135_596_800_000
const year9999Ms = 253_402_300_799_999
const longMax = 2n ** 63n - 1n

/** The weights make 100,000 a minute's work at most. */
export const kinds: readonly Kind[] = [
  ['plain', 400, 'accepted', (draw) => valid(draw)],
  ['with a purchase', 60, 'accepted', (draw) => valid(draw, { purchase })],
  ['a purchase of nothing', 10, 'accepted', (draw) => changed(draw, { purchase: bought(0n) })],
  [
    'the longest of every text',
    20,
    'accepted',
    (draw) =>
      valid(draw, {
        ...{ product: 'p'.repeat(32), deviceModel: 'm'.repeat(64), locale: 'l'.repeat(35), appVersion: '~'.repeat(32) },
        ...{
          intent: `${draw.event.intent}_`.padEnd(64, 'i'),
          plans: Array.from({ length: 16 }, (_, i) => `${'p'.repeat(30)}${10 + i}`),
        },
        ...{ purchase: { orderId: '!'.repeat(64), amountMicros: 1, currency: 'ZZZ' }, skillId: '"'.repeat(128) },
      }),
  ],
  [
    'varints longer than they need be',
    40,
    'accepted',
    (draw) =>
      changed(draw, {
        ...{ occurredAt: varint(draw.event.occurredAt, 10), activatedOn: varint(20_000, 10), outcome: varint(0, 10) },
        ...{ intent: text('weather_query', { lengthBytes: 10 }), purchase: varint(0, 10), latencyMs: varint(7, 9) },
      }),
  ],
  [
    'plans in several blocks',
    40,
    'accepted',
    (draw) =>
      changed(draw, {
        plans: array(
          ['music', 'prime', 'security'].map((plan) => text(plan)),
          {
            perBlock: draw.random.integer(1, 3),
            sized: draw.random.chance(0.5),
          },
        ),
      }),
  ],
  ['as early as may be', 10, 'accepted', (draw) => valid(draw, { occurredAt: draw.nowMs - ageMaxMs })],
  ['as late as may be', 10, 'accepted', (draw) => valid(draw, { occurredAt: draw.nowMs + futureToleranceMs })],
  [
    'activated on the first and last day',
    10,
    'accepted',
    (draw) => valid(draw, { activatedOn: pickOne(draw.random, [10_957, 47_481]) }),
  ],

  ['no value', 30, 'not_framed', () => null],
  ['empty', 10, 'not_framed', () => Buffer.alloc(0)],
  ['one byte', 20, 'not_framed', ({ random }) => randomBytes(random, 1)],
  ['shorter than a header', 10, 'not_framed', ({ random }) => Buffer.alloc(random.integer(2, 4))],
  ['wrong magic byte', 30, 'not_framed', (draw) => withByte(valid(draw), 0, draw.random.integer(1, 255))],
  ['text', 10, 'not_framed', ({ event }) => Buffer.from(`{"intent":"${event.intent}"}`)],
  ['unknown schema id', 40, 'unknown_schema', (draw) => withSchema(valid(draw), draw.random.integer(3, 2 ** 31 - 1))],
  [
    'schema id beyond 31 bits',
    5,
    'unknown_schema',
    (draw) => withSchema(valid(draw), 2 ** 32 - draw.random.integer(1, 1_000)),
  ],
  ['schema id 0', 5, 'unknown_schema', (draw) => withSchema(valid(draw), 0)],

  ['a header alone', 10, 'malformed', (draw) => valid(draw).subarray(0, 5)],
  ['cut off', 60, 'malformed', (draw) => cutOff(draw)],
  ['a time of 11 bytes', 10, 'malformed', (draw) => changed(draw, { occurredAt: Buffer.alloc(11, 0xff) })],
  ['a time beyond 64 bits', 10, 'malformed', (draw) => changed(draw, { occurredAt: Buffer.alloc(10, 0xff) })],
  ['a number beyond 32 bits', 10, 'malformed', (draw) => changed(draw, { latencyMs: varint(2n ** 31n) })],
  ['a length of 2^62', 10, 'malformed', (draw) => changed(draw, { intent: varint(2n ** 62n) })],
  ['a negative length', 10, 'malformed', (draw) => changed(draw, { intent: varint(-3) })],
  [
    '2^62 plans',
    10,
    'malformed',
    (draw) => changed(draw, { plans: varint(pickOne(draw.random, [2n ** 62n, -(2n ** 62n)])) }),
  ],
  [
    'a block with a wrong size',
    10,
    'malformed',
    (draw) => changed(draw, { plans: Buffer.concat([varint(-1), varint(99), text('prime'), varint(0)]) }),
  ],
  [
    'an outcome that is none',
    10,
    'malformed',
    (draw) => changed(draw, { outcome: varint(pickOne(draw.random, [4, -1, longMax])) }),
  ],
  [
    'a purchase that is none',
    10,
    'malformed',
    (draw) => changed(draw, { purchase: varint(pickOne(draw.random, [2, -1, longMax])) }),
  ],
  [
    'bytes after the end',
    30,
    'trailing_bytes',
    (draw) => Buffer.concat([valid(draw), randomBytes(draw.random, draw.random.integer(1, 40))]),
  ],
  ['exactly as large as may be', 1, 'trailing_bytes', (draw) => padded(valid(draw), eventBytesMax)],
  ['one byte too large', 1, 'too_large', (draw) => padded(valid(draw), eventBytesMax + 1)],
  ['half a megabyte of nothing', 0.3, 'too_large', () => Buffer.alloc(500_000)],

  [
    'invalid UTF-8',
    40,
    'field_invalid',
    (draw) => changed(draw, { [pickOne(draw.random, textFields)]: text(Buffer.from([0x45, 0xc3, 0x28])) }),
  ],
  [
    'a letter outside its alphabet',
    30,
    'field_invalid',
    (draw) => valid(draw, { intent: pickOne(draw.random, ['Weather', 'a b', 'wetter_ä', "';DROP", 'a\u0000']) }),
  ],
  [
    'text too short or too long',
    30,
    'field_invalid',
    (draw) =>
      valid(draw, {
        [pickOne(draw.random, ['product', 'intent', 'locale', 'appVersion'])]: pickOne(draw.random, [
          '',
          'x'.repeat(65),
        ]),
      }),
  ],
  [
    'plans out of order, twice or too many',
    30,
    'field_invalid',
    (draw) =>
      valid(draw, {
        plans: pickOne(draw.random, [
          ['prime', 'music'],
          ['prime', 'prime'],
          Array.from({ length: 17 }, (_, index) => `p${10 + index}`),
          [''],
        ]),
      }),
  ],
  [
    'in year 1 or 9999',
    40,
    'field_invalid',
    (draw) => valid(draw, { occurredAt: pickOne(draw.random, [yearOneMs, year9999Ms, 0]) }),
  ],
  [
    'at the ends of 64 bits',
    20,
    'field_invalid',
    (draw) => changed(draw, { occurredAt: varint(pickOne(draw.random, [longMax, -longMax - 1n, 2n ** 53n])) }),
  ],
  [
    'activated in year 1 or 9999',
    20,
    'field_invalid',
    (draw) => valid(draw, { activatedOn: pickOne(draw.random, [-719_162, 2_932_896, 10_956, 47_482]) }),
  ],
  [
    'a negative amount',
    30,
    'field_invalid',
    (draw) =>
      changed(draw, { purchase: bought(pickOne(draw.random, [-1n, -1_000_000n, -longMax, longMax, 10n ** 15n + 1n])) }),
  ],
  [
    'a negative latency',
    10,
    'field_invalid',
    (draw) => valid(draw, { latencyMs: pickOne(draw.random, [-1, -(2 ** 31), 86_400_001]) }),
  ],

  ['a millisecond too early', 10, 'too_old', (draw) => valid(draw, { occurredAt: draw.nowMs - ageMaxMs - 1 })],
  [
    'a millisecond too late',
    10,
    'in_future',
    (draw) => valid(draw, { occurredAt: draw.nowMs + futureToleranceMs + 1 }),
  ],
  ['sent in 1970', 10, 'in_future', (draw) => ({ value: valid(draw), timestampMs: pickOne(draw.random, [0, 1]) })],
  ['sent in 9999', 10, 'too_old', (draw) => ({ value: valid(draw), timestampMs: year9999Ms })],
]

/** The event with some of its fields' bytes replaced. */
function changed({ event, version }: Draw, over: Pieces, eventOver: Partial<AssistantIntentEvent> = {}): Buffer {
  return framed({ ...piecesOf({ ...event, ...eventOver }, version), ...over }, version)
}

function valid(draw: Draw, over: Partial<AssistantIntentEvent> = {}): Buffer {
  return changed(draw, {}, over)
}

const purchase = { orderId: 'order-1', amountMicros: 1_990_000, currency: 'EUR' }
const bought = (amountMicros: bigint) => Buffer.concat([varint(1), text('order-1'), varint(amountMicros), text('EUR')])
const textFields = ['product', 'deviceModel', 'country', 'locale', 'intent', 'appVersion'] as const

function cutOff(draw: Draw): Buffer {
  const value = valid(draw)
  return value.subarray(0, draw.random.integer(5, value.length - 1))
}

function withByte(value: Buffer, at: number, byte: number): Buffer {
  value[at] = byte
  return value
}

function withSchema(value: Buffer, id: number): Buffer {
  value.writeUInt32BE(id, 1)
  return value
}

function padded(value: Buffer, size: number): Buffer {
  return Buffer.concat([value, Buffer.alloc(size - value.length, 0x2a)])
}

export function pickOne<T>(random: Random, choices: readonly T[]): T {
  return choices[random.integer(0, choices.length - 1)]!
}

export function randomBytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.integer(0, 255)))
}
