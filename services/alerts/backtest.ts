import { readAuditedSamples } from '../shared/io/audited-samples.ts'
import { correctionsOf, type Corrected } from './corrected.ts'
import type { EngineDeps } from './engine.ts'
import { panelOf } from './panel.ts'
import { windowMs, type Rule } from './rule.ts'
import type { AlertState } from './state.ts'
import { isPage, tick, type Transition } from './tick.ts'
import { createWindowStore } from './window-store.ts'
import { windowStart } from './windows.ts'

/** How rules would have behaved over a time that is past. */
export interface Backtest {
  readonly fromMs: number
  readonly toMs: number
  /** In the order of time, rule and cohort. */
  readonly transitions: readonly Transition[]
  /** Shares at transitions by the audit that is loaded now, whatever a live run had. */
  readonly corrected: ReadonlyMap<Transition, Corrected>
  readonly rules: readonly RuleSummary[]
}

export interface RuleSummary {
  readonly rule: string
  readonly windows: number
  /** Windows judged by what a live tick had kept; the others by the tables of today, late events included. */
  readonly windowsSeenLive: number
  /** Cohorts judged, over all windows. */
  readonly evaluations: number
  /** Times that an alert began to fire. */
  readonly pages: number
  /** Cohort windows in which an alert fired, and in which it could not be known. */
  readonly firingWindows: number
  readonly insufficientWindows: number
  /** Windows that a live run waited for longer than it bore. */
  readonly lagging: number
}

/** Windows read from the tables at a time. */
const chunkWindows = 28

/**
 * The engine of `alerts run` over complete windows from `fromMs` on, before `toMs`. Goes on from the states that a live run had
 * after the window before, else with no alert firing. Keeps nothing.
 */
export async function backtest(
  rules: readonly Rule[],
  range: { fromMs: number; toMs: number },
  deps: Pick<EngineDeps, 'source' | 'record'> & { onProgress?: (done: number, total: number) => void },
): Promise<Backtest> {
  const windows = createWindowStore(deps, { keep: false })
  const lagged = (await deps.record.transitions(range)).filter(({ to, from }) => to === 'lagging' || from === 'lagging')
  const transitions: Transition[] = lagged.map(({ rule, windowStartMs, windowEndMs, from, to }) => ({
    ...{ rule, cohort: null, windowStartMs, windowEndMs, from, to, startsAtMs: null, finding: null, adjustedP: null },
  }))
  const summaries: RuleSummary[] = []
  const { clickHouse, database, taxonomyVersion } = deps.source
  const samples = await readAuditedSamples(clickHouse, database)
  const corrected = new Map<Transition, Corrected>()
  for (const [index, rule] of rules.entries()) {
    const length = windowMs[rule.window]
    const first = windowStart(rule.window, range.fromMs + length - 1)
    const starts: number[] = []
    for (let start = first; start + length <= range.toMs; start += length) {
      starts.push(start)
    }
    let states: ReadonlyMap<string, AlertState> = (await deps.record.statesAfter(rule, first - length)) ?? new Map()
    const counts = { windowsSeenLive: 0, evaluations: 0, pages: 0, firingWindows: 0, insufficientWindows: 0 }
    for (const [place, start] of starts.entries()) {
      if (place % chunkWindows === 0) {
        const chunk = starts.slice(place, place + chunkWindows).map((each) => ({ rule, start: each }))
        await windows.prepare(chunk, 0)
        deps.onProgress?.(index + place / starts.length, rules.length)
      }
      const found = windows.of(rule)
      const judged = tick(rule, start, found, states)
      const correctedOf = correctionsOf(rule, panelOf(rule, start, found), samples, taxonomyVersion)
      states = judged.states
      for (const transition of judged.transitions) {
        transitions.push(transition)
        const share = correctedOf(transition)
        if (share !== null) {
          corrected.set(transition, share)
        }
      }
      counts.windowsSeenLive += judged.origin === 'seen' ? 1 : 0
      counts.evaluations += judged.evaluations.length
      counts.pages += judged.transitions.filter(isPage).length
      counts.firingWindows += judged.evaluations.filter(({ status }) => status === 'firing').length
      counts.insufficientWindows += judged.evaluations.filter(({ status }) => status === 'insufficient_data').length
    }
    const lagging = lagged.filter(({ rule: name, to }) => name === rule.name && to === 'lagging').length
    summaries.push({ rule: rule.name, windows: starts.length, ...counts, lagging })
  }
  transitions.sort(
    (left, right) =>
      left.windowEndMs - right.windowEndMs ||
      compare(left.rule, right.rule) ||
      compare(JSON.stringify(left.cohort), JSON.stringify(right.cohort)),
  )
  return { ...range, transitions, corrected, rules: summaries }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
