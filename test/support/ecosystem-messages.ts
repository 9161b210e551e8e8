/** Messages of the streams of orders, devices and experiments, drawn so that the fate of each is known from how it was made. */
import { readFileSync } from 'node:fs'

import avro from 'avro-js'

import { createRandom, type Random } from '../../services/producer/random.ts'
import { deviceActivations } from '../../services/shared/domain/device-activations.ts'
import { ecosystemOrders } from '../../services/shared/domain/ecosystem-orders.ts'
import { experimentArms } from '../../services/shared/domain/experiment-arms.ts'
import type { StreamDefinition } from '../../services/shared/domain/stream.ts'
import { frame } from '../../services/shared/domain/wire.ts'

type Fields = Record<string, unknown>

export interface EcosystemStream {
  readonly stream: StreamDefinition
  /** SELECT list that gives a row of the stream's table as `lineOf` gives it of the event. */
  readonly columns: string
  encode(event: Fields): Buffer
  event(random: Random): Fields
  lineOf(event: Fields): string
  /** Values that put one field out of its bounds. */
  readonly outOfBounds: readonly { readonly field: string; readonly over: Fields }[]
}

export interface DrawnMessage {
  readonly value: Buffer
  readonly fate: 'accepted' | 'duplicate' | 'rejected'
  /** What the row holds besides its place: the event's line, its id in hex, or reason and detail. */
  readonly line: string
}

const dayMs = 86_400_000
const below = (random: Random, end: number) => random.integer(0, end - 1)
const encoderOf = (schemaId: number, file: string) => {
  const type = avro.parse(JSON.parse(readFileSync(new URL(`../../schemas/${file}`, import.meta.url), 'utf8')))
  return (event: Fields) => frame(schemaId, type.toBuffer(event))
}
const bytes = (random: Random, size: number) => Buffer.from(Array.from({ length: size }, () => below(random, 256)))
const hex = (value: unknown) => (value as Buffer).toString('hex').toUpperCase()
const idColumn = 'hex(event_id)'
const numberColumn = (name: string) => `hex(reinterpretAsString(${name}))`
/** ClickHouse cuts trailing zero bytes off a number that it shows as a string. */
const hexOfNumber = (value: unknown) => hex(value).replace(/(00)+$/, '')
const timeColumn = 'toUnixTimestamp64Milli(occurred_at)'
const dayColumn = (name: string) => `toRelativeDayNum(${name})`

/** Ten years back: what comes from systems of record is that old. */
const someTime = (random: Random) => Date.now() - below(random, 3_650) * dayMs - below(random, dayMs)
const someDay = (random: Random) => 16_000 + below(random, 4_000)
const someMicros = (random: Random) => below(random, 1_000_000_000)
const products = ['echo', 'kindle', 'fire_tv', 'ring']

const orders: EcosystemStream = {
  stream: ecosystemOrders,
  columns: [
    ...[idColumn, timeColumn, numberColumn('household'), 'order_id', 'line', 'revenue_micros', 'margin_micros'],
    ...['currency', "arrayStringConcat(claim_products, ',')", "arrayStringConcat(claim_grounds, ',')"],
    "arrayStringConcat(arrayMap(t -> toString(toUnixTimestamp64Milli(t)), claim_touched_at), ',')",
  ].join(', '),
  encode: encoderOf(3, 'ecosystem-order/v1.avsc'),
  event: (random) => ({
    ...{ eventId: bytes(random, 16), occurredAt: someTime(random), household: bytes(random, 8) },
    ...{ orderId: `o-${below(random, 1e9)}`, line: below(random, 2) === 0 ? 'retail' : 'e_books' },
    ...{ revenueMicros: someMicros(random) - 5e8, marginMicros: someMicros(random) - 5e8, currency: 'USD' },
    claims: Array.from({ length: below(random, 4) === 0 ? below(random, 17) : below(random, 3) }, () => ({
      ...{ product: products[below(random, 4)], ground: 'owned', touchedAt: someTime(random) },
    })),
  }),
  lineOf: (event) => {
    const claims = event['claims'] as { product: string; ground: string; touchedAt: number }[]
    return [
      ...[hex(event['eventId']), event['occurredAt'], hexOfNumber(event['household']), event['orderId'], event['line']],
      ...[event['revenueMicros'], event['marginMicros'], event['currency']],
      ...(['product', 'ground', 'touchedAt'] as const).map((name) => claims.map((claim) => claim[name]).join(',')),
    ].join('|')
  },
  outOfBounds: [
    { field: 'orderId', over: { orderId: '' } },
    { field: 'line', over: { line: 'E Books' } },
    { field: 'currency', over: { currency: 'usd' } },
    { field: 'revenueMicros', over: { revenueMicros: -1_000_000_000_000_001 } },
    { field: 'marginMicros', over: { marginMicros: 1_000_000_000_000_001 } },
    { field: 'claims', over: { claims: Array(17).fill({ product: 'echo', ground: 'owned', touchedAt: Date.now() }) } },
    { field: 'claims', over: { claims: [{ product: 'Echo', ground: 'owned', touchedAt: Date.now() }] } },
    { field: 'claims', over: { claims: [{ product: 'echo', ground: 'owned', touchedAt: 1 }] } },
  ],
}

