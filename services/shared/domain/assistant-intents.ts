import type { SchemaNode } from './avro-schema.ts'
import { createByteSink, type ByteSink } from './byte-sink.ts'
import { alphabetPatterns, numberBounds, plansMax, textBounds, type Alphabet } from './event.ts'
import { createSpanCache } from './span-cache.ts'
import type { Judge, JudgeOptions, StreamDefinition, StreamField } from './stream.ts'
import { classify, outcomes, valueClasses, type Outcome } from './taxonomy.ts'
import { readVarint } from './walker.ts'

const text = (path: string, required = true): StreamField => ({ path, kinds: ['string'], required })
const number = (path: string, required = true): StreamField => ({ path, kinds: ['int', 'long'], required })
const fixed = (path: string, size: number): StreamField => ({ path, kinds: ['fixed'], size, required: true })

const fields = [
  fixed('eventId', 16),
  number('occurredAt'),
  fixed('device', 8),
  fixed('household', 8),
  text('product'),
  text('deviceModel'),
  number('activatedOn'),
  text('country'),
  text('locale'),
  { path: 'plans', kinds: ['array'], required: true },
  text('intent'),
  { path: 'outcome', kinds: ['enum'], required: true },
  number('latencyMs'),
  text('purchase.orderId', false),
  number('purchase.amountMicros', false),
  text('purchase.currency', false),
  text('appVersion'),
  text('skillId', false),
] as const satisfies readonly StreamField[]

type FieldPath = (typeof fields)[number]['path']
const slotOf = (path: FieldPath): number => fields.findIndex((field) => field.path === path) * 2

/**
 * The stream of requests to assistants: classed by the taxonomy, stored in `intent_events`.
 * Delivery: exactly once, see `services/shared/pipeline/settle.ts`.
 */
export const assistantIntents: StreamDefinition = {
  name: 'assistant-intents',
  subject: 'assistant-intents-value',
  fields,
  idField: 'eventId',
  timeField: 'occurredAt',
  appended: [
    { name: 'valueClass', type: 'int' },
    { name: 'ruleId', type: 'string' },
    { name: 'planSet', type: 'string' },
    { name: 'outcomeIndex', type: 'int' },
    { name: 'orderId', type: 'string' },
    { name: 'amountMicros', type: 'long' },
    { name: 'currency', type: 'string' },
    { name: 'skill', type: 'string' },
  ],
  table: 'intent_events',
  // String, not LowCardinality, in the structure: ClickHouse reads it twice as fast and casts whole columns.
  columns: [
    { column: 'event_id', from: 'eventId', type: 'FixedString(16)' },
    { column: 'occurred_at', from: 'occurredAt', type: 'Int64', sql: "fromUnixTimestamp64Milli(occurredAt, 'UTC')" },
    { column: 'device', from: 'device', type: 'FixedString(8)', sql: 'reinterpretAsUInt64(device)' },
    { column: 'household', from: 'household', type: 'FixedString(8)', sql: 'reinterpretAsUInt64(household)' },
    { column: 'product', from: 'product', type: 'String' },
    { column: 'device_model', from: 'deviceModel', type: 'String' },
    { column: 'activated_on', from: 'activatedOn', type: 'Int32', sql: 'toDate(activatedOn)' },
    { column: 'country', from: 'country', type: 'String' },
    { column: 'locale', from: 'locale', type: 'String' },
    { column: 'plans', from: 'planSet', type: 'String' },
    { column: 'intent', from: 'intent', type: 'String' },
    { column: 'outcome', from: 'outcomeIndex', type: 'Int8' },
    { column: 'latency_ms', from: 'latencyMs', type: 'Int32', sql: 'toUInt32(latencyMs)' },
    { column: 'order_id', from: 'orderId', type: 'String' },
    { column: 'amount_micros', from: 'amountMicros', type: 'Int64' },
    { column: 'currency', from: 'currency', type: 'String' },
    { column: 'app_version', from: 'appVersion', type: 'String' },
    { column: 'skill_id', from: 'skill', type: 'String' },
    { column: 'value_class', from: 'valueClass', type: 'Int8' },
    { column: 'rule_id', from: 'ruleId', type: 'String' },
  ],
  createJudge,
}

const alphabetBits: Record<Alphabet, number> = { identifier: 1, upper: 2, tag: 4, printable: 8 }

/** For each byte, the alphabets it belongs to; a byte over 127 belongs to none. */
const alphabetTable = new Uint8Array(256)
for (const [alphabet, bit] of Object.entries(alphabetBits)) {
  for (let byte = 0; byte < 128; byte++) {
    if (alphabetPatterns[alphabet as Alphabet].test(String.fromCharCode(byte))) {
      alphabetTable[byte]! |= bit
    }
  }
}

const textChecks = (
  [
    ['product', textBounds.product],
    ['deviceModel', textBounds.deviceModel],
    ['country', textBounds.country],
    ['locale', textBounds.locale],
    ['intent', textBounds.intent],
    ['purchase.orderId', textBounds.orderId],
    ['purchase.currency', textBounds.currency],
    ['appVersion', textBounds.appVersion],
    ['skillId', textBounds.skillId],
  ] as const
).map(([path, { min, max, alphabet }]) => ({ slot: slotOf(path), min, max, bit: alphabetBits[alphabet] }))

const numberChecks = (
  [
    ['occurredAt', numberBounds.occurredAt],
    ['activatedOn', numberBounds.activatedOn],
    ['latencyMs', numberBounds.latencyMs],
    ['purchase.amountMicros', numberBounds.amountMicros],
  ] as const
).map(([path, { min, max }]) => ({ slot: slotOf(path), min, max }))

