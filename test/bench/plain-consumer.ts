/**
 * The plain way, as a competent developer would write it in an afternoon: kafkajs eachBatch, avro-js, zod, the taxonomy in
 * plain code with its answers kept, @clickhouse/client with JSONEachRow, one insert a batch, offsets committed after it.
 *
 * It applies the same rules to one event. It keeps no ledger, stores no rejected or duplicate rows, and after a crash or
 * a time-out stores a batch twice.
 */
import { createClient } from '@clickhouse/client'
import kafkajs from 'kafkajs'
import { z } from 'zod'

import { alphabetPatterns } from '../../services/shared/domain/alphabet.ts'
import { numberBounds, plansMax, textBounds } from '../../services/shared/domain/event.ts'
import { defaultFateSettings } from '../../services/shared/domain/fate.ts'
import { classify, outcomes, type Verdict } from '../../services/shared/domain/taxonomy.ts'
import { loadTaxonomy } from '../../services/shared/io/taxonomy-file.ts'
import { createStopwatch } from './contender.ts'
import { rivalUser } from './engine-server.ts'
import { loadWriterTypes } from './writer-types.ts'

const env = z
  .object({
    KAFKA_BROKERS: z.string(),
    KAFKA_TOPIC: z.string(),
    KAFKA_GROUP: z.string(),
    CLICKHOUSE_URL: z.string(),
    CLICKHOUSE_PASSWORD: z.string(),
    CLICKHOUSE_DATABASE: z.string(),
    BENCH_TOPIC_ID: z.uuid(),
  })
  .parse(process.env)

const text = (bounds: (typeof textBounds)[keyof typeof textBounds]) =>
  z.string().min(bounds.min).max(bounds.max).regex(alphabetPatterns[bounds.alphabet])
const whole = (bounds: { min: number; max: number }) => z.number().int().min(bounds.min).max(bounds.max)

const eventFormat = z.object({
  eventId: z.instanceof(Buffer),
  occurredAt: whole(numberBounds.occurredAt),
  device: z.instanceof(Buffer),
  household: z.instanceof(Buffer),
  product: text(textBounds.product),
  deviceModel: text(textBounds.deviceModel),
  activatedOn: whole(numberBounds.activatedOn),
  country: text(textBounds.country),
  locale: text(textBounds.locale),
  plans: z
    .array(text(textBounds.plan))
    .max(plansMax)
    .refine((plans) => plans.every((plan, index) => index === 0 || plans[index - 1]! < plan)),
  intent: text(textBounds.intent),
  outcome: z.enum(outcomes),
  latencyMs: whole(numberBounds.latencyMs),
  purchase: z
    .object({
      'intentledger.Purchase': z.object({
        orderId: text(textBounds.orderId),
        amountMicros: whole(numberBounds.amountMicros),
        currency: text(textBounds.currency),
      }),
    })
    .nullable(),
  appVersion: text(textBounds.appVersion),
  skillId: z.object({ string: text(textBounds.skillId) }).nullish(),
})
type Event = z.infer<typeof eventFormat>

const types = await loadWriterTypes()

/** The event of a message, or undefined for one that is none. */
function decode(value: Buffer | null, recordedAt: number): Event | undefined {
  if (value === null || value.length < 5 || value.length > defaultFateSettings.eventBytesMax || value[0] !== 0) {
    return undefined
  }
  const type = types.get(value.readUInt32BE(1))
  if (type === undefined) {
    return undefined
  }
  let decoded: unknown
  try {
    decoded = type.fromBuffer(value.subarray(5))
  } catch {
    return undefined
  }
  const event = eventFormat.safeParse(decoded).data
  return event === undefined ||
    event.occurredAt > recordedAt + defaultFateSettings.futureToleranceMs ||
    event.occurredAt < recordedAt - defaultFateSettings.ageMaxMs
    ? undefined
    : event
}

const { taxonomy } = loadTaxonomy(1)
const verdicts = new Map<string, Verdict>()

