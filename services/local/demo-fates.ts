import { rejectionReasons, type RejectionReason } from '../shared/domain/fate.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'

/** How many messages had which fate. */
export interface Fates {
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: Readonly<Record<RejectionReason, number>>
}

export interface CountedFates {
  readonly rows: readonly { readonly fate: string; readonly injected: number; readonly found: number }[]
  /** Whether every fate was found as often as it was injected. */
  readonly equal: boolean
}

/** What the tables hold now. */
export async function readFates(clickHouse: ClickHouse, database: string): Promise<Fates> {
  const [counts] = await clickHouse.rows<{ accepted: number; duplicate: number }>(
    `SELECT (SELECT count() FROM ${database}.intent_events) AS accepted, (SELECT count() FROM ${database}.duplicate_events) AS duplicate`,
  )
  const reasons = await clickHouse.rows<{ reason: RejectionReason; found: number }>(
    `SELECT reason, count() AS found FROM ${database}.rejected_events GROUP BY reason`,
  )
  const rejected = noReasons()
  for (const { reason, found } of reasons) {
    rejected[reason] = found
  }
  return { ...counts!, rejected }
}

export function sumFates(...parts: readonly Partial<Fates>[]): Fates {
  const rejected = noReasons()
  for (const part of parts) {
    for (const reason of rejectionReasons) {
      rejected[reason] += part.rejected?.[reason] ?? 0
    }
  }
  const sum = (name: 'accepted' | 'duplicate') => parts.reduce((total, part) => total + (part[name] ?? 0), 0)
  return { accepted: sum('accepted'), duplicate: sum('duplicate'), rejected }
}

/** Compares what was injected with what the tables gained. */
export function compareFates({
  injected,
  before,
  after,
}: {
  injected: Fates
  before: Fates
  after: Fates
}): CountedFates {
  const rows = [
    { fate: 'accepted', injected: injected.accepted, found: after.accepted - before.accepted },
    { fate: 'duplicate', injected: injected.duplicate, found: after.duplicate - before.duplicate },
    ...rejectionReasons.map((reason) => ({
      fate: `rejected: ${reason}`,
      injected: injected.rejected[reason],
      found: after.rejected[reason] - before.rejected[reason],
    })),
  ]
  return { rows, equal: rows.every((row) => row.injected === row.found) }
}

function noReasons(): Record<RejectionReason, number> {
  return Object.fromEntries(rejectionReasons.map((reason) => [reason, 0])) as Record<RejectionReason, number>
}
