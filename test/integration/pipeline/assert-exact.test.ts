/** The comparison that the other tests trust: it must notice each kind of damage. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assertExact } from '../../support/assert-exact.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'

const oneDay = 'day = (SELECT min(day) FROM {{database}}.usage_by_cohort_daily)'

/** SQL that damages a database, and what must be said of it. */
const damages: readonly (readonly [string, RegExp])[] = [
  [
    'INSERT INTO {{database}}.duplicate_events SELECT * FROM {{database}}.duplicate_events LIMIT 1',
    /duplicate_events.*1 too many/,
  ],
  [
    'INSERT INTO {{database}}.rejected_events SELECT * FROM {{database}}.rejected_events LIMIT 1',
    /rejected_events.*1 too many/,
  ],
  ['INSERT INTO {{database}}.ingest_batches SELECT * FROM {{database}}.ingest_batches LIMIT 1', /a gap or an overlap/],
  [
    `INSERT INTO {{database}}.usage_by_cohort_daily SELECT * FROM {{database}}.usage_by_cohort_daily WHERE ${oneDay} LIMIT 1`,
    /usage_by_cohort_daily/,
  ],
  [
    'INSERT INTO {{database}}.usage_by_intent_daily SELECT * FROM {{database}}.usage_by_intent_daily LIMIT 1',
    /usage_by_intent_daily/,
  ],
  ['INSERT INTO {{database}}.purchases_daily SELECT * FROM {{database}}.purchases_daily LIMIT 1', /purchases_daily/],
  [
    'ALTER TABLE {{database}}.intent_events DELETE WHERE kafka_offset = (SELECT min(kafka_offset) FROM {{database}}.intent_events)',
    /intent_events.*1 missing/,
  ],
]

test('a comparison with the log notices rows, roll-up shares and ledger lines too many or missing', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 1_500 })
  const log = await work.readLog()
  await work.assertDrained([work.startInProcess()], { logs: [log] })
  for (const [sql, message] of damages) {
    const table = /\.(\w+)/.exec(sql)![1]!
    await work.steward.command(`CREATE TABLE ${work.database}.kept AS ${work.database}.${table}`)
    await work.steward.command(`INSERT INTO ${work.database}.kept SELECT * FROM ${work.database}.${table}`)
    await work.steward.command(sql.replaceAll('{{database}}', work.database), {}, { mutations_sync: '2' })
    await assert.rejects(assertExact([log], work), message, sql)
    await work.steward.command(`EXCHANGE TABLES ${work.database}.kept AND ${work.database}.${table}`)
    await work.steward.command(`DROP TABLE ${work.database}.kept`)
    await assertExact([log], work)
  }
})
