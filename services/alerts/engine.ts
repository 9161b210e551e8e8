/**
 * Takes the rules from window to window.
 *
 * A window is judged when it is complete: the watermark, up to which every event recorded is stored, has passed its end by the
 * allowed lateness. What it was judged by is kept first, then its transitions, then the tick: whoever goes on after a crash judges
 * the same window by the same inputs and stores nothing twice. Events that come later change roll-ups, never a judgement.
 *
 * A rule that was edited to ask for something else (`identityOf`) begins anew, and what fired under the old one is resolved.
 */
import type { Logger } from '../shared/io/log.ts'
import { seriesOf, type Series, type WindowInput } from './inputs.ts'
import { readSums, type SumsSource } from './read-sums.ts'
import type { AlertRecord, LastTick } from './record.ts'
import { identityOf } from './rule-identity.ts'
import { windowMs, type Rule } from './rule.ts'
import { statusOf, type AlertState } from './state.ts'
import { tick, type Tick, type Transition } from './tick.ts'
import { inputStarts, windowName, windowStart } from './windows.ts'

export interface EngineDeps {
  readonly source: SumsSource
  readonly record: AlertRecord
  /** Milliseconds since 1970 up to which all that was recorded in the log is stored. */
  watermark(nowMs: number): Promise<number>
  /** How long after its end a window still waits for events. */
  readonly latenessMs: number
  /** A window that is not complete so long after it should have been makes its rules lag. */
  readonly lagGraceMs: number
  readonly log: Logger
}

export interface AlertEngine {
  /** Judges every window that has become complete, rule by rule; returns what was judged, and of each rule that lags since when. */
  advance(rules: readonly Rule[], nowMs: number): Promise<Advance>
}

export interface Advance {
  readonly ticks: readonly Tick[]
  /** Rules whose next window is overdue: name and that window. */
  readonly lagging: ReadonlyMap<string, number>
}

export function createAlertEngine(deps: EngineDeps): AlertEngine {
  const { record, log, latenessMs } = deps
  const inputs = createInputs(deps, { keep: true })
  let lagging = new Map<string, number>()
  let positions: Map<string, LastTick> | undefined

  async function judgeNext(
    rule: Rule,
    start: number,
    before: ReadonlyMap<string, AlertState>,
    nowMs: number,
  ): Promise<Tick> {
    const found = await inputs.of(rule, start, nowMs)
    const judged = tick(rule, start, found, before)
    await record.keepTick(rule, identityOf(rule), judged, nowMs)
    inputs.forget(rule, start)
    const changed = judged.transitions.length
    log.info(
      { rule: rule.name, window: windowName(rule.window, start), cohorts: judged.evaluations.length, changed },
      'window judged',
    )
    return judged
  }

  async function lag(rule: Rule, start: number, nowMs: number): Promise<void> {
    if (!lagging.has(rule.name)) {
      lagging.set(rule.name, start)
      await record.keepTransitions(
        rule,
        [ofRule(rule, start, 'inactive', 'lagging')],
        `lagging ${rule.name} ${start}`,
        nowMs,
      )
      log.warn({ rule: rule.name, window: windowName(rule.window, start) }, 'rule lags: its window is not complete')
    }
  }

  async function caughtUp(rule: Rule, nowMs: number): Promise<void> {
    const since = lagging.get(rule.name)
    if (since !== undefined) {
      lagging.delete(rule.name)
      await record.keepTransitions(
        rule,
        [ofRule(rule, since, 'lagging', 'inactive')],
        `caught up ${rule.name} ${since}`,
        nowMs,
      )
    }
  }

  /** Where the rule stands; one that asks for something else now begins anew, with a window that was never judged under its name. */
  async function positionOf(rule: Rule, first: number, nowMs: number): Promise<LastTick> {
    const length = windowMs[rule.window]
    const identity = identityOf(rule)
    const last = positions!.get(rule.name)
    if (last === undefined) {
      return { windowStartMs: first - length, latestStartMs: first - length, states: new Map(), identity }
    }
    if (last.identity === identity) {
      return last
    }
    const ended = endedBy(rule, last, nowMs)
    // The old cohorts are no cohorts of this rule: their values would stand under other names.
    const token = `edited ${rule.name} ${last.identity} ${last.windowStartMs}`
    await record.keepTransitions({ ...rule, by: [], annotations: {} }, ended, token, nowMs)
    const start = Math.max(first, windowStart(rule.window, last.latestStartMs) + length)
    const begins = { windowStartMs: start - length, latestStartMs: last.latestStartMs, states: new Map(), identity }
    await record.keepBeginning(rule, begins, nowMs)
    positions!.set(rule.name, begins)
    log.info({ rule: rule.name, ended: ended.length }, 'rule asks for something else now, and begins anew')
    return begins
  }

  /** The last window that is complete; before anything is stored the last that has ended, to wait for. */
  const firstStart = ({ window }: Rule, watermarkMs: number, nowMs: number) =>
    windowStart(window, (watermarkMs > 0 ? watermarkMs : nowMs) - latenessMs) - windowMs[window]

  return {
    async advance(rules, nowMs) {
      if (positions === undefined) {
        lagging = await record.lagging()
        positions = await record.lastTicks()
      }
      const watermarkMs = Math.min(nowMs, await deps.watermark(nowMs))
      const ticks: Tick[] = []
      inputs.forgetOthers(rules)
      for (const rule of rules) {
        const length = windowMs[rule.window]
        const { identity, latestStartMs, ...last } = await positionOf(rule, firstStart(rule, watermarkMs, nowMs), nowMs)
        let states = last.states
        let start = last.windowStartMs + length
        for (; start + length + latenessMs <= watermarkMs; start += length) {
          const judged = await judgeNext(rule, start, states, nowMs)
          states = judged.states
          positions.set(rule.name, {
            ...{ windowStartMs: start, latestStartMs: Math.max(latestStartMs, start) },
            ...{ states, identity },
          })
          ticks.push(judged)
        }
        await (start + length + latenessMs + deps.lagGraceMs <= nowMs ? lag(rule, start, nowMs) : caughtUp(rule, nowMs))
      }
      return { ticks, lagging: new Map(lagging) }
    },
  }
}

