import { mistake } from './faults.ts'

/** An end of a range of the log as a person gives it: by Kafka's timestamps, or by offsets; `text` as it was typed. */
export type LogBound =
  | { readonly kind: 'time'; readonly timeMs: number; readonly text: string }
  /** Partitions that are not named have no bound. */
  | { readonly kind: 'offsets'; readonly offsets: ReadonlyMap<number, number>; readonly text: string }

export const logBoundForm = 'a time as 2026-03-02 or 2026-03-02T14:00Z, or offsets as 0:1000,1:2000 (partition:offset)'

/** Throws a mistake that names the option. Times are UTC. */
export function parseLogBound(option: string, given: string): LogBound {
  const timeMs = timeOf(given)
  if (timeMs !== undefined) {
    return { kind: 'time', timeMs, text: given }
  }
  const offsets = new Map<number, number>()
  for (const part of given.split(',')) {
    const [, partition, offset] = /^\s*(\d{1,9}):(\d{1,15})\s*$/.exec(part) ?? []
    if (partition === undefined || offset === undefined || offsets.has(Number(partition))) {
      throw mistake(`${option} ${given} is no place in the log; give ${logBoundForm}`)
    }
    offsets.set(Number(partition), Number(offset))
  }
  return { kind: 'offsets', offsets, text: given }
}

function timeOf(given: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z?)?$/.test(given)) {
    return undefined
  }
  const timeMs = Date.parse(given.includes('T') && !given.endsWith('Z') ? `${given}Z` : given)
  return Number.isNaN(timeMs) ? undefined : timeMs
}
