import { messageOf, PipelineError } from '../domain/faults.ts'
import { batchToken, encodePlan, type Plan } from '../domain/plan.ts'
import type { StreamDefinition } from '../domain/stream.ts'
import type { BatchHandle } from '../io/kafka-consumer.ts'
import { batchInserts, type SealedBatch, type TableInsert } from './insert.ts'
import { keepMembership, type Keeper } from './keeper.ts'
import { outlast, type Outages } from './outlast.ts'
import type { Store } from './store.ts'
import { storedBefore } from './stored-before.ts'
import { verifyBatch } from './verify.ts'

/**
 * Exactly once: PLAN -> insert accepted, duplicate, rejected -> ledger -> DONE.
 *
 * PLAN commits offset = first with the plan as metadata, so a process that lost the partition fails before it inserts, and
 * whoever comes after it finishes this very range. Each insert carries a token; whoever inserts second is dropped by
 * ClickHouse. DONE commits last + 1 without metadata. Any throw leaves the plan standing: the partition is opened anew
 * from it. The proof and the holes of this protocol stand in ARCHITECTURE.md, "Exactly once".
 */
export async function settle(batch: SealedBatch, plan: Plan, deps: SettleDeps): Promise<void> {
  const { handle } = deps
  const keeper = keepMembership(handle, deps.outages.heartbeatIntervalMs)
  try {
    const lease = createLease(batch, plan, deps, keeper)
    await lease.renew()
    const inserts = batchInserts(deps.stream, batch)
    const ledger = inserts.pop()!
    // Whoever planned a recovered batch may have died in the middle of an insert: its outcome is unknown, too.
    await insertAndVerify(inserts, { unsure: batch.recovered }, batch, lease, deps, keeper)
    // The ledger row says "all of it is there", so it must not stand before that is known.
    await insertAndVerify([ledger], { unsure: false }, batch, lease, deps, keeper)
    keeper.assertMember('closing')
    await handle.commit(batch.last + 1, '')
  } finally {
    keeper.stop()
  }
}

async function insertAndVerify(
  inserts: readonly TableInsert[],
  outcome: { unsure: boolean },
  batch: SealedBatch,
  lease: Lease,
  deps: SettleDeps,
  keeper: Keeper,
): Promise<void> {
  let failedAttempts = 0
  for (const insert of inserts) {
    const isStored = () => storedBefore(insert, batch, deps.store)
    failedAttempts += await insertUntilAcknowledged(insert, { isStored, unsure: outcome.unsure }, lease, deps, keeper)
  }
  if (failedAttempts > 0 || outcome.unsure) {
    // A retry's answer alone proves nothing (exactly-once hole 1).
    const verify = () =>
      verifyBatch(batch, inserts, {
        store: deps.store,
        log: deps.outages.log,
        leaseEndsMs: () => lease.endsMs,
        assertMember: keeper.assertMember,
        onRestored: (rows) => deps.onEvent({ kind: 'restored', rows }),
      })
    await outlast(`verifying ${batchToken(batch)}`, verify, keeper.assertMember, deps.outages)
    deps.onEvent({ kind: 'verified', failedAttempts })
  }
}

export interface SettleDeps {
  readonly stream: StreamDefinition
  readonly store: Store
  readonly handle: BatchHandle
  /** How long an insert may go on from its plan without the plan being committed anew. Shorter than the deduplication window lasts. */
  readonly leaseMs: number
  readonly outages: Outages
  readonly onEvent: (event: SettleEvent) => void
}

export type SettleEvent =
  | {
      readonly kind: 'inserted'
      readonly table: string
      readonly rows: number
      readonly durationMs: number
      /** The rows stood in the table before this insert, which only repeated them. */
      readonly storedBefore: boolean
    }
  | { readonly kind: 'insert_failed'; readonly table: string; readonly fault: PipelineError }
  | { readonly kind: 'verified'; readonly failedAttempts: number }
  | { readonly kind: 'restored'; readonly rows: number }

interface Lease {
  readonly endsMs: number
  renew(): Promise<void>
}

/** The lease starts before the commit that grants it, so a process stopped at any point in between holds an older one. */
function createLease(batch: SealedBatch, plan: Plan, deps: SettleDeps, keeper: Keeper): Lease {
  const metadata = encodePlan(plan)
  let endsMs = 0
  return {
    get endsMs() {
      return endsMs
    },
    async renew() {
      keeper.assertMember('planning')
      const startedMs = deps.store.serverNowMs()
      await deps.handle.commit(batch.first, metadata)
      endsMs = startedMs + deps.leaseMs
    },
  }
}

/** Repeats one insert with its token until ClickHouse acknowledges it. Returns how many attempts had an unknown outcome. */
async function insertUntilAcknowledged(
  insert: TableInsert,
  earlier: { readonly unsure: boolean; readonly isStored: () => Promise<boolean> },
  lease: Lease,
  deps: SettleDeps,
  keeper: Keeper,
): Promise<number> {
  const doing = `inserting ${insert.token} into ${insert.table}`
  let failed = 0
  const attempt = async (): Promise<boolean> => {
    let startedAt: number
    let isRepeat: boolean
    try {
      isRepeat = (failed > 0 || earlier.unsure) && (await earlier.isStored())
      startedAt = performance.now()
      await deps.store.insert(insert, lease.endsMs)
    } catch (thrown) {
      failed += 1
      const fault = asInsertFault(doing, thrown)
      deps.onEvent({ kind: 'insert_failed', table: insert.table, fault })
      if (fault.code === 'lease_expired') {
        await deps.store.readClock()
        await lease.renew()
        return false
      }
      throw fault
    }
    const durationMs = performance.now() - startedAt
    deps.onEvent({ kind: 'inserted', table: insert.table, rows: insert.rows, durationMs, storedBefore: isRepeat })
    return true
  }
  while (!(await outlast(doing, attempt, keeper.assertMember, deps.outages)));
  return failed
}

function asInsertFault(doing: string, thrown: unknown): PipelineError {
  const known = thrown instanceof PipelineError ? thrown : undefined
  return new PipelineError(`${doing}: ${messageOf(thrown)}`, {
    code: known?.code ?? 'clickhouse_unreachable',
    retryable: known?.retryable ?? true,
    cause: thrown,
  })
}
