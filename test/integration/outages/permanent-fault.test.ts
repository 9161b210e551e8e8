/** Inserts that no retry mends: the process stops with one sentence, no offset moves, and after the fix it goes on, exact. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { pipelineCase, type PipelineCase } from '../../support/pipeline-case.ts'

const faults = [
  {
    what: 'a column of the table of events was renamed',
    spoil: 'ALTER TABLE DB.intent_events RENAME COLUMN latency_ms TO latency',
    mend: 'ALTER TABLE DB.intent_events RENAME COLUMN latency TO latency_ms',
    says: /intent_events.*answered error 16: .*latency_ms/,
  },
  {
    what: 'a column of the ledger was renamed',
    spoil: 'ALTER TABLE DB.ingest_batches RENAME COLUMN expired TO gone',
    mend: 'ALTER TABLE DB.ingest_batches RENAME COLUMN gone TO expired',
    says: /ingest_batches.*answered error \d+: .*expired/,
  },
  {
    what: 'the table that a roll-up feeds was renamed',
    spoil: 'RENAME TABLE DB.usage_by_cohort_daily TO DB.usage_by_cohort_daily_away',
    mend: 'RENAME TABLE DB.usage_by_cohort_daily_away TO DB.usage_by_cohort_daily',
    says: /usage_by_cohort_daily/,
  },
  {
    what: 'a column of the table of duplicates was renamed',
    spoil: 'ALTER TABLE DB.duplicate_events RENAME COLUMN event_id TO id',
    mend: 'ALTER TABLE DB.duplicate_events RENAME COLUMN id TO event_id',
    says: /duplicate_events/,
  },
] as const

for (const { what, spoil, mend, says } of faults) {
  test(`${what}: stops with one sentence, no offset moves, and goes on exactly after the fix`, async (t) => {
    // One membership: when one of two leaves first, the other's last batch may be left to the next owner.
    const work = await pipelineCase(t, { env: { KAFKA_MEMBERSHIPS: '1' } })
    await work.simulate({ events: 3_000 })
    const first = work.startProcess()
    await first.logged('batch settled', 2)
    await first.stop()
    await alter(work, spoil)
    await work.simulate({ events: 3_000 })
    const before = await offset(work)
    const stopped = work.startProcess()
    assert.equal(await stopped.ended(30_000), '1')
    assert.match(/^PipelineError: (.*)/m.exec(stopped.stderr())?.[1] ?? stopped.stderr(), says)
    assert.equal(await offset(work), before)
    await alter(work, mend)
    await work.assertDrained([work.startProcess()])
  })
}

const alter = (work: PipelineCase, statement: string) => work.steward.command(statement.replaceAll('DB', work.database))

async function offset(work: PipelineCase): Promise<number> {
  return (await work.admin.committed(work.group, work.topic)).get(0)!.offset
}
