import type { Candidate } from './candidates.ts'
import type { Rejection } from './rejudge.ts'

/** Messages that were rejected for one detail and of which the same becomes. */
export interface TallyRow {
  /** Why they were rejected, besides the reason. */
  readonly detail: string
  /** Why they stay; null of those that pass. */
  readonly reason: Rejection['reason'] | 'no_partition' | null
  readonly reasonDetail: string
  readonly messages: number
}

export interface Tally {
  readonly sent: number
  readonly stay: number
  /** The most frequent first. */
  readonly rows: readonly TallyRow[]
  add(candidate: Candidate, rejection: Rejection | 'no_partition' | undefined): void
}

/** Details may be sizes, and so many: what is rarer than that is summed up. */
const rowsMax = 1_000
const others = 'other details'

export function createTally(): Tally {
  const counts = new Map<string, { row: Omit<TallyRow, 'messages'>; messages: number }>()
  let sent = 0
  let stay = 0

  function count(row: Omit<TallyRow, 'messages'>): void {
    const key = JSON.stringify(row)
    const known = counts.get(key)
    if (known !== undefined) {
      known.messages += 1
    } else if (counts.size < rowsMax || row.detail === others) {
      counts.set(key, { row, messages: 1 })
    } else {
      count({ ...row, detail: others, reasonDetail: row.reason === null ? '' : others })
    }
  }

  return {
    get sent() {
      return sent
    },
    get stay() {
      return stay
    },
    get rows() {
      return [...counts.values()]
        .map(({ row, messages }) => ({ ...row, messages }))
        .sort((a, b) => b.messages - a.messages)
    },
    add({ detail, partition }, rejection) {
      if (rejection === undefined) {
        sent += 1
        return count({ detail, reason: null, reasonDetail: '' })
      }
      stay += 1
      return rejection === 'no_partition'
        ? count({ detail, reason: 'no_partition', reasonDetail: `the topic has no partition ${partition}` })
        : count({ detail, reason: rejection.reason, reasonDetail: rejection.detail })
    },
  }
}