const devices: EcosystemStream = {
  stream: deviceActivations,
  columns: [
    ...[idColumn, timeColumn, numberColumn('device'), numberColumn('household'), 'product', 'device_model', 'country'],
    ...[dayColumn('activated_on'), 'price_paid_micros', 'cost_of_goods_micros', 'currency', 'returned'],
  ].join(', '),
  encode: encoderOf(4, 'device-activation/v1.avsc'),
  event: (random) => ({
    ...{ eventId: bytes(random, 16), occurredAt: someTime(random), device: bytes(random, 8) },
    ...{ household: bytes(random, 8), product: products[below(random, 4)], deviceModel: 'echo_dot_3', country: 'US' },
    ...{ activatedOn: someDay(random), pricePaidMicros: someMicros(random), costOfGoodsMicros: someMicros(random) },
    ...{ currency: 'USD', returned: below(random, 5) === 0 },
  }),
  lineOf: (event) =>
    [
      ...[hex(event['eventId']), event['occurredAt'], hexOfNumber(event['device']), hexOfNumber(event['household'])],
      ...['product', 'deviceModel', 'country', 'activatedOn', 'pricePaidMicros', 'costOfGoodsMicros', 'currency'].map(
        (name) => event[name],
      ),
      String(event['returned']),
    ].join('|'),
  outOfBounds: [
    { field: 'product', over: { product: '' } },
    { field: 'country', over: { country: 'USA' } },
    { field: 'activatedOn', over: { activatedOn: 1 } },
    { field: 'pricePaidMicros', over: { pricePaidMicros: -1 } },
    { field: 'costOfGoodsMicros', over: { costOfGoodsMicros: -1 } },
  ],
}

const arms: EcosystemStream = {
  stream: experimentArms,
  columns: [
    ...[idColumn, timeColumn, numberColumn('household'), 'experiment', 'product', 'toString(arm)', 'share_millionths'],
    ...[dayColumn('from_day'), dayColumn('to_day')],
  ].join(', '),
  encode: encoderOf(5, 'experiment-arm/v1.avsc'),
  event: (random) => ({
    ...{ eventId: bytes(random, 16), occurredAt: someTime(random), household: bytes(random, 8) },
    ...{ experiment: 'kindle_holdout', product: 'kindle', arm: below(random, 20) === 0 ? 'holdout' : 'treatment' },
    ...{ shareMillionths: 950_000, fromDay: someDay(random), toDay: someDay(random) },
  }),
  lineOf: (event) =>
    [
      ...[hex(event['eventId']), event['occurredAt'], hexOfNumber(event['household'])],
      ...['experiment', 'product', 'arm', 'shareMillionths', 'fromDay', 'toDay'].map((name) => event[name]),
    ].join('|'),
  outOfBounds: [
    { field: 'arm', over: { arm: 'control' } },
    { field: 'shareMillionths', over: { shareMillionths: 1_000_001 } },
    { field: 'toDay', over: { toDay: 60_000 } },
  ],
}

export const ecosystemStreams: readonly EcosystemStream[] = [orders, devices, arms]

/** So many messages: one in ten a second copy, one in ten out of bounds, one in ten no event at all. */
export function drawMessages(kind: EcosystemStream, count: number, seed = 1): DrawnMessage[] {
  const { stream, outOfBounds } = kind
  const encode = (event: Fields) => kind.encode(event)
  const random = createRandom(seed)
  const sent: { value: Buffer; id: string }[] = []
  const rejected = (value: Buffer, line: string): DrawnMessage => ({ value, fate: 'rejected', line })
  return Array.from({ length: count }, (_, index): DrawnMessage => {
    const drawn = kind.event(random)
    const value = encode(drawn)
    const id = hex(drawn['eventId'])
    switch (index % 10) {
      case 3: {
        const spoilt = outOfBounds[below(random, outOfBounds.length)]!
        return rejected(encode({ ...drawn, ...spoilt.over }), `field_invalid|${spoilt.field}`)
      }
      case 5:
        return spoil(below(random, 6))
      case 8: {
        const copy = sent[below(random, sent.length)]!
        return { value: copy.value, fate: 'duplicate', line: copy.id }
      }
      default:
        sent.push({ value, id })
        return { value, fate: 'accepted', line: kind.lineOf(drawn) }
    }

    function spoil(kind: number): DrawnMessage {
      const schemaId = value.readUInt32BE(1)
      switch (kind) {
        case 0:
          return rejected(Buffer.concat([value, Buffer.alloc(3)]), 'trailing_bytes|3 bytes')
        case 1:
          return rejected(value.subarray(0, value.length - 2), `malformed|schema ${schemaId}`)
        case 2:
          return rejected(frame(99, value.subarray(5)), 'unknown_schema|id 99 is not registered')
        case 3:
          return rejected(encode({ ...drawn, occurredAt: Date.now() + 7_200_000 }), `in_future|occurredAt`)
        case 4:
          return rejected(encode({ ...drawn, occurredAt: Date.now() - stream.ageMaxMs - dayMs }), 'too_old|occurredAt')
        default:
          return rejected(Buffer.from('{}'), 'not_framed|2 bytes')
      }
    }
  })
}
