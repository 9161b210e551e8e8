/** What the users of ClickHouse may not do, tried. `report/analyst.test.ts` has the plainer attempts of the analyst. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { createClient, type ClickHouseClient } from '@clickhouse/client'

import { sharedStack } from '../../support/stack.ts'
import { viewsCase } from '../../support/views-case.ts'

type User = 'pipeline' | 'steward' | 'analyst'

async function loginAs(t: TestContext, user: User): Promise<ClickHouseClient> {
  const stack = await sharedStack()
  const client = createClient({
    url: stack.clickhouseUrl,
    username: user,
    password: stack.secrets[`${user}Password`],
    log: { level: 127 },
  })
  t.after(() => client.close())
  return client
}

async function answerOf(client: ClickHouseClient, query: string): Promise<Record<string, unknown>[]> {
  const answer = await client.query({ query, format: 'JSONEachRow' })
  return answer.json()
}

/** READONLY, ACCESS_DENIED, SETTING_CONSTRAINT_VIOLATION. */
const denied = ['164', '497', '452']

async function assertRefused(
  client: ClickHouseClient,
  query: string,
  codes: readonly string[] = denied,
): Promise<void> {
  await assert.rejects(client.command({ query }), (thrown: { code?: string; message: string }) => {
    assert.ok(codes.includes(thrown.code ?? ''), `${query}: ${thrown.code}: ${thrown.message}`)
    return true
  })
}

