import type { AlertNotice, Delivered, Receiver } from './notice.ts'

/** One firing or resolving of one alert, as text. */
export function changeKey({ fingerprint, startsAtMs, status }: Omit<Delivered, 'receiver'>): string {
  return `${fingerprint} ${startsAtMs} ${status}`
}

/** How long a resolved alert is told again to who forgets: Prometheus' `resolvedRetention`. */
const resolvedRetellMs = 15 * 60_000
/** Notices in one request at most. */
export const noticesPerSendMax = 128

export interface PlanInput {
  readonly wants: Receiver['wants']
  readonly notices: readonly AlertNotice[]
  /** What was taken, by `changeKey`, and when; undefined while the ledger can't say. */
  readonly taken: ReadonlyMap<string, number> | undefined
  /** When this process told each notice last. */
  readonly toldMs: ReadonlyMap<string, number>
  readonly nowMs: number
  readonly resendMs: number
}

export interface Plan {
  /** To be sent one after the other. No batch tells of one alert twice, and each alert's notices come in their order. */
  readonly batches: readonly (readonly AlertNotice[])[]
  /** Resolved ones that nobody is told of, for nobody was told that they fired. */
  readonly withheld: number
}

/** What one receiver is to be told now, by the rules at the top of `delivery.ts`. */
export function planDelivery(input: PlanInput): Plan {
  const waves: AlertNotice[][] = []
  let withheld = 0
  for (const chain of chainsOf(input.notices)) {
    const due = input.wants === 'state' ? dueState(chain, input) : dueChanges(chain, input)
    withheld += due.withheld
    due.notices.forEach((notice, wave) => (waves[wave] ??= []).push(notice))
  }
  // A webhook's request is one group, so one batch is one request: half of a batch is then never taken.
  const group = (notice: AlertNotice) => (input.wants === 'changes' ? notice.labels['alertname'] : undefined)
  const batches = waves.flatMap((wave) => [...Map.groupBy(wave, group).values()].flatMap(chunks))
  return { batches, withheld }
}

/** The notices of each alert from the oldest to the newest, firing before resolved. */
function chainsOf(notices: readonly AlertNotice[]): AlertNotice[][] {
  const distinct = new Map(notices.map((notice) => [changeKey(notice), notice]))
  const order = [...distinct.values()].sort(
    (a, b) => a.startsAtMs - b.startsAtMs || (a.status === b.status ? 0 : a.status === 'firing' ? -1 : 1),
  )
  return [...Map.groupBy(order, ({ fingerprint }) => fingerprint).values()]
}

interface Due {
  readonly notices: readonly AlertNotice[]
  readonly withheld: number
}

function dueChanges(chain: readonly AlertNotice[], { taken }: PlanInput): Due {
  if (taken === undefined) {
    return { notices: [], withheld: 0 }
  }
  const fired = new Set(chain.filter(({ status }) => status === 'firing').map(changeKey))
  const wasTold = (notice: AlertNotice) => {
    const firing = changeKey({ ...notice, status: 'firing' })
    return fired.has(firing) || taken.has(firing)
  }
  const open = chain.filter((notice) => !taken.has(changeKey(notice)))
  const notices = open.filter(wasTold)
  return { notices, withheld: open.length - notices.length }
}

/**
 * Alertmanager holds one state of an alert: what comes last. So only the newest notice is told again, and it follows whenever an
 * older one has to be told: an old "resolved" after a new "firing" would resolve what fires.
 */
function dueState(chain: readonly AlertNotice[], { taken, toldMs, nowMs, resendMs }: PlanInput): Due {
  const newest = chain.at(-1)!
  const key = changeKey(newest)
  const isTime = nowMs - (toldMs.get(key) ?? -Infinity) >= resendMs
  if (taken === undefined) {
    // A change would have to be recorded. What we told before is kept from ending, that is all.
    return { notices: newest.status === 'firing' && toldMs.has(key) && isTime ? [newest] : [], withheld: 0 }
  }
  const open = chain.filter((notice) => !taken.has(changeKey(notice)))
  const holds = newest.status === 'firing' || nowMs - (taken.get(key) ?? -Infinity) <= resolvedRetellMs
  const again = !open.includes(newest) && (open.length > 0 || (holds && isTime))
  return { notices: again ? [...open, newest] : open, withheld: 0 }
}

function chunks(notices: readonly AlertNotice[]): AlertNotice[][] {
  const count = Math.ceil(notices.length / noticesPerSendMax)
  return Array.from({ length: count }, (_, index) =>
    notices.slice(index * noticesPerSendMax, (index + 1) * noticesPerSendMax),
  )
}
