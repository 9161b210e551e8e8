import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
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
  metrics.batchSettled({ tally, recovered: false })
  metrics.batchSettled({ tally, recovered: true })
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
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

test('times inserts by table and counts failures by table and code', async () => {
  const metrics = createMetrics()
  const inserted = { kind: 'inserted', table: 'intent_events', rows: 10 } as const
  metrics.settleEvent({ ...inserted, durationMs: 1_000, storedBefore: false })
  metrics.settleEvent({ ...inserted, durationMs: 500, storedBefore: true })
  const fault = new PipelineError('away', { code: 'clickhouse_unreachable', retryable: true })
  metrics.settleEvent({ kind: 'insert_failed', table: 'intent_events', fault })
  metrics.settleEvent({ kind: 'verified', failedAttempts: 1 })
  metrics.settleEvent({ kind: 'restored', rows: 7 })
  metrics.expired.inc(4)
  metrics.memberships.inc()
  metrics.faults.inc({ code: 'membership_lost' })
  const lines = await linesOf(metrics)
  for (const line of [
    'intent_ledger_insert_seconds_sum{table="intent_events"} 1.5',
    'intent_ledger_insert_failures_total{table="intent_events",code="clickhouse_unreachable"} 1',
    'intent_ledger_deduplicated_inserts_total{table="intent_events"} 1',
    'intent_ledger_verifications_total 1',
    'intent_ledger_restored_rows_total 7',
    'intent_ledger_expired_offsets_total 4',
    'intent_ledger_memberships_total 1',
    'intent_ledger_faults_total{code="membership_lost"} 1',
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

test('asks for lag and readiness at each scrape, and forgets a partition that is no longer there', async () => {
  const metrics = createMetrics()
  let lags = [
    { partition: 3, offsets: 5, seconds: 1.5 },
    { partition: 7, offsets: 0, seconds: 0 },
  ]
  let reason: string | undefined = 'starting'
  metrics.watch({ lags: () => lags, notReady: () => reason })
  const before = await linesOf(metrics)
  for (const line of [
    'intent_ledger_lag_offsets{partition="3"} 5',
    'intent_ledger_lag_seconds{partition="3"} 1.5',
    'intent_ledger_lag_offsets{partition="7"} 0',
    'intent_ledger_ready_state 0',
  ]) {
    assert.ok(before.includes(line), line)
  }
  lags = lags.slice(1)
  reason = undefined
  const after = await linesOf(metrics)
  assert.ok(after.includes('intent_ledger_lag_seconds{partition="7"} 0'))
  assert.ok(after.includes('intent_ledger_ready_state 1'))
  assert.ok(!after.some((line) => line.includes('partition="3"')))
})

test('keeps its registry to itself: two classifiers in one process count apart', async () => {
  const [one, two] = [createMetrics(), createMetrics()]
  one.memberships.inc()
  assert.ok((await linesOf(one)).includes('intent_ledger_memberships_total 1'))
  assert.ok((await linesOf(two)).includes('intent_ledger_memberships_total 0'))
})

test('the table in the README names every metric as it is, and no other', async () => {
  const { registry } = createMetrics()
  const inCode = (await registry.getMetricsAsJSON()).map(({ name, type, help }) => ({
    ...{ name, type: String(type), help },
    labels: (registry.getSingleMetric(name) as unknown as { labelNames: string[] }).labelNames.join(', '),
  }))
  const readme = readFileSync(new URL('../../../services/classifier/README.md', import.meta.url), 'utf8')
  const inTable = [...readme.matchAll(/^\| `(intent_ledger_\w+)` \| (\w+) \|([^|]*)\| ([^|]+) \|[^|]*\|$/gm)].map(
    ([, name, type, labels, help]) => ({ name, type, help, labels: labels!.replaceAll('`', '').trim() }),
  )
  const byName = (rows: { name?: string | undefined }[]) => rows.sort((a, b) => (a.name! < b.name! ? -1 : 1))
  assert.deepEqual(byName(inTable), byName(inCode))
  assert.equal(readme.match(/^\| `intent_ledger_/gm)!.length, inTable.length, 'a row is not read')
})

test('names every metric intent_ledger_<noun>_<unit>, counters ending in _total', async () => {
  for (const { name, type } of await createMetrics().registry.getMetricsAsJSON()) {
    assert.match(name, /^intent_ledger_[a-z]+(_[a-z]+)+$/)
    assert.equal(name.endsWith('_total'), String(type) === 'counter', name)
  }
})
