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
import type { SumsSource } from './read-sums.ts'
import type { AlertRecord, LastTick } from './record.ts'
import { identityOf } from './rule-identity.ts'
import { windowMs, type Rule } from './rule.ts'
import { statusOf } from './state.ts'
import { tick, type Tick, type Transition } from './tick.ts'
import { createWindowStore, type Due } from './window-store.ts'
import { windowName, windowStart } from './windows.ts'

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
  /** Judges every window that has become complete, until the signal; returns what was judged, and of each rule that lags since when. */
  advance(rules: readonly Rule[], nowMs: number, signal?: AbortSignal): Promise<Advance>
}

export interface Advance {
  readonly ticks: readonly JudgedWindow[]
  /** Rules whose next window is overdue: name and that window. */
  readonly lagging: ReadonlyMap<string, number>
}

/** A tick without its evaluations: those of a thousand rules would fill the memory. */
export interface JudgedWindow extends Pick<Tick, 'rule' | 'windowStartMs' | 'transitions'> {
  readonly cohorts: number
}

/** Rules whose ticks are held, and recorded by one insert. */
const rulesAtOnce = 100

export function createAlertEngine(deps: EngineDeps): AlertEngine {
  const { record, log, latenessMs } = deps
  const windows = createWindowStore(deps, { keep: true })
  let lagging = new Map<string, number>()
  let positions: Map<string, LastTick> | undefined

  /** Judges windows of several rules, keeps what came of them, and goes on behind them. */
  async function judgeAll(due: readonly Due[], nowMs: number): Promise<JudgedWindow[]> {
    const judged = due.map(({ rule, start }) => ({
      ...{ rule, identity: identityOf(rule), inputs: windows.of(rule) },
      tick: tick(rule, start, windows.of(rule), positions!.get(rule.name)?.states ?? new Map()),
    }))
    await record.keepTicks(judged, nowMs)
    return judged.map(({ rule, identity, tick: { windowStartMs, states, evaluations, transitions } }) => {
      const latestStartMs = Math.max(positions!.get(rule.name)?.latestStartMs ?? windowStartMs, windowStartMs)
      positions!.set(rule.name, { windowStartMs, latestStartMs, states, identity })
      windows.forget({ rule, start: windowStartMs })
      log.info(
        {
          ...{ rule: rule.name, window: windowName(rule.window, windowStartMs) },
          ...{ cohorts: evaluations.length, changed: transitions.length },
        },
        'window judged',
      )
      return { rule: rule.name, windowStartMs, cohorts: evaluations.length, transitions }
    })
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
    async advance(rules, nowMs, signal) {
      if (positions === undefined) {
        lagging = await record.lagging()
        positions = await record.lastTicks()
      }
      const watermarkMs = Math.min(nowMs, await deps.watermark(nowMs))
      windows.forgetOthers(rules)
      const ticks: JudgedWindow[] = []
      const next = new Map<string, number>()
      for (const rule of rules) {
        const { windowStartMs } = await positionOf(rule, firstStart(rule, watermarkMs, nowMs), nowMs)
        next.set(rule.name, windowStartMs + windowMs[rule.window])
      }
      const endOf = ({ rule, start }: Due) => start + windowMs[rule.window] + latenessMs
      // Window by window, so that rules that read the same sums read them together.
      for (;;) {
        const due = rules
          .map((rule) => ({ rule, start: next.get(rule.name)! }))
          .filter((each) => endOf(each) <= watermarkMs)
        // A catching up over months must not keep who is told to stop: it goes on where it was.
        if (due.length === 0 || signal?.aborted) {
          break
        }
        await windows.prepare(due, nowMs)
        for (let from = 0; from < due.length; from += rulesAtOnce) {
          ticks.push(...(await judgeAll(due.slice(from, from + rulesAtOnce), nowMs)))
        }
        due.forEach(({ rule, start }) => next.set(rule.name, start + windowMs[rule.window]))
      }
      for (const rule of signal?.aborted ? [] : rules) {
        const start = next.get(rule.name)!
        await (endOf({ rule, start }) + deps.lagGraceMs <= nowMs ? lag(rule, start, nowMs) : caughtUp(rule, nowMs))
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
