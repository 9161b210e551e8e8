import type { Series, WindowInput } from './inputs.ts'
import { seriesOf } from './inputs.ts'
import { readSums, type SumsSource, type Wanted } from './read-sums.ts'
import type { AlertRecord } from './record.ts'
import type { Rule } from './rule.ts'
import { inputStarts } from './windows.ts'

/** A rule's window that is to be judged. */
export interface Due {
  readonly rule: Rule
  readonly start: number
}

/** Windows' sums: kept ones as they were seen, others from the tables, and then kept when asked to. Held in memory by series. */
export interface WindowStore {
  /** Reads all that these windows are judged by, in few statements. */
  prepare(due: readonly Due[], nowMs: number): Promise<void>
  /** All that the rule's windows are judged by, once prepared. */
  of(rule: Rule): ReadonlyMap<number, WindowInput>
  /** Drops what no later window of the series' rules is compared with: hours of a year would fill the memory. */
  forget(due: Due): void
  /** Drops series that no rule asks for any more. */
  forgetOthers(rules: readonly Rule[]): void
}

/** Windows of all series that are read and kept at a time. */
const startsAtOnce = 7

export function createWindowStore(
  { source, record }: { source: SumsSource; record: AlertRecord },
  { keep }: { keep: boolean },
): WindowStore {
  const held = new Map<string, Map<number, WindowInput>>()
  /** How far back the rules of a series look, milliseconds. */
  const reachMs = new Map<string, number>()

  async function read(wanted: readonly Wanted[], nowMs: number): Promise<void> {
    const seen = await record.inputs(wanted)
    seen.forEach((windows, key) => windows.forEach((input) => held.get(key)!.set(input.startMs, input)))
    const unseen = missingOf(wanted)
    if (unseen.length === 0) {
      return
    }
    const found = await readSums(source, unseen)
    if (keep) {
      await record.keepInputs(
        unseen.map(({ series }) => ({ series, windows: [...found.get(series.key)!.values()] })),
        nowMs,
      )
      // Another process may have kept its own a moment before: both judge by what was kept first.
      const others = await record.inputsUnlike(found, unseen)
      others.forEach((windows, key) => windows.forEach((input) => held.get(key)!.set(input.startMs, input)))
    }
    found.forEach((windows, key) => {
      const own = held.get(key)!
      windows.forEach((input) => own.has(input.startMs) || own.set(input.startMs, input))
    })
  }

  function missingOf(wanted: readonly Wanted[]): Wanted[] {
    return wanted.flatMap(({ series, starts }) => {
      const windows = held.get(series.key)!
      const missing = starts.filter((start) => !windows.has(start))
      return missing.length === 0 ? [] : [{ series, starts: missing }]
    })
  }

  return {
    async prepare(due, nowMs) {
      const asked = new Map<string, { series: Series; starts: Set<number> }>()
      for (const { rule, start } of due) {
        const series = seriesOf(rule)
        const own = asked.get(series.key) ?? { series, starts: new Set<number>() }
        asked.set(series.key, own)
        inputStarts(rule, start).forEach((each) => own.starts.add(each))
        if (!held.has(series.key)) {
          held.set(series.key, new Map())
        }
      }
      const missing = missingOf([...asked.values()].map(({ series, starts }) => ({ series, starts: [...starts] })))
      const starts = [...new Set(missing.flatMap((each) => each.starts))].sort((left, right) => left - right)
      for (let from = 0; from < starts.length; from += startsAtOnce) {
        const some = new Set(starts.slice(from, from + startsAtOnce))
        const wanted = missing.map((each) => ({ ...each, starts: each.starts.filter((start) => some.has(start)) }))
        await read(
          wanted.filter((each) => each.starts.length > 0),
          nowMs,
        )
      }
    },
    of: (rule) => held.get(seriesOf(rule).key) ?? new Map<number, WindowInput>(),
    forget({ rule, start }) {
      const { key } = seriesOf(rule)
      const reach = Math.max(reachMs.get(key) ?? 0, start - Math.min(...inputStarts(rule, start)))
      reachMs.set(key, reach)
      const windows = held.get(key)
      windows?.forEach((_, each) => each < start - reach && windows.delete(each))
    },
    forgetOthers(rules) {
      const asked = new Set(rules.map((rule) => seriesOf(rule).key))
      for (const key of held.keys()) {
        if (!asked.has(key)) {
          held.delete(key)
          reachMs.delete(key)
        }
      }
    },
  }
}
