import { Counter, Gauge, Histogram, Registry } from 'prom-client'

import type { Tally } from '../shared/pipeline/gather.ts'
import type { SettleEvent } from '../shared/pipeline/settle.ts'

/** The counters of one classifier process, at `/metrics`. Names: intent_ledger_<noun>_<unit>. */
export interface ClassifierMetrics {
  readonly registry: Registry
  settleEvent(event: SettleEvent): void
  batchSettled(batch: { partition: number; tally: Tally; recovered: boolean; lagOffsets: number }): void
  memberships: { inc(): void }
  faults: { inc(labels: { code: string }): void }
}

export function createMetrics(): ClassifierMetrics {
  const registry = new Registry()
  const registers = [registry]
  const events = new Counter({
    name: 'intent_ledger_events_total',
    help: 'Messages by fate: accepted, duplicate, rejected',
    labelNames: ['fate'],
    registers,
  })
  const rejected = new Counter({
    name: 'intent_ledger_rejected_events_total',
    help: 'Rejected messages by reason',
    labelNames: ['reason'],
    registers,
  })
  const batches = new Counter({ name: 'intent_ledger_batches_total', help: 'Batches settled', registers })
  const recoveries = new Counter({
    name: 'intent_ledger_plan_recoveries_total',
    help: 'Batches that another owner had planned and this process finished',
    registers,
  })
  const batchRows = new Histogram({
    name: 'intent_ledger_batch_rows',
    help: 'Messages a settled batch held',
    buckets: [1, 10, 100, 1_000, 10_000, 50_000, 100_000, 500_000],
    registers,
  })
  const insertSeconds = new Histogram({
    name: 'intent_ledger_insert_seconds',
    help: 'Time until ClickHouse acknowledged an insert',
    labelNames: ['table'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const insertFailures = new Counter({
    name: 'intent_ledger_insert_failures_total',
    help: 'Insert attempts that failed or had an unknown outcome',
    labelNames: ['table', 'code'],
    registers,
  })
  const verifications = new Counter({
    name: 'intent_ledger_verifications_total',
    help: 'Batches whose rows were counted after an unknown outcome',
    registers,
  })
  const lag = new Gauge({
    name: 'intent_ledger_lag_offsets',
    help: 'Offsets of a partition after the last settled one, as of the last settled batch',
    labelNames: ['partition'],
    registers,
  })
  const memberships = new Counter({
    name: 'intent_ledger_memberships_total',
    help: 'Times this process joined the consumer group anew',
    registers,
  })
  const faults = new Counter({
    name: 'intent_ledger_faults_total',
    help: 'Faults that ended a membership, by code',
    labelNames: ['code'],
    registers,
  })

  return {
    registry,
    memberships,
    faults,
    settleEvent(event) {
      switch (event.kind) {
        case 'inserted':
          insertSeconds.observe({ table: event.table }, event.durationMs / 1_000)
          return
        case 'insert_failed':
          insertFailures.inc({ table: event.table, code: event.fault.code })
          return
        case 'verified':
          verifications.inc()
      }
    },
    batchSettled({ partition, tally, recovered, lagOffsets }) {
      batches.inc()
      batchRows.observe(tally.messages)
      if (recovered) {
        recoveries.inc()
      }
      for (const fate of ['accepted', 'duplicate', 'rejected'] as const) {
        events.inc({ fate }, tally[fate])
      }
      for (const [reason, count] of Object.entries(tally.reasons)) {
        rejected.inc({ reason }, count)
      }
      lag.set({ partition }, lagOffsets)
    },
  }
}