/** What was pending or fired when the rule became another is over. */
function endedBy(rule: Rule, { states, windowStartMs }: LastTick, nowMs: number): Transition[] {
  return [...states].flatMap(([key, state]): Transition[] =>
    state.phase === 'inactive'
      ? []
      : [
          {
            ...{ rule: rule.name, cohort: JSON.parse(key) as string[], from: statusOf(state) },
            ...{ to: state.phase === 'firing' ? 'resolved' : 'inactive', startsAtMs: state.startsAtMs },
            ...{ windowStartMs, windowEndMs: nowMs, finding: null, adjustedP: null },
          },
        ],
  )
}

/** The rule as a whole, not one of its cohorts. */
function ofRule(rule: Rule, start: number, from: Transition['from'], to: Transition['to']): Transition {
  return {
    ...{ rule: rule.name, cohort: null, windowStartMs: start, windowEndMs: start + windowMs[rule.window], from, to },
    ...{ startsAtMs: null, finding: null, adjustedP: null },
  }
}

/** Windows' sums: kept ones as they were seen, others from the tables, and then kept when asked to. Held in memory by series. */
export function createInputs({ source, record }: Pick<EngineDeps, 'source' | 'record'>, { keep }: { keep: boolean }) {
  const held = new Map<string, Map<number, WindowInput>>()
  /** How far back the rules of a series look, milliseconds. */
  const reachMs = new Map<string, number>()

  async function ensure(
    series: Series,
    starts: readonly number[],
    nowMs: number,
  ): Promise<ReadonlyMap<number, WindowInput>> {
    const windows = held.get(series.key) ?? new Map<number, WindowInput>()
    held.set(series.key, windows)
    const missing = starts.filter((start) => !windows.has(start))
    if (missing.length > 0) {
      const seen = await record.inputs(series, missing)
      seen.forEach((input) => windows.set(input.startMs, input))
      const unseen = missing.filter((start) => !windows.has(start))
      const read = await readSums(source, series, unseen)
      if (keep) {
        await record.keepInputs(series, [...read.values()], nowMs)
        // Another process may have kept its own a moment before, and ours were then dropped as repeated.
        const kept = await record.inputs(series, unseen)
        kept.forEach((input) => read.set(input.startMs, input))
      }
      read.forEach((input) => windows.set(input.startMs, input))
    }
    return windows
  }

  return {
    /** All that the rule's window is judged by. */
    of: (rule: Rule, start: number, nowMs: number) => ensure(seriesOf(rule), inputStarts(rule, start), nowMs),
    /** Reads many windows at once that will be asked for. */
    prepare: (rule: Rule, starts: readonly number[], nowMs: number) =>
      ensure(seriesOf(rule), [...new Set(starts.flatMap((start) => inputStarts(rule, start)))], nowMs),
    /** What no later window of the series' rules is compared with: hours of a year would fill the memory. */
    forget(rule: Rule, start: number) {
      const { key } = seriesOf(rule)
      const reach = Math.max(reachMs.get(key) ?? 0, start - Math.min(...inputStarts(rule, start)))
      reachMs.set(key, reach)
      const windows = held.get(key)
      windows?.forEach((_, each) => each < start - reach && windows.delete(each))
    },
    /** Series that no rule asks for any more. */
    forgetOthers(rules: readonly Rule[]) {
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
