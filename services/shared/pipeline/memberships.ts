import { setTimeout as sleep } from 'node:timers/promises'

import { messageOf, PipelineError } from '../domain/faults.ts'
import type { LogConsumer } from '../io/kafka-consumer.ts'
import type { Logger } from '../io/log.ts'
import type { Condition } from './condition.ts'
import type { Outages } from './outlast.ts'
import { mayComeBack, type Pipeline } from './pipeline.ts'

/** What one membership in the group is made of: the consumer that brings the log, and the pipeline that takes it. */
export interface Membership {
  readonly pipeline: Pipeline
  readonly consumer: LogConsumer
  /** Ends what else was started with it. */
  readonly stop?: () => Promise<void>
  /** Settles what must be settled before it leaves in a stop; left out, what its pipeline has begun. */
  readonly settleForStop?: () => Promise<void>
}

export interface MembershipsDeps {
  readonly group: string
  readonly sessionTimeoutMs: number
  readonly outageMaxMs: number
  readonly stopTimeoutMs: number
  readonly condition: Condition
  readonly log: Logger
  join(outages: Outages): Promise<Membership>
  onFault?(fault: PipelineError): void
}

/**
 * A fetch asks for so many bytes of a partition. 4 MB drains no faster and takes 630 instead of 500 MB at the peak
 * (`npm run bench`); less than 1 MB makes too many rounds.
 */
export const fetchBytes = 1_048_576

/**
 * One membership after the other until the signal. A fault that may pass ends a membership, and the process comes back as a
 * new member, which reads plan and ledger again. Throws the fault that no new membership can mend.
 */
export async function runMemberships(deps: MembershipsDeps, signal: AbortSignal): Promise<void> {
  const { condition, log } = deps
  while (!signal.aborted) {
    const fault = await serve(deps, signal).catch((thrown: unknown) => {
      if (thrown instanceof PipelineError && mayComeBack(thrown)) {
        return thrown
      }
      throw thrown
    })
    if (fault === undefined || signal.aborted) {
      return
    }
    condition.membershipEnded(fault)
    deps.onFault?.(fault)
    if (!mayComeBack(fault) || condition.troubledMs() > deps.outageMaxMs) {
      throw fault
    }
    log.warn({ fault: messageOf(fault), code: fault.code }, 'membership ended, coming back as a new member')
    await sleep(1_000, undefined, { signal }).catch(() => undefined)
  }
}

/**
 * Members of one process side by side, until the signal. A fault that one of them can't mend ends all; it is thrown when all have
 * ended.
 */
export async function runMembers(
  members: readonly ((signal: AbortSignal) => Promise<void>)[],
  { signal, log }: { signal: AbortSignal; log: Logger },
): Promise<void> {
  const failed = new AbortController()
  const until = AbortSignal.any([signal, failed.signal])
  const runOne = async (member: (until: AbortSignal) => Promise<void>) => {
    try {
      await member(until)
    } catch (thrown) {
      if (failed.signal.aborted) {
        log.error({ fault: messageOf(thrown) }, 'a further membership failed')
      }
      // The first reason stays.
      failed.abort(thrown)
    }
  }
  await Promise.all(members.map(runOne))
  if (failed.signal.aborted) {
    throw failed.signal.reason
  }
}

/** One membership in the group, from joining to its end. Returns the fault that ended it, or undefined when stopped. */
async function serve(deps: MembershipsDeps, signal: AbortSignal): Promise<PipelineError | undefined> {
  const { condition, log, outageMaxMs } = deps
  const heartbeatIntervalMs = Math.max(250, deps.sessionTimeoutMs / 10)
  const membership = await deps.join({
    ...{ outageMaxMs, heartbeatIntervalMs, log, signal },
    onAway: condition.away,
    onOver: condition.over,
  })
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) {
      resolve(undefined)
    }
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  const fault = await Promise.race([membership.consumer.ended, stopped])
  await leave(membership, deps, fault, signal)
  return fault
}

/**
 * Input first: what is planned is finished, then the group is left. A stop may take `stopTimeoutMs`; after a fault the servers
 * may be away, and it may take as long as an outage.
 */
async function leave(
  { pipeline, consumer, stop, settleForStop = () => pipeline.drain() }: Membership,
  { group, outageMaxMs, stopTimeoutMs }: MembershipsDeps,
  fault: PipelineError | undefined,
  signal: AbortSignal,
): Promise<void> {
  const left = new AbortController()
  const overdue = async () => {
    await sleep(outageMaxMs, undefined, { signal: AbortSignal.any([signal, left.signal]) }).catch(() => undefined)
    await sleep(stopTimeoutMs, undefined, { signal: left.signal })
    throw new PipelineError(
      `stopping took more than ${stopTimeoutMs} ms: a batch or the leaving of group ${group} hangs; its plan will be finished by the next owner`,
      { code: 'stop_overdue', ...(fault === undefined ? {} : { cause: fault }) },
    )
  }
  try {
    const settled = fault === undefined ? settleForStop() : pipeline.drain()
    const done = Promise.all([stop?.(), settled.then(() => consumer.stop())])
    await Promise.race([done, overdue()])
  } finally {
    left.abort()
  }
}
