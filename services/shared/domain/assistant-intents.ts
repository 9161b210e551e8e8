import { intentFields } from './assistant-intents-fields.ts'
import { createIntentJudge } from './assistant-intents-judge.ts'
import { defaultFateSettings } from './fate.ts'
import * as columns from './stream-columns.ts'
import type { StreamDefinition } from './stream.ts'

/**
 * The stream of requests to assistants: classed by the taxonomy, stored in `intent_events`.
 * Delivery: exactly once, see `services/shared/pipeline/settle.ts`.
 */
export const assistantIntents: StreamDefinition = {
  name: 'assistant-intents',
  group: 'intent-ledger-classifier',
  isClassed: true,
  ageMaxMs: defaultFateSettings.ageMaxMs,
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
  columns: [
    ...columns.eventColumns,
    columns.pseudonym('device'),
    columns.pseudonym('household'),
    columns.text('product'),
    columns.text('device_model', 'deviceModel'),
    columns.day('activated_on', 'activatedOn'),
    columns.text('country'),
    columns.text('locale'),
    columns.text('plans', 'planSet'),
    columns.text('intent'),
    { column: 'outcome', from: 'outcomeIndex', type: 'Int8' },
    { column: 'latency_ms', from: 'latencyMs', type: 'Int32', sql: 'toUInt32(latencyMs)' },
    columns.text('order_id', 'orderId'),
    columns.micros('amount_micros', 'amountMicros'),
    columns.text('currency'),
    columns.text('app_version', 'appVersion'),
    columns.text('skill_id', 'skill'),
    { column: 'value_class', from: 'valueClass', type: 'Int8' },
    columns.text('rule_id', 'ruleId'),
  ],
  createJudge: createIntentJudge,
}
