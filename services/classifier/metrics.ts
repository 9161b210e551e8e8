import { Counter, Gauge, Histogram, Registry } from 'prom-client'

import type { Tally } from '../shared/pipeline/gather.ts'
import type { SettleEvent } from '../shared/pipeline/settle.ts'
import type { PartitionLag } from './lag.ts'

/** The counters of one classifier process, at `/metrics`. Names: intent_ledger_<noun>_<unit>. */
export interface ClassifierMetrics {
  readonly registry: Registry
  settleEvent(event: SettleEvent): void
  batchSettled(batch: { tally: Tally; recovered: boolean }): void
  /** What is asked at each scrape. */
  watch(source: MetricsSource): void
  expired: { inc(offsets: number): void }
  memberships: { inc(): void }
  faults: { inc(labels: { code: string }): void }
}

export interface MetricsSource {
  lags(): readonly PartitionLag[]
  notReady(): string | undefined
}

export function createMetrics(): ClassifierMetrics {
  const registry = new Registry()
  let source: MetricsSource = { lags: () => [], notReady: () => undefined }
  const registers = [registry]
  const events = new Counter({
    name: 'intent_ledger_events_total',
    help: 'Messages stored, by fate: accepted, duplicate or rejected',
    labelNames: ['fate'],
    registers,
  })
  const rejected = new Counter({
    name: 'intent_ledger_rejected_events_total',
    help: 'Messages rejected, by reason',
    labelNames: ['reason'],
    registers,
  })
  const batches = new Counter({ name: 'intent_ledger_batches_total', help: 'Batches settled', registers })
  const recoveries = new Counter({
    name: 'intent_ledger_plan_recoveries_total',
    help: 'Batches that an earlier owner had planned and this process finished',
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
    help: 'Seconds until ClickHouse acknowledged an insert',
    labelNames: ['table'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const insertFailures = new Counter({
    name: 'intent_ledger_insert_failures_total',
    help: 'Insert attempts that failed or had an unknown outcome; code lease_expired: refused because their lease had ended',
    labelNames: ['table', 'code'],
    registers,
  })
  const deduplicated = new Counter({
    name: 'intent_ledger_deduplicated_inserts_total',
    help: 'Inserts repeated though their rows stood in the table, so that the server dropped them',
    labelNames: ['table'],
    registers,
  })
  const verifications = new Counter({
    name: 'intent_ledger_verifications_total',
    help: 'Times the rows of a batch were counted after an unknown outcome',
    registers,
  })
  const restored = new Counter({
    name: 'intent_ledger_restored_rows_total',
    help: 'Rows that were lost behind a success answer and put back',
    registers,
  })
  const expired = new Counter({
    name: 'intent_ledger_expired_offsets_total',
    help: 'Offsets that retention deleted before they were read',
    registers,
  })
  // Asked at each scrape, so that a partition that went to another process goes from here.
  new Gauge({
    name: 'intent_ledger_lag_offsets',
    help: 'Offsets of an own partition that are not settled',
    labelNames: ['partition'],
    registers,
    collect() {
      this.reset()
      source.lags().forEach(({ partition, offsets }) => this.set({ partition }, offsets))
    },
  })
  new Gauge({
    name: 'intent_ledger_lag_seconds',
    help: 'Seconds since the first message of an own partition that is not settled was sent; 0 when there is none',
    labelNames: ['partition'],
    registers,
    collect() {
      this.reset()
      source.lags().forEach(({ partition, seconds }) => this.set({ partition }, seconds))
    },
  })
  new Gauge({
    name: 'intent_ledger_ready_state',
    help: '1 while /readyz says yes, 0 while it says why not',
    registers,
    collect() {
      this.set(source.notReady() === undefined ? 1 : 0)
    },
  })
  const memberships = new Counter({
    name: 'intent_ledger_memberships_total',
    help: 'Times a member of this process joined the consumer group',
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
    expired,
    watch: (asked) => (source = asked),
    settleEvent(event) {
      switch (event.kind) {
        case 'inserted':
          insertSeconds.observe({ table: event.table }, event.durationMs / 1_000)
          if (event.storedBefore) {
            deduplicated.inc({ table: event.table })
          }
          return
        case 'insert_failed':
          insertFailures.inc({ table: event.table, code: event.fault.code })
          return
        case 'verified':
          verifications.inc()
          return
        case 'restored':
          restored.inc(event.rows)
      }
    },
    batchSettled({ tally, recovered }) {
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
    },
  }
}
