import { setTimeout as sleep } from 'node:timers/promises'

import { PipelineError, type FaultCode } from '../domain/faults.ts'
import type { BatchHandle } from '../io/kafka-consumer.ts'
import type { Logger } from '../io/log.ts'
import { keepMembership } from './keeper.ts'

/** What a wait for an absent server needs, and whom it tells. */
export interface Outages {
  /** Milliseconds from the first failure until the fault is thrown after all. */
  readonly outageMaxMs: number
  readonly heartbeatIntervalMs: number
  readonly log: Logger
  /** Once it is aborted nothing is waited for any more. */
  readonly signal: AbortSignal
  /** `doing` can't be done for now. */
  readonly onAway: (doing: string, fault: PipelineError) => void
  /** `doing` was done at last, or is no longer tried. */
  readonly onOver: (doing: string, done: boolean) => void
}

const passing = new Set<FaultCode>(['clickhouse_unreachable', 'kafka_unreachable', 'registry_unreachable'])

/**
 * Tries `work` again while the server it needs is away. `work` must be safe to repeat. `assertMember` is asked before each
 * try, so that nobody waits on for a partition that was lost.
 */
export async function outlast<T>(
  doing: string,
  work: () => Promise<T>,
  assertMember: (doing: string) => void,
  outages: Outages,
): Promise<T> {
  let givesUpAt: number | undefined
  let done = false
  try {
    for (let failed = 0; ; failed++) {
      assertMember(doing)
      try {
        const result = await work()
        done = true
        return result
      } catch (thrown) {
        givesUpAt ??= performance.now() + outages.outageMaxMs
        const fault = asPassing(thrown)
        if (fault === undefined || performance.now() > givesUpAt || outages.signal.aborted) {
          throw thrown
        }
        outages.onAway(doing, fault)
        outages.log.warn({ doing, fault: fault.message }, 'a server is away, trying again')
        await sleep(Math.min(100 * 2 ** failed, 2_000), undefined, { signal: outages.signal }).catch(() => undefined)
      }
    }
  } finally {
    if (givesUpAt !== undefined) {
      outages.onOver(doing, done)
    }
  }
}

function asPassing(thrown: unknown): PipelineError | undefined {
  return thrown instanceof PipelineError && thrown.retryable && passing.has(thrown.code) ? thrown : undefined
}

/** `outlast` for work outside of a batch's settling: heartbeats go on meanwhile, so the group does not give the partition away. */
export async function outlastAsMember<T>(
  doing: string,
  work: () => Promise<T>,
  handle: BatchHandle,
  outages: Outages,
): Promise<T> {
  const keeper = keepMembership(handle, outages.heartbeatIntervalMs)
  try {
    return await outlast(doing, work, keeper.assertMember, outages)
  } finally {
    keeper.stop()
  }
}
