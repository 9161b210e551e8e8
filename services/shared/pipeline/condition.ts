import type { PipelineError } from '../domain/faults.ts'

/** Whether one member of this process can do its work, why not, and for how long it has not. */
export interface Condition {
  readonly joined: () => void
  /** Kafka answered: a heartbeat or a fetch. */
  readonly heard: () => void
  /** `doing` fails for now and is tried again. */
  readonly away: (doing: string, fault: PipelineError) => void
  /** `doing` was done at last, or is no longer tried. */
  readonly over: (doing: string, done: boolean) => void
  readonly settled: () => void
  readonly membershipEnded: (fault: PipelineError) => void
  /** Milliseconds since the first fault after the last time that all was well; 0 when all is well. */
  readonly troubledMs: () => number
  /** One sentence, or undefined when it can do its work. */
  readonly notReady: () => string | undefined
}

/** A member for so long without a fault has recovered, also when there was nothing to settle. */
const recoveredAfterMs = 60_000

/** `silenceMaxMs`: a member that Kafka has not answered for longer is about to lose its partitions. `nowMs` is monotonic. */
export function createCondition({ silenceMaxMs, nowMs }: { silenceMaxMs: number; nowMs: () => number }): Condition {
  const failing = new Map<string, { fault: PipelineError; sinceMs: number }>()
  let outside: string | undefined = 'starting: not yet a member of the group'
  let joinedMs = 0
  let heardMs = 0
  let troubledSinceMs: number | undefined
  let lastTroubleMs = 0

  const forSeconds = (sinceMs: number) => `for ${Math.round((nowMs() - sinceMs) / 1_000)} s`
  return {
    joined() {
      outside = undefined
      failing.clear()
      joinedMs = heardMs = nowMs()
    },
    heard() {
      heardMs = nowMs()
    },
    away(doing, fault) {
      lastTroubleMs = nowMs()
      troubledSinceMs ??= lastTroubleMs
      failing.set(doing, { fault, sinceMs: failing.get(doing)?.sinceMs ?? nowMs() })
    },
    over(doing, done) {
      failing.delete(doing)
      if (done && failing.size === 0) {
        troubledSinceMs = undefined
      }
    },
    settled() {
      troubledSinceMs = undefined
    },
    membershipEnded(fault) {
      if (nowMs() - Math.max(joinedMs, lastTroubleMs) > recoveredAfterMs) {
        troubledSinceMs = undefined
      }
      lastTroubleMs = nowMs()
      troubledSinceMs ??= lastTroubleMs
      outside = fault.message
      failing.clear()
    },
    troubledMs: () => (troubledSinceMs === undefined ? 0 : nowMs() - troubledSinceMs),
    notReady() {
      if (outside !== undefined) {
        return outside
      }
      for (const [doing, { fault, sinceMs }] of failing) {
        const said = fault.message.startsWith(doing) ? fault.message : `${doing}: ${fault.message}`
        return `${said} (${forSeconds(sinceMs)})`
      }
      return nowMs() - heardMs > silenceMaxMs
        ? `Kafka has not answered ${forSeconds(heardMs)}: it is away, or the group is rebalancing`
        : undefined
    },
  }
}
