/** Who finds nothing must be shown to be able to find: the tables spoiled in four ways, one after the other. */
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import { rollupsOf } from '../../services/shared/pipeline/rollups.ts'
import { judge } from './judge.ts'
import type { Judged } from './run.ts'

const tables = [
  ...['intent_events', 'duplicate_events', 'rejected_events', 'ingest_batches'],
  ...rollupsOf(assistantIntents).map(({ table }) => table),
]

const firstRow =
  '(partition, kafka_offset) IN (SELECT partition, kafka_offset FROM {db}.intent_events ORDER BY partition, kafka_offset LIMIT 1)'
/** A batch in the middle of the first partition that holds rows. */
const range =
  '(SELECT (partition, first_offset, last_offset) FROM {db}.ingest_batches ORDER BY partition, first_offset LIMIT 1 OFFSET 1)'
const inRange = `partition = tupleElement(${range}, 1) AND kafka_offset BETWEEN tupleElement(${range}, 2) AND tupleElement(${range}, 3)`

export const tamperings: readonly { readonly name: string; readonly sql: readonly string[] }[] = [
  { name: 'one row deleted', sql: [`ALTER TABLE {db}.intent_events DELETE WHERE ${firstRow}`] },
  {
    name: 'one row added twice',
    sql: [`INSERT INTO {db}.intent_events SELECT * FROM {db}.intent_events WHERE ${firstRow}`],
  },
  {
    name: 'one roll-up row dropped',
    sql: [
      `ALTER TABLE {db}.usage_by_cohort_daily DELETE WHERE (day, product, cohort_month, country, plans, value_class, bucket) IN
       (SELECT day, product, cohort_month, country, plans, value_class, bucket FROM {db}.usage_by_cohort_daily LIMIT 1)`,
    ],
  },
  {
    name: 'one range of offsets skipped',
    sql: [
      ...['intent_events', 'duplicate_events', 'rejected_events'].map(
        (table) => `ALTER TABLE {db}.${table} DELETE WHERE ${inRange}`,
      ),
      `ALTER TABLE {db}.ingest_batches DELETE WHERE (partition, first_offset) = (tupleElement(${range}, 1), tupleElement(${range}, 2))`,
    ],
  },
]

/** True when judge and `audit` each see each tampering, and nothing once it is taken back. */
export async function tamperAndJudge(judged: Judged, say: (line: string) => void): Promise<boolean> {
  const { steward, database } = judged
  const copy = `${database}_copy`
  const command = (sql: string) =>
    steward.command(sql.replaceAll('{db}', database), {}, { mutations_sync: '2', insert_deduplicate: 0 })
  await command(`CREATE DATABASE ${copy}`)
  for (const table of tables) {
    await command(`CREATE TABLE ${copy}.${table} AS {db}.${table}`)
    await command(`ALTER TABLE ${copy}.${table} ATTACH PARTITION ALL FROM {db}.${table}`)
  }
  let seenAll = true
  for (const { name, sql } of tamperings) {
    for (const statement of sql) {
      await command(statement)
    }
    const found = { judge: await judge(judged), audit: await judged.audit() }
    for (const table of tables) {
      await command(`TRUNCATE TABLE {db}.${table}`)
      await command(`ALTER TABLE {db}.${table} ATTACH PARTITION ALL FROM ${copy}.${table}`)
    }
    const left = [...(await judge(judged)), ...(await judged.audit())]
    for (const [who, differences] of Object.entries(found)) {
      say(`tampered, ${name}: ${who} says: ${differences[0] ?? 'nothing'}`)
      seenAll &&= differences.length > 0
    }
    if (left.length > 0) {
      throw new Error(`taking back "${name}" left: ${left.join('; ')}`)
    }
  }
  return seenAll
}