function verdictOf(event: Event): Verdict {
  const hasPurchase = event.purchase !== null
  const key = `${event.intent} ${event.outcome} ${event.plans.join(',')} ${hasPurchase}`
  let verdict = verdicts.get(key)
  if (verdict === undefined) {
    verdict = classify(taxonomy, { ...event, hasPurchase })
    verdicts.set(key, verdict)
  }
  return verdict
}

const day = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10)

function toRow(event: Event, place: { partition: number; offset: string; recordedAt: number }) {
  const { valueClass, ruleId } = verdictOf(event)
  const purchase = event.purchase?.['intentledger.Purchase']
  return {
    event_id_hex: event.eventId.toString('hex'),
    occurred_at: event.occurredAt,
    device: event.device.readBigUInt64LE().toString(),
    household: event.household.readBigUInt64LE().toString(),
    product: event.product,
    device_model: event.deviceModel,
    activated_on: day(event.activatedOn),
    country: event.country,
    locale: event.locale,
    plans: event.plans.join(','),
    intent: event.intent,
    outcome: event.outcome,
    latency_ms: event.latencyMs,
    order_id: purchase?.orderId ?? '',
    amount_micros: purchase?.amountMicros ?? 0,
    currency: purchase?.currency ?? '',
    app_version: event.appVersion,
    skill_id: event.skillId?.string ?? '',
    value_class: valueClass,
    rule_id: ruleId,
    taxonomy_version: taxonomy.version,
    topic_id: env.BENCH_TOPIC_ID,
    partition: place.partition,
    kafka_offset: place.offset,
    recorded_at: place.recordedAt,
  }
}
type Row = ReturnType<typeof toRow>

const clickHouse = createClient({
  url: env.CLICKHOUSE_URL,
  username: rivalUser,
  password: env.CLICKHOUSE_PASSWORD,
  database: env.CLICKHOUSE_DATABASE,
})
// JSON holds no raw bytes: the id travels as hex in a column that is not stored. One statement, before the join.
await clickHouse.command({
  query: `ALTER TABLE intent_events ADD COLUMN event_id_hex String EPHEMERAL,
          MODIFY COLUMN event_id FixedString(16) DEFAULT toFixedString(unhex(event_id_hex), 16)`,
})

const stopwatch = createStopwatch()
const messages = Number(process.argv[2])
let stored = 0
const drained = Promise.withResolvers<void>()

const kafka = new kafkajs.Kafka({
  brokers: env.KAFKA_BROKERS.split(','),
  clientId: 'plain',
  logLevel: kafkajs.logLevel.ERROR,
})
// The same fetch sizes as ours.
const consumer = kafka.consumer({
  groupId: env.KAFKA_GROUP,
  minBytes: 1_048_576,
  maxBytesPerPartition: 4 * 1_048_576,
  maxBytes: 16 * 1_048_576,
  maxWaitTimeInMs: 200,
})
consumer.on(consumer.events.GROUP_JOIN, () => stopwatch.joined())
consumer.on(consumer.events.CRASH, ({ payload }) => drained.reject(payload.error))
await consumer.connect()
await consumer.subscribe({ topics: [env.KAFKA_TOPIC], fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: true,
  partitionsConsumedConcurrently: 2,
  async eachBatch(payload) {
    const { batch } = payload
    const rows: Row[] = []
    for (const message of batch.messages) {
      const recordedAt = Number(message.timestamp)
      const event = decode(message.value, recordedAt)
      if (event !== undefined) {
        rows.push(toRow(event, { partition: batch.partition, offset: message.offset, recordedAt }))
      }
    }
    if (rows.length > 0) {
      const columns = Object.keys(rows[0]!) as [string, ...string[]]
      await clickHouse.insert({ table: 'intent_events', values: rows, format: 'JSONEachRow', columns })
    }
    const offset = String(Number(batch.lastOffset()) + 1)
    await payload.commitOffsetsIfNecessary({
      topics: [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset }] }],
    })
    await payload.heartbeat()
    stored += batch.messages.length
    if (stored >= messages) {
      stopwatch.stored()
      drained.resolve()
    }
  },
})
await drained.promise
await consumer.disconnect()
await clickHouse.close()
stopwatch.print(stored)
