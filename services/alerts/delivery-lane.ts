import { setTimeout as sleep } from 'node:timers/promises'

import { PipelineError } from '../shared/domain/faults.ts'
import { changeKey, planDelivery } from './delivery-plan.ts'
import type { DeliveryDeps, DeliveryOutcome, Taken } from './delivery.ts'
import type { AlertNotice, Receiver } from './notice.ts'

const attemptsMax = 3
const backoffDefaultMs = 250

/** One receiver, and what this process remembers of it. Calls must not overlap; the contract stands in `delivery.ts`. */
export function createLane(receiver: Receiver, deps: DeliveryDeps) {
  const { ledger, nowMs, log, backoffMs = backoffDefaultMs } = deps
  /** When each notice was told last, by `changeKey`. */
  const toldMs = new Map<string, number>()
  /** Taken and not recorded, in the batches they were tried in: a batch tried again as it was stores nothing twice. */
  let unrecorded: Taken[][] = []
  let isAway = false
  let saidFault: string | null = null

  return async function tell(notices: readonly AlertNotice[]): Promise<DeliveryOutcome> {
    const known = await caught(() => readTaken(notices))
    let ledgerFault = known.fault
    let receiverFault: PipelineError | null = null
    const plan = planDelivery({
      ...{ wants: receiver.wants, notices, taken: known.value },
      ...{ toldMs, nowMs: nowMs(), resendMs: deps.resendMs },
    })
    const isChange = (notice: AlertNotice) => known.value !== undefined && !known.value.has(changeKey(notice))
    const due = plan.batches.flat().filter(isChange).length
    const queue = [...plan.batches]
    const heldBack = new Set<string>()
    let taken = 0
    let repeated = 0

    while (queue.length > 0) {
      const batch = queue.shift()!.filter(({ fingerprint }) => !heldBack.has(fingerprint))
      if (batch.length === 0) {
        continue
      }
      const { fault } = await caught(() => sendWithRetries(batch))
      if (fault?.code === 'receiver_refused' && batch.length > 1) {
        const half = Math.ceil(batch.length / 2)
        queue.unshift(batch.slice(0, half), batch.slice(half))
        continue
      }
      if (fault !== null) {
        receiverFault ??= fault
        if (fault.code !== 'receiver_refused') {
          break
        }
        heldBack.add(batch[0]!.fingerprint)
        continue
      }
      const takenAtMs = nowMs()
      batch.forEach((notice) => toldMs.set(changeKey(notice), takenAtMs))
      const changes = batch.filter(isChange)
      taken += changes.length
      repeated += batch.length - changes.length
      if (changes.length > 0) {
        unrecorded.push(changes.map((notice) => takenRow(receiver.name, notice, takenAtMs)))
        // A ledger that is away is asked once a call, not once a batch: its timeouts would hold the alerts up.
        ledgerFault ??= (await caught(recordRemembered)).fault
      }
    }

    forgetOthers(toldMs, notices)
    const fault = receiverFault ?? ledgerFault
    const outcome = { receiver: receiver.name, taken, repeated, waiting: due - taken, withheld: plan.withheld, fault }
    say(outcome)
    return outcome
  }

  async function readTaken(notices: readonly AlertNotice[]): Promise<Map<string, number>> {
    await recordRemembered()
    if (notices.length === 0) {
      return new Map()
    }
    const sinceMs = notices.reduce((least, { startsAtMs }) => Math.min(least, startsAtMs), Infinity)
    const rows = await ledger.delivered(receiver.name, sinceMs)
    return new Map(rows.map((row) => [changeKey(row), row.takenAtMs]))
  }

  async function recordRemembered(): Promise<void> {
    for (const rows of unrecorded) {
      await ledger.record(rows)
      unrecorded = unrecorded.filter((each) => each !== rows)
    }
  }

  async function sendWithRetries(batch: readonly AlertNotice[]): Promise<void> {
    const attempts = isAway ? 1 : attemptsMax
    for (let failed = 0; ; failed++) {
      const { fault } = await caught(() => receiver.send(batch))
      if (fault === null) {
        isAway = false
        return
      }
      if (!fault.retryable || failed + 1 >= attempts) {
        isAway ||= fault.retryable
        throw fault
      }
      await sleep(backoffMs * 2 ** failed)
    }
  }

  /** A fault that goes on is said once, not at every call. */
  function say({ fault, ...counts }: DeliveryOutcome): void {
    if (fault !== null && fault.message !== saidFault) {
      log[fault.retryable ? 'warn' : 'error']({ ...counts, fault: fault.message }, 'alerts not delivered')
    } else if (fault === null && (saidFault !== null || counts.taken > 0)) {
      log.info(counts, 'alerts delivered')
    }
    saidFault = fault?.message ?? null
  }
}

function takenRow(receiver: string, notice: AlertNotice, takenAtMs: number): Taken {
  const { fingerprint, startsAtMs, status } = notice
  return { receiver, fingerprint, startsAtMs, status, takenAtMs }
}

/** Alerts end, and a process that runs for months must not remember them all. */
function forgetOthers(toldMs: Map<string, number>, notices: readonly AlertNotice[]): void {
  const kept = new Set(notices.map(changeKey))
  for (const key of toldMs.keys()) {
    if (!kept.has(key)) {
      toldMs.delete(key)
    }
  }
}

/** A fault as a value. What is no PipelineError is a broken invariant and goes on as an exception. */
async function caught<T>(work: () => Promise<T>): Promise<{ value?: T; fault: PipelineError | null }> {
  try {
    return { value: await work(), fault: null }
  } catch (thrown) {
    if (thrown instanceof PipelineError) {
      return { fault: thrown }
    }
    throw thrown
  }
}
