/**
 * A classifier process that stops itself at a named step: the entry of a child process in tests, started with the same
 * environment as the product's own.
 *
 * STOP_AT is `step` or `step:n` (the n-th time it gets there); STOP_SIGNAL is SIGKILL (default) or SIGSTOP. Steps: `before`
 * and `after` with plan, done, accepted, duplicates, rejected and ledger. "stopping" is printed just before the signal.
 */
import type { ClassifierParts } from '../../services/classifier/classifier.ts'
import { runClassifier } from '../../services/classifier/main.ts'
import { streams } from '../../services/shared/domain/streams.ts'
import { startLogConsumer, type BatchHandle } from '../../services/shared/io/kafka-consumer.ts'
import { around, env } from './stop-at-step.ts'

const stepOfTable: Record<string, string> = {
  ...Object.fromEntries(streams.map(({ table }) => [table, 'accepted'])),
  duplicate_events: 'duplicates',
  rejected_events: 'rejected',
  ingest_batches: 'ledger',
}

const watchedHandle = (handle: BatchHandle): BatchHandle => ({
  ...handle,
  commit: (offset, metadata) => around(metadata === '' ? 'done' : 'plan', () => handle.commit(offset, metadata)),
})

const decorate = (parts: ClassifierParts): ClassifierParts => ({
  ...parts,
  store: {
    ...parts.store,
    insert: (insert, leaseEndsMs) => around(stepOfTable[insert.table]!, () => parts.store.insert(insert, leaseEndsMs)),
  },
  startConsumer: (options) =>
    startLogConsumer({ ...options, onBatch: (batch, handle) => options.onBatch(batch, watchedHandle(handle)) }),
})

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
await runClassifier(env, stop.signal, decorate)
// As `services/verbs.ts`: a connection that kafkajs forgot does not hold the process.
setTimeout(() => process.exit(), 1_000).unref()
