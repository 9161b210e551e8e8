import { intentColumns, intentFields } from './assistant-intents-fields.ts'
import { createIntentJudge } from './assistant-intents-judge.ts'
import { defaultFateSettings } from './fate.ts'
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
  table: 'intent_events',
  columns: intentColumns,
  createJudge: createIntentJudge,
}
