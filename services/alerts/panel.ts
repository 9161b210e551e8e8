import { addAll, byCohort, cohortKey, sum, type CohortWindow, type JudgedWindows, type WindowInput } from './inputs.ts'
import { windowMs, type Rule } from './rule.ts'
import { baseStarts, inputStarts, otherStarts, stepsUpTo } from './windows.ts'

/** Every cohort that asks in a window or asked in its baseline, with its windows, in the order of keys. */
export type Panel = readonly PanelCohort[]

export interface PanelCohort {
  readonly key: string
  readonly cohort: readonly string[]
  readonly windows: JudgedWindows
}

interface KnownPanel {
  /** What it was made of, object by object. */
  readonly inputs: readonly (WindowInput | undefined)[]
  readonly panel: Panel
}

/** By the judged window. Rules that read the same sums share a panel, and with it all that is worked out of it (`judge`). */
const knownPanels = new WeakMap<WindowInput, Map<string, KnownPanel>>()

export function panelOf(rule: Rule, windowStartMs: number, inputs: ReadonlyMap<number, WindowInput>): Panel {
  const starts = inputStarts(rule, windowStartMs)
  const used = starts.map((start) => inputs.get(start))
  const [judged] = used
  if (judged === undefined) {
    return makePanel(rule, windowStartMs, inputs)
  }
  const ofWindow = knownPanels.get(judged) ?? new Map<string, KnownPanel>()
  knownPanels.set(judged, ofWindow)
  const shape = `${rule.condition.kind} ${rule.soFar} ${starts.length}`
  const known = ofWindow.get(shape)
  if (known?.inputs.every((input, index) => input === used[index])) {
    return known.panel
  }
  const panel = makePanel(rule, windowStartMs, inputs)
  ofWindow.set(shape, { inputs: used, panel })
  return panel
}

function makePanel(rule: Rule, windowStartMs: number, inputs: ReadonlyMap<number, WindowInput>): Panel {
  const back = stepsUpTo(rule, windowStartMs).map((step) => windowStartMs - step)
  const cohortsAt = (start: number) => together(back.map((ms) => byCohort(inputs.get(start - ms))))
  const passed = rule.soFar === null ? 1 : (back.length * windowMs[rule.window]) / windowMs[rule.soFar]
  const now = cohortsAt(windowStartMs)
  const base = baseStarts(rule, windowStartMs).map(cohortsAt)
  const others = otherStarts(rule, windowStartMs).map((weekday) => weekday.map(cohortsAt))
  const keys = new Set([...now.keys(), ...base.flatMap((window) => [...window.keys()])])
  if (rule.by.length === 0) {
    keys.add(cohortKey([]))
  }
  return [...keys].sort().map((key) => ({
    key,
    cohort: JSON.parse(key) as string[],
    windows: {
      now: now.get(key),
      base: base.map((window) => window.get(key)),
      others: others.map((weekday) => weekday.flatMap((window) => window.get(key) ?? [])),
      passed,
    },
  }))
}

type Cohorts = ReadonlyMap<string, CohortWindow>

/** Windows as one. Its households are those of the window with the most: who asked in two of them is not known. */
function together(windows: readonly Cohorts[]): Cohorts {
  const [only, ...more] = windows
  if (more.length === 0) {
    return only!
  }
  const keys = new Set(windows.flatMap((window) => [...window.keys()]))
  return new Map([...keys].map((key) => [key, addWindows(windows.flatMap((window) => window.get(key) ?? []))]))
}

function addWindows(windows: readonly CohortWindow[]): CohortWindow {
  const total = addAll(windows.map((window) => window.total))
  const mixes = new Set(windows.flatMap(({ byMix }) => [...byMix.keys()]))
  return {
    households: Math.max(...windows.map(({ households }) => households)),
    ...{ requests: sum(total.requests), hits: sum(total.monetised), total },
    byMix: new Map(
      [...mixes].map((mix) => [mix, addAll(windows.flatMap(({ byMix }) => byMix.get(mix) ?? []))] as const),
    ),
  }
}
