/** The analyst reads the views with any client, and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createClient } from '@clickhouse/client'

import { viewsCase } from '../../support/views-case.ts'

test('reads the views by a plain client with parameters, and is refused everything else', async (t) => {
  const { stack, database, views } = await viewsCase(t)
  const client = createClient({
    url: stack.clickhouseUrl,
    username: 'analyst',
    password: stack.secrets.analystPassword,
    log: { level: 127 },
  })
  t.after(() => client.close())

  await t.test('every view', async () => {
    const share = await client.query({
      query: `SELECT * FROM ${views}.usage_share(from = {from:Date}, to = {to:Date}, by = {by:String}, product = '', cohort = '', country = '', plans = 'any')`,
      query_params: { from: '2026-01-01', to: '2026-01-31', by: 'product,day' },
      format: 'JSONEachRow',
    })
    assert.deepEqual(await share.json(), [])
    for (const view of ['top_intents', 'purchases'] as const) {
      const more = view === 'purchases' ? "cohort = '', plans = 'any'" : "value_class = ''"
      const rows = await client.query({
        query: `SELECT * FROM ${views}.${view}(from = '2026-01-01', to = '2026-01-31', by = '', product = '', country = '', ${more})`,
        format: 'JSONEachRow',
      })
      assert.deepEqual(await rows.json(), [])
    }
    const fresh = await client.query({ query: `SELECT * FROM ${views}.freshness`, format: 'JSONEachRow' })
    assert.deepEqual(await fresh.json(), [])
  })

  const usage = (more: string) =>
    `SELECT * FROM ${views}.usage_share(from = '2026-01-01', to = '2026-01-31', by = '', product = '', cohort = '', country = '', plans = 'any') ${more}`
  const refused: Record<string, string> = {
    'raw rows': `SELECT * FROM ${database}.intent_events`,
    'rejected rows': `SELECT * FROM ${database}.rejected_events`,
    'the ledger': `SELECT * FROM ${database}.ingest_batches`,
    'a roll-up': `SELECT * FROM ${database}.usage_by_cohort_daily`,
    'a roll-up by its feed': `SELECT * FROM ${database}.usage_by_cohort_daily_feed`,
    'tables by merge()': `SELECT * FROM merge('${database}', 'intent_events')`,
    'tables by remote()': `SELECT * FROM remote('127.0.0.1', '${database}', 'intent_events')`,
    'running queries': 'SELECT * FROM system.processes',
    users: 'SELECT * FROM system.users',
    parts: 'SELECT * FROM system.parts',
    'a file': "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    'a URL': "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    'another database': "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    'a new table': `CREATE TABLE ${views}.mine (a UInt8) ENGINE = Memory`,
    'a new view': `CREATE VIEW ${views}.mine DEFINER = pipeline SQL SECURITY DEFINER AS SELECT * FROM ${database}.intent_events`,
    'a temporary table': 'CREATE TEMPORARY TABLE mine (a UInt8)',
    'a new database': 'CREATE DATABASE intent_ledger_views_mine',
    'an insert': `INSERT INTO ${database}.intent_events (household) VALUES (1)`,
    'a dropped view': `DROP VIEW ${views}.usage_share`,
    'a killed query': "KILL QUERY WHERE user = 'pipeline'",
    'more memory': usage('SETTINGS max_memory_usage = 100000000000'),
    'unlimited memory': usage('SETTINGS max_memory_usage = 0'),
    'more memory for the user': usage('SETTINGS max_memory_usage_for_user = 0'),
    'more time': usage('SETTINGS max_execution_time = 3600'),
    'unlimited time': usage('SETTINGS max_execution_time = 0'),
    'more threads': usage('SETTINGS max_threads = 64'),
    'no readonly': usage('SETTINGS readonly = 0'),
  }
  for (const [what, query] of Object.entries(refused)) {
    await t.test(`not ${what}`, async () => {
      await assert.rejects(client.command({ query }), (thrown: { code?: string; message: string }) => {
        // ACCESS_DENIED, READONLY, SETTING_CONSTRAINT_VIOLATION; merge() sees no table to read: CANNOT_EXTRACT_TABLE_STRUCTURE
        assert.ok(['497', '164', '452', '636'].includes(thrown.code ?? ''), `${thrown.code}: ${thrown.message}`)
        return true
      })
    })
  }

  await t.test('a parameter is a value, never SQL', async () => {
    const rows = await client.query({
      query: `SELECT * FROM ${views}.usage_share(from = '2026-01-01', to = '2026-01-31', by = '', product = {product:String}, cohort = '', country = '', plans = 'any')`,
      query_params: { product: "' OR 1 = 1 UNION ALL SELECT * FROM system.users --" },
      format: 'JSONEachRow',
    })
    assert.deepEqual(await rows.json(), [])
  })

  await t.test('mistakes in parameters are said in a sentence', async () => {
    const call = (from: string, by: string, cohort: string) =>
      client.command({
        query: `SELECT * FROM ${views}.usage_share(from = '${from}', to = '2026-01-31', by = '${by}', product = '', cohort = '${cohort}', country = '', plans = 'any')`,
      })
    await assert.rejects(call('2026-01-01', 'household', ''), /by takes product, cohort_month, country, plans and day/)
    await assert.rejects(call('2026-01-01', '', '2026-13'), /cohort is a month as YYYY-MM/)
    await assert.rejects(call('2026-02-01', '', ''), /from is a day after to/)
  })
})
