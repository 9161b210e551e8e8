/**
 * Brings notices to receivers. The contract:
 *
 * - `deliver` is given all notices of the alerts that fire or were resolved of late, also those told before, and for a resolved
 *   alert both its notices. It is called at least every `resendMs`, better more often. Calls don't overlap.
 * - A receiver of `changes` is sent every (fingerprint, startsAt, status) until it takes it, and then never again. Resolved is
 *   sent only after its firing was taken, at the latest in the same call: a pair that nobody took goes out in its order.
 * - A receiver of `state` is sent every change at once, what fires again every `resendMs`, and what is resolved until it takes
 *   it and then for 15 minutes more, as Prometheus does. While the ledger is away it is told again what fires, as before:
 *   Alertmanager would else take it all for resolved.
 * - An alert's notices go out in their order; one that is not taken holds back those after it of its alert, and no others.
 * - Receivers work side by side, and one's fault delays no other. A request that fails in a way that passes is tried
 *   three times in a call, once where the call before failed; what is not taken stays for the next call.
 * - Where a body is refused it is halved, down to the notice that can't be taken: one bad notice stops no good one.
 * - What is taken is recorded after it was taken. A crash between the two sends it again, and so does a request that was taken
 *   without an answer: with the same fingerprint and startsAt, which Alertmanager (by labels) and a webhook (by fingerprint and
 *   startsAt) know as the same alert. When the ledger fails we remember, and record later without sending again.
 */
import { mistake, type PipelineError } from '../shared/domain/faults.ts'
import type { Logger } from '../shared/io/log.ts'
import { createLane } from './delivery-lane.ts'
import type { AlertNotice, Delivered, Receiver } from './notice.ts'

/** A row of `alert_deliveries`. */
export interface Taken extends Delivered {
  readonly takenAtMs: number
}

export interface DeliveryLedger {
  /** What a receiver has taken of alerts that began at `startsSinceMs` or later. */
  delivered(receiver: string, startsSinceMs: number): Promise<Taken[]>
  /** Safe to repeat with the same rows. */
  record(rows: readonly Taken[]): Promise<void>
}

/** What one call did for one receiver. */
export interface DeliveryOutcome {
  readonly receiver: string
  /** Changes taken in this call. */
  readonly taken: number
  /** Notices told again to a receiver of `state`. */
  readonly repeated: number
  /** Changes that were due and not taken; the next call tries again. */
  readonly waiting: number
  /** Resolved ones that are not told, for their firing never was. */
  readonly withheld: number
  /** The receiver's first one, else the ledger's; null when all went well. */
  readonly fault: PipelineError | null
}

export interface DeliveryDeps {
  readonly receivers: readonly Receiver[]
  readonly ledger: DeliveryLedger
  readonly nowMs: () => number
  readonly resendMs: number
  readonly log: Logger
  /** Before the second attempt; doubled before each further one. */
  readonly backoffMs?: number
}

export function createDelivery(deps: DeliveryDeps) {
  const lanes = deps.receivers.map((receiver) => createLane(receiver, deps))
  const names = new Set(deps.receivers.map(({ name }) => name))
  if (names.size < lanes.length) {
    throw mistake(
      'two receivers of alerts have one name, so what one took would be missing at the other',
      'config_invalid',
    )
  }
  let turn: Promise<unknown> = Promise.resolve()

  async function deliverNow(notices: readonly AlertNotice[]): Promise<DeliveryOutcome[]> {
    const settled = await Promise.allSettled(lanes.map((lane) => lane(notices)))
    // Only a broken invariant rejects; the other receivers have been served by then.
    return settled.map((each) => {
      if (each.status === 'rejected') {
        throw each.reason
      }
      return each.value
    })
  }

  return {
    deliver(notices: readonly AlertNotice[]): Promise<DeliveryOutcome[]> {
      const outcomes = turn.then(() => deliverNow(notices))
      turn = outcomes.catch(() => undefined)
      return outcomes
    },
  }
}
