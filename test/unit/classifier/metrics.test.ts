import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createMetrics } from '../../../services/classifier/metrics.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import type { Tally } from '../../../services/shared/pipeline/gather.ts'

const tally: Tally = {
  base: 40,
  messages: 10,
  accepted: 6,
  duplicate: 1,
  rejected: 3,
  acceptedOffsets: 0,
  duplicateOffsets: 0,
  rejectedOffsets: 0,
  eventTimeLow: 0,
  eventTimeHigh: 0,
  recordTimeLow: 0,
  recordTimeHigh: 0,
  reasons: { malformed: 2, too_old: 1 },
}

async function linesOf(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  return (await metrics.registry.metrics()).split('\n')
}

test('counts every message of a settled batch by its fate, and the rejected by reason', async () => {
  const metrics = createMetrics()
  metrics.batchSettled({ partition: 3, tally, recovered: false, lagOffsets: 5 })
  metrics.batchSettled({ partition: 3, tally, recovered: true, lagOffsets: 0 })
  const lines = await linesOf(metrics)
  for (const line of [
    'intent_ledger_events_total{fate="accepted"} 12',
    'intent_ledger_events_total{fate="duplicate"} 2',
    'intent_ledger_events_total{fate="rejected"} 6',
    'intent_ledger_rejected_events_total{reason="malformed"} 4',
    'intent_ledger_rejected_events_total{reason="too_old"} 2',
    'intent_ledger_batches_total 2',
    'intent_ledger_plan_recoveries_total 1',
    'intent_ledger_batch_rows_sum 20',
    'intent_ledger_lag_offsets{partition="3"} 0',
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

test('times inserts by table and counts failures by table and code', async () => {
  const metrics = createMetrics()
  metrics.settleEvent({ kind: 'inserted', table: 'intent_events', rows: 10, durationMs: 1_500 })
  const fault = new PipelineError('away', { code: 'clickhouse_unreachable', retryable: true })
  metrics.settleEvent({ kind: 'insert_failed', table: 'intent_events', fault })
  metrics.settleEvent({ kind: 'verified', failedAttempts: 1 })
  metrics.memberships.inc()
  metrics.faults.inc({ code: 'membership_lost' })
  const lines = await linesOf(metrics)
  for (const line of [
    'intent_ledger_insert_seconds_sum{table="intent_events"} 1.5',
    'intent_ledger_insert_failures_total{table="intent_events",code="clickhouse_unreachable"} 1',
    'intent_ledger_verifications_total 1',
    'intent_ledger_memberships_total 1',
    'intent_ledger_faults_total{code="membership_lost"} 1',
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

test('keeps its registry to itself: two classifiers in one process count apart', async () => {
  const [one, two] = [createMetrics(), createMetrics()]
  one.memberships.inc()
  assert.ok((await linesOf(one)).includes('intent_ledger_memberships_total 1'))
  assert.ok((await linesOf(two)).includes('intent_ledger_memberships_total 0'))
})

test('names every metric intent_ledger_<noun>_<unit>, counters ending in _total', async () => {
  for (const { name, type } of await createMetrics().registry.getMetricsAsJSON()) {
    assert.match(name, /^intent_ledger_[a-z]+(_[a-z]+)+$/)
    assert.equal(name.endsWith('_total'), String(type) === 'counter', name)
  }
})
