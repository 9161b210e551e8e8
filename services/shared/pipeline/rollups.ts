import type { StreamDefinition } from '../domain/stream.ts'

/** A roll-up table of a stream, as far as `audit` and `repair` must know it. Its SQL stands in infra/clickhouse/migrations. */
export interface Rollup {
  readonly table: string
  /** The materialised view that feeds it: its SELECT is the roll-up's definition. */
  readonly feed: string
  readonly keys: readonly string[]
  /** How a key is made from raw, where it is not a column of raw. */
  readonly keySql: Readonly<Record<string, string>>
  /** Sums that must equal raw: name in the roll-up -> SQL of what a row of raw adds. */
  readonly measures: Readonly<Record<string, string>>
  /** The rows of raw that count. */
  readonly where?: string
  /** Has a column `households`, a state of those behind each cell. */
  readonly hasHouseholds: boolean
}

const keySql = {
  day: 'toDate(occurred_at)',
  cohort_month: 'toStartOfMonth(activated_on)',
  bucket: 'cityHash64(household) % 64',
}

const rollupsByStream: Record<string, readonly Rollup[]> = {
  'assistant-intents': [
    {
      table: 'usage_by_cohort_daily',
      feed: 'usage_by_cohort_daily_feed',
      keys: ['day', 'product', 'cohort_month', 'country', 'plans', 'value_class', 'taxonomy_version', 'bucket'],
      keySql,
      measures: { requests: '1', purchases: "order_id != ''" },
      hasHouseholds: false,
    },
    {
      table: 'usage_by_product_daily',
      feed: 'usage_by_product_daily_feed',
      keys: ['day', 'product', 'value_class', 'taxonomy_version', 'bucket'],
      keySql,
      measures: { requests: '1' },
      hasHouseholds: false,
    },
    {
      table: 'households_by_cohort_daily',
      feed: 'households_by_cohort_daily_feed',
      keys: ['day', 'product', 'cohort_month', 'country', 'plans', 'taxonomy_version'],
      keySql,
      measures: { requests: '1' },
      where: "value_class != 'not_a_request'",
      hasHouseholds: true,
    },
    {
      table: 'usage_by_intent_daily',
      feed: 'usage_by_intent_daily_feed',
      keys: ['day', 'product', 'country', 'intent', 'value_class', 'taxonomy_version'],
      keySql,
      measures: { requests: '1' },
      hasHouseholds: true,
    },
    {
      table: 'purchases_daily',
      feed: 'purchases_daily_feed',
      keys: ['day', 'product', 'cohort_month', 'country', 'plans', 'value_class', 'taxonomy_version', 'currency'],
      keySql,
      measures: { purchases: '1', amount_micros: 'amount_micros' },
      where: "order_id != ''",
      hasHouseholds: true,
    },
  ],
}

export function rollupsOf(stream: StreamDefinition): readonly Rollup[] {
  return rollupsByStream[stream.name] ?? []
}
