/** The statements of the Kafka engine contenders: a table that reads the topic, and the view that classes and stores. */
import { defaultFateSettings } from '../../services/shared/domain/fate.ts'
import { loadTaxonomy } from '../../services/shared/io/taxonomy-file.ts'
import { ruleNumberSql, verdictSql, withinBoundsSql } from './taxonomy-sql.ts'

export type EngineFormat = 'avro' | 'json'

export interface EngineSource {
  readonly database: string
  readonly format: EngineFormat
  readonly brokers: string
  readonly topic: string
  readonly topicId: string
  readonly group: string
  readonly registryUrl: string
}

/** The event's fields by their names in the schema. String, not LowCardinality: ClickHouse fills it twice as fast. */
const fields: readonly [name: string, avroType: string, jsonType?: string][] = [
  ['eventId', 'FixedString(16)', 'String'],
  ['occurredAt', 'Int64'],
  ['device', 'FixedString(8)', 'String'],
  ['household', 'FixedString(8)', 'String'],
  ['product', 'String'],
  ['deviceModel', 'String'],
  ['activatedOn', 'Int32'],
  ['country', 'String'],
  ['locale', 'String'],
  ['plans', 'Array(String)'],
  ['intent', 'String'],
  ['outcome', 'String'],
  ['latencyMs', 'Int32'],
  ['appVersion', 'String'],
]

export const kafkaTable = 'intents_kafka'
export const feedView = 'intents_feed'

/** Two consumers with a thread each; a broken message arrives with its error and is left out by the view. */
export function kafkaTableSql(source: EngineSource): string {
  const columns =
    source.format === 'json'
      ? 'message String'
      : [
          ...fields.map(([name, type]) => `${name} ${type}`),
          '`purchase.Purchase.orderId` String',
          '`purchase.Purchase.amountMicros` Int64',
          '`purchase.Purchase.currency` String',
          'skillId Nullable(String)',
        ].join(', ')
  const settings: Record<string, string | number> = {
    kafka_broker_list: source.brokers,
    kafka_topic_list: source.topic,
    kafka_group_name: source.group,
    kafka_format: source.format === 'json' ? 'RawBLOB' : 'AvroConfluent',
    kafka_num_consumers: 2,
    kafka_thread_per_consumer: 1,
    kafka_max_block_size: 62_500,
    kafka_poll_max_batch_size: 12_500,
    kafka_flush_interval_ms: 2_000,
    kafka_handle_error_mode: 'stream',
    ...(source.format === 'json' ? {} : { format_avro_schema_registry_url: source.registryUrl }),
  }
  const assignments = Object.entries(settings).map(
    ([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value}'`}`,
  )
  return `CREATE TABLE ${source.database}.${kafkaTable} (${columns}) ENGINE = Kafka SETTINGS ${assignments.join(', ')}`
}

/** Creating the view starts the drain. */
export function feedViewSql(source: EngineSource): string {
  const { taxonomy } = loadTaxonomy(1)
  const verdict = verdictSql(taxonomy, 'rule')
  const { futureToleranceMs, ageMaxMs } = defaultFateSettings
  return `CREATE MATERIALIZED VIEW ${source.database}.${feedView} TO ${source.database}.intent_events AS
    WITH ${ruleNumberSql(taxonomy)} AS rule
    SELECT event_id, fromUnixTimestamp64Milli(occurred_ms, 'UTC') AS occurred_at, device, household, product, device_model,
      toDate(activated_day) AS activated_on, country, locale, plans, intent, outcome, toUInt32(latency) AS latency_ms,
      order_id, amount_micros, currency, app_version, skill_id,
      ${verdict.valueClass} AS value_class, ${verdict.ruleId} AS rule_id, toUInt16(${taxonomy.version}) AS taxonomy_version,
      toUUID('${source.topicId}') AS topic_id, partition, kafka_offset, recorded_at
    FROM (${source.format === 'json' ? fromJson(source.database) : fromAvro(source.database)})
    WHERE is_event AND ${withinBoundsSql()}
      AND occurred_ms BETWEEN toUnixTimestamp64Milli(recorded_at) - ${ageMaxMs} AND toUnixTimestamp64Milli(recorded_at) + ${futureToleranceMs}`
}

const place = `toUInt32(_partition) AS partition, _offset AS kafka_offset, assumeNotNull(_timestamp_ms) AS recorded_at`

function fromAvro(database: string): string {
  return `
      SELECT _error = '' AS is_event, eventId AS event_id, occurredAt AS occurred_ms,
        reinterpretAsUInt64(k.device) AS device, reinterpretAsUInt64(k.household) AS household,
        toLowCardinality(k.product) AS product, toLowCardinality(deviceModel) AS device_model, activatedOn AS activated_day,
        toLowCardinality(k.country) AS country, toLowCardinality(k.locale) AS locale,
        k.plans AS held, toLowCardinality(arrayStringConcat(k.plans, ',')) AS plans,
        toLowCardinality(k.intent) AS intent, toLowCardinality(k.outcome) AS outcome, latencyMs AS latency,
        \`purchase.Purchase.orderId\` AS order_id, \`purchase.Purchase.amountMicros\` AS amount_micros,
        toLowCardinality(\`purchase.Purchase.currency\`) AS currency,
        toLowCardinality(appVersion) AS app_version, toLowCardinality(ifNull(skillId, '')) AS skill_id, ${place}
      FROM ${database}.${kafkaTable} AS k`
}

/** One JSONExtract of the whole event: each call parses the text anew. */
function fromJson(database: string): string {
  const tuple = [
    ...fields.map(([name, avroType, jsonType]) => `${name} ${jsonType ?? avroType}`),
    'purchase Tuple(orderId String, amountMicros Int64, currency String)',
    'skillId String',
  ].join(', ')
  const low = (path: string) => `toLowCardinality(event.${path})`
  return `
      SELECT length(event.eventId) = 32 AS is_event, toFixedString(unhex(event.eventId), 16) AS event_id, event.occurredAt AS occurred_ms,
        reinterpretAsUInt64(unhex(event.device)) AS device, reinterpretAsUInt64(unhex(event.household)) AS household,
        ${low('product')} AS product, ${low('deviceModel')} AS device_model, event.activatedOn AS activated_day,
        ${low('country')} AS country, ${low('locale')} AS locale,
        event.plans AS held, toLowCardinality(arrayStringConcat(event.plans, ',')) AS plans,
        ${low('intent')} AS intent, ${low('outcome')} AS outcome, event.latencyMs AS latency,
        event.purchase.orderId AS order_id, event.purchase.amountMicros AS amount_micros, ${low('purchase.currency')} AS currency,
        ${low('appVersion')} AS app_version, ${low('skillId')} AS skill_id, partition, kafka_offset, recorded_at
      FROM (SELECT JSONExtract(message, 'Tuple(${tuple})') AS event, ${place} FROM ${database}.${kafkaTable})`
}