test('the analyst', async (t) => {
  const filled = await viewsCase(t)
  const { database, views } = filled
  const analyst = await loginAs(t, 'analyst')
  const usage = (by = '', more = '') =>
    `SELECT * FROM ${views}.usage_share(from = '2026-01-01', to = '2026-01-31', by = '${by}', product = '', cohort = '', country = '', plans = 'any') ${more}`
  const cell = {
    ...{ day: '2026-01-05', cohort_month: '2025-12-01', country: 'DE', plans: '', value_class: 'direct' },
    taxonomy_version: 1,
  }
  const households = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index)
  await filled.insertUsage([
    { ...cell, product: 'echo', bucket: 1, requests: 500, household_ids: households(1, 40) },
    { ...cell, product: 'ring', bucket: 2, requests: 300, household_ids: households(100, 30) },
    { ...cell, product: 'kindle', bucket: 3, requests: 77, household_ids: [1_000] },
  ])

  await t.test('sees no cell of one household, under any grouping', async () => {
    for (const by of ['product', 'product,country', 'product,cohort_month', 'product,plans', 'product,day']) {
      const rows = await answerOf(analyst, usage(by))
      const kindle = rows.find(({ product }) => product === 'kindle')
      assert.equal(kindle?.['suppressed'], 1)
      assert.equal(kindle['requests'], null)
      assert.doesNotMatch(JSON.stringify(rows), /\b77\b/)
    }
  })

  await t.test('finds no column that names a device, a household or an order', async () => {
    const columns = await answerOf(
      analyst,
      `SELECT DISTINCT name FROM system.columns WHERE database LIKE 'intent_ledger%'`,
    )
    const names = columns.map(({ name }) => String(name))
    assert.ok(names.includes('newest_event_time'))
    assert.deepEqual(
      names.filter((name) => /^(device|household|event_id|order_id|kafka_offset|key|value|bucket)$/.test(name)),
      [],
    )
    const databases = await answerOf(analyst, 'SELECT name FROM system.databases')
    assert.deepEqual(
      databases.map(({ name }) => String(name)).filter((name) => !/^intent_ledger_views(_|$)/.test(name)),
      [],
    )
  })

  await t.test('may change the settings that users.xml lists, and no other', async () => {
    const xml = readFileSync(join(import.meta.dirname, '../../../infra/clickhouse/users.xml'), 'utf8')
    const listed = [...xml.matchAll(/^\s*<(\w+)>.*<changeable_in_readonly\/>/gm)].map(([, name]) => name!)
    const free = await answerOf(analyst, 'SELECT name FROM system.settings WHERE readonly = 0 ORDER BY name')
    assert.deepEqual(
      free.map(({ name }) => name),
      listed.sort(),
    )
    assert.ok(listed.length > 10)
  })

  // Each of them reaches below the suppression, or takes a limit away.
  const underneath = `'${database}.usage_by_cohort_daily'`
  for (const setting of [
    `additional_table_filters = {${underneath}: 'bucket = 3'}`,
    `additional_table_filters = {${underneath}: 'toUInt8(concat(''x'', toString(requests))) = 1'}`,
    `additional_result_filter = 'requests = 77'`,
    `max_rows_to_read = 1, read_overflow_mode = 'break'`,
    `max_rows_to_group_by = 1, group_by_overflow_mode = 'any'`,
    `max_rows_to_transfer = 1, transfer_overflow_mode = 'break'`,
    `max_execution_time = 0.001, timeout_overflow_mode = 'break'`,
    `max_rows_to_read = 0`,
    `max_result_rows = 0`,
    `max_result_bytes = 0`,
    `limit = 1`,
    `final = 1`,
    `use_query_cache = 1, query_cache_share_between_users = 1`,
    `enable_parallel_replicas = 1, max_parallel_replicas = 2`,
    `default_view_definer = 'analyst'`,
    `send_logs_level = 'trace'`,
    `profile = 'pipeline'`,
  ]) {
    await t.test(`can't set ${setting}`, () => assertRefused(analyst, usage('', `SETTINGS ${setting}`)))
  }

  const refused: Record<string, readonly string[]> = {
    'plans of tables': [
      `EXPLAIN SELECT * FROM ${database}.intent_events`,
      `EXPLAIN ESTIMATE SELECT * FROM ${database}.intent_events`,
      `SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM ${database}.intent_events))`,
    ],
    'what tables are like': [
      `SHOW CREATE TABLE ${database}.intent_events`,
      `DESCRIBE TABLE ${database}.intent_events`,
      `CHECK TABLE ${database}.intent_events`,
      `SELECT * FROM mergeTreeIndex('${database}', 'intent_events')`,
    ],
    'tables in other clothes': [
      `SELECT * FROM view(SELECT * FROM ${database}.intent_events)`,
      `SELECT * FROM loop('${database}', 'intent_events') LIMIT 1`,
      `SELECT (SELECT count() FROM ${database}.intent_events)`,
      `SELECT * FROM ${views}.freshness WHERE topic_id IN (SELECT topic_id FROM ${database}.intent_events)`,
      `SELECT * FROM ${views}.usage_share(from = '2026-01-01', to = '2026-01-31', by = (SELECT any(intent) FROM ${database}.intent_events), product = '', cohort = '', country = '', plans = 'any')`,
      `SELECT * FROM remoteSecure('127.0.0.1', '${database}', 'intent_events')`,
      `WITH x AS (SELECT * FROM ${database}.rejected_events) SELECT * FROM x`,
    ],
    'files, addresses and programs': [
      `SELECT * FROM file('x.tsv', 'TSV', 'a String')`,
      `SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'a String')`,
      `SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'TSV', 'a String')`,
      `SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'TSV', 'a String')`,
      `SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')`,
      `SELECT * FROM mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd', 'a String')`,
      `SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')`,
      `SELECT * FROM jdbc('a', 'b', 'c')`,
      `SELECT * FROM odbc('DSN=a', 'b', 'c')`,
      `SELECT * FROM sqlite('x', 't')`,
      `SELECT * FROM executable('ls', 'TSV', 'a String')`,
      `INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'TSV', 'a UInt8') SELECT 1`,
      `INSERT INTO FUNCTION file('x.tsv', 'TSV', 'a UInt8') SELECT 1`,
      `BACKUP VIEW ${views}.freshness TO File('x')`,
      `CREATE DICTIONARY ${views}.mine (a UInt64) PRIMARY KEY a SOURCE(FILE(path 'x' format 'TSV')) LAYOUT(FLAT()) LIFETIME(1)`,
    ],
    'system tables': ['query_cache', 'grants', 'row_policies', 'stack_trace', 'disks', 'detached_parts', 'metrics']
      .concat(['events', 'server_settings', 'named_collections', 'user_processes', 'dictionaries', 'quotas_usage'])
      .map((table) => `SELECT * FROM system.${table}`),
    'more rights': [
      'CREATE USER mine',
      'ALTER USER analyst IDENTIFIED WITH no_password',
      'GRANT SELECT ON *.* TO analyst',
      'CREATE FUNCTION mine AS x -> x',
      'CREATE NAMED COLLECTION mine AS a = 1',
      'CREATE ROW POLICY mine ON system.one USING 1 TO ALL',
      'SET readonly = 0',
      'SET max_memory_usage = 0',
    ],
    'the server': ['SYSTEM SHUTDOWN', 'SYSTEM FLUSH LOGS', 'SYSTEM DROP MARK CACHE', 'KILL MUTATION WHERE 1'],
    changes: [
      `DETACH VIEW ${views}.freshness`,
      `DELETE FROM ${database}.intent_events WHERE 1`,
      `OPTIMIZE TABLE ${database}.intent_events`,
      `CREATE OR REPLACE VIEW ${views}.freshness AS SELECT 1`,
      `INSERT INTO ${database}.intent_events SELECT * FROM ${database}.intent_events`,
    ],
  }
  for (const [what, queries] of Object.entries(refused)) {
    await t.test(`doesn't get at ${what}`, async () => {
      for (const query of queries) {
        await assertRefused(analyst, query)
      }
    })
  }

  await t.test('is limited in memory, rows read, rows answered and time', async () => {
    const limits = [
      'max_execution_time 30',
      'max_memory_usage 1000000000',
      'max_result_rows 1000000',
      'max_rows_to_read 10000000000',
    ]
    const names = limits.map((limit) => `'${limit.split(' ')[0]}'`).join(', ')
    const set = await answerOf(
      analyst,
      `SELECT name, value FROM system.settings WHERE name IN (${names}) ORDER BY name`,
    )
    assert.deepEqual(
      set.map(({ name, value }) => `${String(name)} ${String(value)}`),
      limits,
    )
    // Lowered where they may be, so that the attempts are short.
    const memory = 'SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 10000000'
    await assertRefused(analyst, memory, ['241'])
    await assertRefused(analyst, 'SELECT count() FROM numbers(100000000000)', ['158'])
    await assertRefused(analyst, 'SELECT number FROM numbers(100) SETTINGS max_result_rows = 10', ['396'])
    const time = 'SELECT sum(sipHash64(number)) FROM numbers(9000000000) SETTINGS max_execution_time = 0.2'
    await assertRefused(analyst, time, ['159'])
  })

  await t.test(
    'reads files by the scalar file() of the embedded engine, which asks nobody: SECURITY.md says so',
    async () => {
      // A server of its own asks for READ ON FILE; the library takes every session for that of clickhouse-local. When this
      // fails, the engine has learnt it: then take the warning out of SECURITY.md.
      const readable = join(import.meta.dirname, 'clickhouse-users.test.ts')
      const [row] = await answerOf(analyst, `SELECT length(file('${readable}')) AS bytes`)
      assert.ok(Number(row?.['bytes']) > 0)
    },
  )
})

