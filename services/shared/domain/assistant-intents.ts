import { intentFields } from './assistant-intents-fields.ts'
import { createIntentJudge } from './assistant-intents-judge.ts'
import type { StreamDefinition } from './stream.ts'

/**
 * The stream of requests to assistants: classed by the taxonomy, stored in `intent_events`.
 * Delivery: exactly once, see `services/shared/pipeline/settle.ts`.
 */
export const assistantIntents: StreamDefinition = {
  name: 'assistant-intents',
  group: 'intent-ledger-classifier',
  isClassed: true,
  ageMaxMs: 400 * 86_400_000,
  subject: 'assistant-intents-value',
  fields: intentFields,
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
  createJudge: createIntentJudge,
}
