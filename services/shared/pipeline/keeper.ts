import { messageOf, PipelineError } from '../domain/faults.ts'
import type { BatchHandle } from '../io/kafka-consumer.ts'

export interface Keeper {
  /** Throws when a heartbeat failed or the generation ended: nothing new may be started then. */
  readonly assertMember: (doing: string) => void
  readonly stop: () => void
}

/** Heartbeats while work goes on. After a failed one the attempt in flight is finished and no other is started. */
export function keepMembership(handle: BatchHandle, intervalMs: number): Keeper {
  let lost: unknown
  const timer = setInterval(() => {
    handle.heartbeat().catch((thrown: unknown) => {
      lost = thrown ?? new Error('heartbeat failed')
    })
  }, intervalMs)
  return {
    assertMember(doing) {
      if (lost !== undefined) {
        throw lost instanceof Error ? lost : new Error(messageOf(lost))
      }
      if (!handle.isCurrent()) {
        throw new PipelineError(`${doing}: this member's generation has ended`, {
          code: 'membership_lost',
          retryable: true,
        })
      }
    },
    stop: () => clearInterval(timer),
  }
}
