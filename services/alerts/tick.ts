import { benjaminiHochberg } from '../shared/domain/stats/benjamini-hochberg.ts'
import type { Origin, WindowInput } from './inputs.ts'
import { judge, type Finding } from './judge.ts'
import { panelOf, type Panel } from './panel.ts'
import { windowMs, type Rule } from './rule.ts'
import { nextState, statusOf, untouched, type AlertState, type Status } from './state.ts'
import { inputStarts } from './windows.ts'

/** One cohort's change of status in one window. */
export interface Transition {
  readonly rule: string
  /** Values of the rule's `by`; null for the rule as a whole. */
  readonly cohort: readonly string[] | null
  readonly windowStartMs: number
  readonly windowEndMs: number
  readonly from: Status
  readonly to: Status
  /** Of the firing that this begins or ends. */
  readonly startsAtMs: number | null
  readonly finding: Finding | null
  readonly adjustedP: number | null
}

/** Whether people are told: an alert begins to fire, and does not merely go on after a time in which it could not be known. */
export function isPage({
  to,
  startsAtMs,
  windowEndMs,
}: Pick<Transition, 'to' | 'startsAtMs' | 'windowEndMs'>): boolean {
  return to === 'firing' && startsAtMs === windowEndMs
}

export interface Tick {
  readonly rule: string
  readonly windowStartMs: number
  /** Whether all its windows were kept by a live tick, or some read from the tables. */
  readonly origin: Origin
  readonly evaluations: readonly Evaluation[]
  readonly transitions: readonly Transition[]
  /** By cohort key; those that are not here are inactive. */
  readonly states: ReadonlyMap<string, AlertState>
}

export interface Evaluation {
  readonly cohort: readonly string[]
  readonly finding: Finding
  readonly adjustedP: number | null
  readonly status: Status
}

/**
 * Judges one window of a rule for all its cohorts. Pure: the same inputs and states give the same tick, live, in a backtest and
 * after a crash. The p-values of the cohorts are adjusted together (Benjamini & Hochberg 1995), so that of the cohorts that
 * page no more than `1 - confidence` do so by chance.
 */
export function tick(
  rule: Rule,
  windowStartMs: number,
  inputs: ReadonlyMap<number, WindowInput>,
  before: ReadonlyMap<string, AlertState>,
): Tick {
  const windowEndMs = windowStartMs + windowMs[rule.window]
  const found = withPending(panelOf(rule, windowStartMs, inputs), before).map(({ key, cohort, windows }) => ({
    ...{ key, cohort, finding: judge(rule, windows) },
  }))
  const adjusted = adjust(found.map(({ finding }) => (finding.insufficient === null ? finding.pValue : null)))
  const states = new Map<string, AlertState>()
  const evaluations: Evaluation[] = []
  const transitions: Transition[] = []
  found.forEach(({ key, cohort, finding }, index) => {
    const adjustedP = adjusted[index]!
    const earlier = before.get(key) ?? untouched
    const state = nextState(rule, earlier, finding, adjustedP, windowEndMs)
    const [from, to] = [statusOf(earlier), statusOf(state)]
    evaluations.push({ cohort, finding, adjustedP, status: to })
    if (state !== untouched) {
      states.set(key, state)
    }
    if (from !== to) {
      const startsAtMs = state.startsAtMs ?? earlier.startsAtMs
      transitions.push({
        rule: rule.name,
        cohort,
        windowStartMs,
        windowEndMs,
        from,
        to,
        startsAtMs,
        finding,
        adjustedP,
      })
    }
  })
  const origins = inputStarts(rule, windowStartMs).map((start) => inputs.get(start)?.origin ?? 'tables')
  return {
    ...{ rule: rule.name, windowStartMs, evaluations, transitions, states },
    origin: origins.every((origin) => origin === 'seen') ? 'seen' : 'tables',
  }
}

/** The cohorts of the panel and those that are pending or fire; in one order. Of the others nothing is known. */
function withPending(panel: Panel, before: ReadonlyMap<string, AlertState>): Panel {
  const pending = [...before].filter(([, { phase }]) => phase !== 'inactive').map(([key]) => key)
  const known = new Set(pending.length === 0 ? [] : panel.map(({ key }) => key))
  const gone = pending.filter((key) => !known.has(key))
  if (gone.length === 0) {
    return panel
  }
  const silent = gone.map((key) => ({
    ...{ key, cohort: JSON.parse(key) as string[], windows: { now: undefined, base: [] } },
  }))
  return [...panel, ...silent].sort((left, right) => (left.key < right.key ? -1 : 1))
}

function adjust(pValues: readonly (number | null)[]): (number | null)[] {
  const known = pValues.filter((p) => p !== null)
  const adjusted = benjaminiHochberg(known)
  let next = 0
  return pValues.map((p) => (p === null ? null : adjusted[next++]!))
}
