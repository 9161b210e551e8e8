/** What a merge of ClickHouse leaves, as infra/clickhouse/config.xml asks for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { viewsCase } from '../../support/views-case.ts'

test('a merge makes no statistics of columns, and what it merged stays', async (t) => {
  const { pipeline, database } = await viewsCase(t)
  // One as our tables are made, one as ClickHouse would by default: what the test looks for can be there.
  for (const [table, settings] of [
    ['ours', ''],
    ['plain', "SETTINGS auto_statistics_types = 'basic, uniq_v2'"],
  ]) {
    await pipeline.command(
      `CREATE TABLE ${database}.${table} (day Date, requests UInt64) ENGINE = MergeTree ORDER BY day ${settings}`,
    )
    for (const requests of [1, 2]) {
      await pipeline.command(`INSERT INTO ${database}.${table} VALUES ('2026-01-01', ${requests})`)
    }
    await pipeline.command(`OPTIMIZE TABLE ${database}.${table} FINAL`)
  }
  const parts = await pipeline.rows<{ table: string; active: number; parts: number; with_statistics: number }>(
    `SELECT table, active, uniqExact(name) AS parts, countIf(notEmpty(statistics)) > 0 AS with_statistics
     FROM system.parts_columns WHERE database = {database:String} AND table IN ('ours', 'plain')
     GROUP BY table, active ORDER BY table, active DESC`,
    { database },
  )
  assert.deepEqual(parts, [
    { table: 'ours', active: 1, parts: 1, with_statistics: 0 },
    { table: 'ours', active: 0, parts: 2, with_statistics: 0 },
    { table: 'plain', active: 1, parts: 1, with_statistics: 1 },
    { table: 'plain', active: 0, parts: 2, with_statistics: 0 },
  ])
})
