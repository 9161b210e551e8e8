/** What a run prints: each fault as it happens, and the figures at its end. */
import type { FaultKind } from './faults.ts'
import type { Manifest } from './manifest.ts'
import type { ChaosOptions } from './options.ts'
import type { Deeds } from './world.ts'

/** What is known of a kind's faults. Milliseconds. */
export interface KindFigures {
  readonly times: number
  /** From the end of a fault until every partition has newer rows, where the run waited for that. */
  readonly recoveriesMs: readonly number[]
  /** From the death of one of three brokers until the load was acknowledged on every partition again. */
  readonly loadOnAfterMs: readonly number[]
}

/** A run in figures: a line of results.ndjson. */
export interface Summary {
  readonly seed: number
  readonly brokers: number
  readonly waitedPercent: number
  readonly seconds: number
  readonly faults: Readonly<Record<string, KindFigures>>
  readonly messages: number
  readonly events: number
  readonly duplicates: number
  readonly malformed: number
  readonly messagesPerSecond: number
  readonly lateInsertsRefused: number
  readonly endedByThemselves: Readonly<Record<string, number>>
  readonly differences: number
  /** Nothing lost, nothing twice; with `--tamper`, every tampering seen. */
  readonly clean: boolean
}

export interface ChaosRecord {
  /** A line with the seconds since the start. */
  readonly say: (line: string) => void
  begins(number: number, kind: FaultKind): void
  /** `recoveryMs` is undefined when nobody waited for the group to work again. */
  ended(deeds: Deeds, recoveryMs?: number): void
  load(messagesPerSecond: number, manifest: Manifest): void
  verdict(
    differences: Record<'load' | 'judge' | 'audit', readonly string[]>,
    endedByThemselves: Readonly<Record<string, number>>,
  ): Summary
}

export function createRecord(options: ChaosOptions, print: (line: string) => void): ChaosRecord {
  const startedMs = performance.now()
  const faults: { kind: FaultKind; recoveryMs: number | undefined; loadOnAfterMs: number | undefined }[] = []
  let kindAtHand: FaultKind | undefined
  let lateInsertsRefused = 0
  let load = { messages: 0, events: 0, duplicates: 0, malformed: 0, messagesPerSecond: 0 }
  const seconds = () => (performance.now() - startedMs) / 1_000
  const say = (line: string) => print(`${seconds().toFixed(1).padStart(7)} s  ${line}`)
  return {
    say,
    begins(number, kind) {
      kindAtHand = kind
      say(`fault ${number}: ${kind}`)
    },
    ended({ details, loadOnAfterMs, lateInsertsRefused: refused }, recoveryMs) {
      lateInsertsRefused += refused ?? 0
      faults.push({ kind: kindAtHand!, recoveryMs, loadOnAfterMs })
      const then = recoveryMs === undefined ? 'not waited for' : `all partitions on after ${Math.round(recoveryMs)} ms`
      say(`  ${details}; ${then}`)
    },
    load(messagesPerSecond, manifest) {
      const [events, duplicates, malformed] = (['accepted', 'duplicate', 'rejected'] as const).map((fate) =>
        Number(manifest.count(fate)),
      ) as [number, number, number]
      const messages = events + duplicates + malformed
      load = { messages, events, duplicates, malformed, messagesPerSecond: Math.round(messagesPerSecond) }
      say(
        `acknowledged ${messages} messages, ${load.messagesPerSecond} a second: ${events} events, ${duplicates} second copies, ${malformed} malformed, ${manifest.purchases} purchases`,
      )
    },
    verdict(differences, endedByThemselves) {
      const figures = [...Map.groupBy(faults, ({ kind }) => kind)].map(([kind, of]): [FaultKind, KindFigures] => [
        kind,
        {
          times: of.length,
          recoveriesMs: rounded(of.map(({ recoveryMs }) => recoveryMs)),
          loadOnAfterMs: rounded(of.map(({ loadOnAfterMs }) => loadOnAfterMs)),
        },
      ])
      figures.sort(([, a], [, b]) => b.times - a.times)
      const byKind = figures.map(([kind, { times }]) => `${kind} ${times}`)
      say(`faults: ${byKind.join(', ') || 'none'}`)
      const recoveries = spread(figures.flatMap(([, { recoveriesMs }]) => recoveriesMs))
      if (recoveries !== undefined) {
        say(`recovery: median ${recoveries.median} ms, worst ${recoveries.worst} ms of ${recoveries.count}`)
      }
      const ends = Object.entries(endedByThemselves).map(([who, count]) => `${who} ${count}`)
      say(`ended by themselves and were started again: ${ends.join(', ')}`)
      say(`late inserts refused by their lease: ${lateInsertsRefused}`)
      for (const [who, found] of Object.entries(differences)) {
        say(`${who}: ${found.length === 0 ? 'clean' : `${found.length} differences`}`)
        found.forEach((difference) => say(`  ${difference}`))
      }
      const found = Object.values(differences).reduce((sum, { length }) => sum + length, 0)
      const { seed, brokers, waitedPercent } = options
      return {
        ...{ seed, brokers, waitedPercent, seconds: Math.round(seconds()), ...load },
        faults: Object.fromEntries(figures),
        ...{ lateInsertsRefused, endedByThemselves, differences: found, clean: found === 0 },
      }
    },
  }
}

const rounded = (values: readonly (number | undefined)[]) =>
  values.filter((value) => value !== undefined).map(Math.round)

/** Undefined when there are none. */
export function spread(
  values: readonly number[],
): { readonly median: number; readonly worst: number; readonly count: number } | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  if (sorted.length === 0) {
    return undefined
  }
  return { median: sorted[sorted.length >> 1]!, worst: sorted.at(-1)!, count: sorted.length }
}
