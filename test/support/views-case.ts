import type { TestContext } from 'node:test'

import { createClickHouse, type ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { viewsDatabase } from '../../services/shared/io/settings.ts'
import { sharedStack, uniqueName, type StackEndpoints } from './stack.ts'

/** A migrated database of one test's own, filled by hand, and the users that people and services are. Gone after the test. */
export interface ViewsCase {
  readonly stack: StackEndpoints
  readonly database: string
  readonly views: string
  readonly pipeline: ClickHouse
  readonly analyst: ClickHouse
  /** Puts rows straight into the roll-ups by cohort and by product: buckets and households are what the test says they are. */
  insertUsage(rows: readonly UsageRow[]): Promise<void>
  insertIntents(rows: readonly IntentUsageRow[]): Promise<void>
  insertPurchases(rows: readonly PurchaseRow[]): Promise<void>
  emptyUsage(): Promise<void>
}

interface Cohort {
  readonly day: string
  readonly product: string
  /** First day of the month. */
  readonly cohort_month: string
  readonly country: string
  readonly plans: string
  readonly value_class: string
  readonly taxonomy_version: number
  readonly household_ids: readonly number[]
}

export interface UsageRow extends Cohort {
  readonly bucket: number
  readonly requests: number
}

export interface PurchaseRow extends Cohort {
  readonly currency: string
  readonly purchases: number
  readonly amount_micros: number
}

export interface IntentUsageRow {
  readonly day: string
  readonly product: string
  readonly country: string
  readonly intent: string
  readonly value_class: string
  readonly taxonomy_version: number
  readonly requests: number
  readonly household_ids: readonly number[]
}

const cohortTypes = {
  day: 'Date',
  product: 'String',
  cohort_month: 'Date',
  country: 'String',
  plans: 'String',
  value_class: 'String',
  taxonomy_version: 'UInt16',
}

export async function viewsCase(t: TestContext): Promise<ViewsCase> {
  const stack = await sharedStack()
  const database = uniqueName('intent_ledger_t')
  const views = viewsDatabase(database)
  const login = { url: stack.clickhouseUrl, requestTimeoutMs: 30_000 }
  const pipeline = createClickHouse({ ...login, user: 'pipeline', password: stack.secrets.pipelinePassword })
  const steward = createClickHouse({ ...login, user: 'steward', password: stack.secrets.stewardPassword })
  const analyst = createClickHouse({ ...login, user: 'analyst', password: stack.secrets.analystPassword })
  t.after(async () => {
    await steward.command(`DROP DATABASE IF EXISTS ${views}`)
    await steward.command(`DROP DATABASE IF EXISTS ${database}`)
    await Promise.all([pipeline.close(), steward.close(), analyst.close()])
  })
  await migrate(pipeline, { database, dedupWindowBlocks: 1_000 })

  const states = { households: "arrayReduce('uniqCombined64State', household_ids)" }
  const insert = (
    table: string,
    types: Record<string, string>,
    rows: readonly object[],
    made: Record<string, string> = states,
  ) => {
    const columns = Object.keys(types)
    const structure = [...columns.map((name) => `${name} ${types[name]!}`), 'household_ids Array(UInt64)'].join(', ')
    return pipeline.insert(
      `INSERT INTO ${database}.${table} (${[...columns, ...Object.keys(made)].join(', ')})
       SELECT ${[...columns, ...Object.values(made)].join(', ')} FROM input('${structure}') FORMAT JSONEachRow`,
      [Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))],
      { params: {}, settings: {} },
    )
  }
  return {
    ...{ stack, database, views, pipeline, analyst },
    async insertUsage(rows) {
      await insert('usage_by_cohort_daily', { ...cohortTypes, bucket: 'UInt8', requests: 'UInt64' }, rows, {})
      const { day, product, cohort_month, country, plans, value_class, taxonomy_version } = cohortTypes
      await insert(
        'usage_by_product_daily',
        { day, product, value_class, taxonomy_version, bucket: 'UInt8', requests: 'UInt64' },
        rows,
        {},
      )
      await insert(
        'households_by_cohort_daily',
        { day, product, cohort_month, country, plans, taxonomy_version, requests: 'UInt64' },
        rows.filter(({ value_class }) => value_class !== 'not_a_request'),
      )
    },
    insertPurchases: (rows) =>
      insert(
        'purchases_daily',
        { ...cohortTypes, currency: 'String', purchases: 'UInt64', amount_micros: 'Int64' },
        rows,
      ),
    insertIntents: (rows) => {
      const { day, product, country, value_class, taxonomy_version } = cohortTypes
      const types = { day, product, country, intent: 'String', value_class, taxonomy_version, requests: 'UInt64' }
      return insert('usage_by_intent_daily', types, rows)
    },
    async emptyUsage() {
      for (const table of ['usage_by_cohort_daily', 'usage_by_product_daily', 'households_by_cohort_daily']) {
        await steward.command(`TRUNCATE TABLE ${database}.${table}`)
      }
    },
  }
}