const slots = {
  plans: slotOf('plans'),
  intent: slotOf('intent'),
  outcome: slotOf('outcome'),
  orderId: slotOf('purchase.orderId'),
  amountMicros: slotOf('purchase.amountMicros'),
  currency: slotOf('purchase.currency'),
  skillId: slotOf('skillId'),
}

interface PlanSet {
  readonly plans: readonly string[]
  readonly valid: boolean
  readonly number: number
}

function createJudge(options: JudgeOptions): Judge {
  const writerOutcomes = outcomesOf(options.nodeOf('outcome'))
  const latin = new TextDecoder('latin1')
  let planSetsMade = 0
  const planSets = createSpanCache<PlanSet>((span) => {
    const plans = readPlans(span, latin)
    return { plans, valid: plansAreValid(plans), number: planSetsMade++ }
  }, 1_024)
  // The answers of one intent, by plan set, outcome and purchase: the bytes of valueClass, ruleId and planSet, ready to copy.
  const intents = createSpanCache(
    (span) => ({ name: latin.decode(span), verdicts: new Map<number, Uint8Array>() }),
    4_096,
  )

  function verdictBytes(intent: string, planSet: PlanSet, outcome: Outcome, hasPurchase: boolean): Uint8Array {
    const verdict = classify(options.taxonomy, { intent, outcome, plans: planSet.plans, hasPurchase })
    const encode = new TextEncoder()
    const sink = createByteSink(128)
    sink.long(valueClasses[verdict.valueClass])
    for (const part of [verdict.ruleId, planSet.plans.join(',')]) {
      const bytes = encode.encode(part)
      sink.sized(bytes, 0, bytes.length)
    }
    sink.long(outcomes.indexOf(outcome))
    return sink.view().slice()
  }

  return {
    invalidField(body, at) {
      for (let index = 0; index < textChecks.length; index++) {
        const { slot, min, max, bit } = textChecks[index]!
        const start = at[slot]!
        if (start < 0) {
          continue
        }
        const end = at[slot + 1]!
        if (end - start < min || end - start > max) {
          return slot >> 1
        }
        for (let position = start; position < end; position++) {
          if ((alphabetTable[body[position]!]! & bit) === 0) {
            return slot >> 1
          }
        }
      }
      for (let index = 0; index < numberChecks.length; index++) {
        const { slot, min, max } = numberChecks[index]!
        if (at[slot]! >= 0) {
          const value = readVarint(body, at[slot]!)
          if (value < min || value > max) {
            return slot >> 1
          }
        }
      }
      if (writerOutcomes[readVarint(body, at[slots.outcome]!)] === undefined) {
        return slots.outcome >> 1
      }
      return planSets.get(body, at[slots.plans]!, at[slots.plans + 1]!).valid ? -1 : slots.plans >> 1
    },
    append(body, at, sink) {
      const planSet = planSets.get(body, at[slots.plans]!, at[slots.plans + 1]!)
      const intent = intents.get(body, at[slots.intent]!, at[slots.intent + 1]!)
      const outcomeIndex = readVarint(body, at[slots.outcome]!)
      const hasPurchase = at[slots.orderId]! >= 0
      const key = (planSet.number * 16 + outcomeIndex) * 2 + (hasPurchase ? 1 : 0)
      let bytes = intent.verdicts.get(key)
      if (bytes === undefined) {
        bytes = verdictBytes(intent.name, planSet, writerOutcomes[outcomeIndex]!, hasPurchase)
        if (intent.verdicts.size > 4_096) {
          intent.verdicts.clear()
        }
        intent.verdicts.set(key, bytes)
      }
      sink.raw(bytes, 0, bytes.length)
      appendPurchase(body, at, sink)
      appendText(body, at, slots.skillId, sink)
    },
  }
}

/** Order id, amount and currency; empty, 0 and empty where there is no purchase. */
function appendPurchase(body: Uint8Array, at: Int32Array, sink: ByteSink): void {
  appendText(body, at, slots.orderId, sink)
  if (at[slots.amountMicros]! >= 0) {
    sink.raw(body, at[slots.amountMicros]!, at[slots.amountMicros + 1]!)
  } else {
    sink.long(0)
  }
  appendText(body, at, slots.currency, sink)
}

function appendText(body: Uint8Array, at: Int32Array, slot: number, sink: ByteSink): void {
  if (at[slot]! >= 0) {
    sink.sized(body, at[slot]!, at[slot + 1]!)
  } else {
    sink.long(0)
  }
}

/** The outcomes by the writer's own symbol order; a symbol we do not know is undefined, and its events are rejected. */
function outcomesOf(node: SchemaNode | undefined): (Outcome | undefined)[] {
  const symbols = node?.kind === 'enum' ? node.symbols : []
  return symbols.slice(0, 16).map((symbol) => outcomes.find((outcome) => outcome === symbol))
}

/** The texts of an Avro array of strings whose bytes a walk has proved. */
function readPlans(span: Uint8Array, latin: TextDecoder): string[] {
  const plans: string[] = []
  let position = 0
  const next = (): number => {
    const value = readVarint(span, position)
    while (span[position]! >= 0x80) {
      position += 1
    }
    position += 1
    return value
  }
  for (let count = next(); count !== 0; count = next()) {
    if (count < 0) {
      count = -count
      next()
    }
    for (; count > 0; count--) {
      const size = next()
      plans.push(latin.decode(span.subarray(position, position + size)))
      position += size
    }
  }
  return plans
}

function plansAreValid(plans: readonly string[]): boolean {
  const { min, max, alphabet } = textBounds.plan
  return (
    plans.length <= plansMax &&
    plans.every(
      (plan, index) =>
        plan.length >= min &&
        plan.length <= max &&
        alphabetPatterns[alphabet].test(plan) &&
        (index === 0 || plans[index - 1]! < plan),
    )
  )
}