test('the pipeline adds rows, tables and views, and takes nothing away', async (t) => {
  const { database, views } = await viewsCase(t)
  const pipeline = await loginAs(t, 'pipeline')
  const raw = `${database}.intent_events`
  for (const query of [
    `DROP TABLE ${raw}`,
    `DROP TABLE ${database}.usage_by_cohort_daily_feed`,
    `DROP DATABASE ${database}`,
    `TRUNCATE TABLE ${raw}`,
    `DETACH TABLE ${raw}`,
    `RENAME TABLE ${raw} TO ${database}.gone`,
    `EXCHANGE TABLES ${raw} AND ${database}.ingest_batches`,
    `ALTER TABLE ${raw} DELETE WHERE 1`,
    `DELETE FROM ${raw} WHERE 1`,
    `ALTER TABLE ${raw} UPDATE household = 1 WHERE 1`,
    `ALTER TABLE ${raw} DROP COLUMN household`,
    `ALTER TABLE ${raw} MODIFY COLUMN household UInt32`,
    `ALTER TABLE ${raw} RENAME COLUMN household TO gone`,
    `ALTER TABLE ${raw} DROP PARTITION ID '202601'`,
    `ALTER TABLE ${raw} DETACH PARTITION ID '202601'`,
    `ALTER TABLE ${raw} MOVE PARTITION ID '202601' TO TABLE ${database}.gone`,
    `ALTER TABLE ${raw} REPLACE PARTITION ID '202601' FROM ${database}.gone`,
    `ALTER TABLE ${raw} MODIFY TTL toDateTime(occurred_at) + INTERVAL 1 SECOND`,
    `ALTER TABLE ${raw} MODIFY SETTING non_replicated_deduplication_window = 0`,
    `ALTER TABLE ${raw} DROP INDEX by_time`,
    `CREATE DICTIONARY ${database}.mine (a UInt64) PRIMARY KEY a SOURCE(FILE(path 'x' format 'TSV')) LAYOUT(FLAT()) LIFETIME(1)`,
    ...beyond(database),
  ]) {
    await t.test(`refuses ${query.replaceAll(database, 'it')}`, () => assertRefused(pipeline, query))
  }
  await pipeline.command({ query: `ALTER TABLE ${raw} ADD COLUMN IF NOT EXISTS household UInt64` })
  await pipeline.command({ query: `CREATE OR REPLACE VIEW ${views}.freshness AS SELECT 1` })
})

test('the steward works on our databases and nothing beyond them', async (t) => {
  const { database } = await viewsCase(t)
  const steward = await loginAs(t, 'steward')
  for (const query of [
    `CREATE DICTIONARY ${database}.mine (a UInt64) PRIMARY KEY a SOURCE(HTTP(url 'http://127.0.0.1:1/' format 'TSV')) LAYOUT(FLAT()) LIFETIME(1)`,
    `CREATE DATABASE mine`,
    `DROP DATABASE default`,
    ...beyond(database),
  ]) {
    await t.test(`refuses ${query.replaceAll(database, 'it')}`, () => assertRefused(steward, query))
  }
})

/** What neither of the services needs. */
function beyond(database: string): string[] {
  return [
    `SELECT * FROM file('x.tsv', 'TSV', 'a String')`,
    `SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'a String')`,
    `SELECT * FROM remoteSecure('127.0.0.1', '${database}', 'intent_events')`,
    `CREATE TABLE ${database}.mine (a String) ENGINE = URL('http://127.0.0.1:1/', TSV)`,
    `CREATE TABLE ${database}.mine (a String) ENGINE = File(TSV)`,
    `BACKUP DATABASE ${database} TO File('x')`,
    'CREATE TABLE default.mine (a UInt8) ENGINE = Memory',
    'CREATE USER mine',
    'ALTER USER analyst IDENTIFIED WITH no_password',
    'GRANT SELECT ON *.* TO analyst',
    'CREATE FUNCTION mine AS x -> x',
    'SYSTEM SHUTDOWN',
    `CREATE VIEW ${database}.mine DEFINER = default SQL SECURITY DEFINER AS SELECT 1`,
  ]
}
