/** What a run prints: each fault as it happens, and the figures at its end. */
import type { FaultKind } from './faults.ts'
import type { Manifest } from './manifest.ts'

export interface ChaosRecord {
  /** A line with the seconds since the start. */
  readonly say: (line: string) => void
  begins(number: number, kind: FaultKind): void
  /** `recoveryMs` is undefined when nobody waited for the group to work again. */
  ended(details: string, recoveryMs?: number): void
  load(eventsPerSecond: number, manifest: Manifest): void
  verdict(
    differences: Record<'load' | 'judge' | 'audit', readonly string[]>,
    endedByThemselves: Readonly<Record<string, number>>,
  ): void
}

export function createRecord(print: (line: string) => void): ChaosRecord {
  const startedMs = performance.now()
  const kinds = new Map<FaultKind, number>()
  const recoveriesMs: number[] = []
  const say = (line: string) => print(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(7)} s  ${line}`)
  return {
    say,
    begins(number, kind) {
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      say(`fault ${number}: ${kind}`)
    },
    ended(details, recoveryMs) {
      if (recoveryMs !== undefined) {
        recoveriesMs.push(recoveryMs)
      }
      const then = recoveryMs === undefined ? 'not waited for' : `all partitions on after ${Math.round(recoveryMs)} ms`
      say(`  ${details}; ${then}`)
    },
    load(eventsPerSecond, manifest) {
      const [accepted, duplicate, rejected] = (['accepted', 'duplicate', 'rejected'] as const).map(manifest.count)
      say(
        `acknowledged ${accepted! + duplicate! + rejected!} messages, ${Math.round(eventsPerSecond)} a second: ${accepted} events, ${duplicate} second copies, ${rejected} malformed, ${manifest.purchases} purchases`,
      )
    },
    verdict(differences, endedByThemselves) {
      const byKind = [...kinds].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${kind} ${count}`)
      say(`faults: ${byKind.join(', ') || 'none'}`)
      const sorted = recoveriesMs.toSorted((a, b) => a - b)
      if (sorted.length > 0) {
        const median = sorted[sorted.length >> 1]!
        say(`recovery: median ${Math.round(median)} ms, worst ${Math.round(sorted.at(-1)!)} ms of ${sorted.length}`)
      }
      const ends = Object.entries(endedByThemselves).map(([who, count]) => `${who} ${count}`)
      say(`ended by themselves and were started again: ${ends.join(', ')}`)
      for (const [who, found] of Object.entries(differences)) {
        say(`${who}: ${found.length === 0 ? 'clean' : `${found.length} differences`}`)
        found.forEach((difference) => say(`  ${difference}`))
      }
    },
  }
}
