import { readAuditedSamples } from '../shared/io/audited-samples.ts'
import { correctionsOf, type Corrected } from './corrected.ts'
import type { EngineDeps } from './engine.ts'
import { panelOf } from './panel.ts'
import { holds } from './state.ts'
import { windowMs, type Rule } from './rule.ts'
import { numbersOf } from './texts.ts'
import { tick, type Evaluation, type Tick, type Transition } from './tick.ts'
import { createWindowStore } from './window-store.ts'
import { judgedName, windowStart } from './windows.ts'

/** One window of a rule, cohort by cohort, with the reason for what became of each. */
export interface Explanation {
  readonly rule: string
  readonly window: string
  readonly windowStartMs: number
  readonly origin: Tick['origin']
  readonly cohorts: readonly (Evaluation & {
    /** The share by the audit that is loaded now; null without one. Nothing is judged by it. */
    readonly corrected: Corrected | null
    readonly numbers: string
    readonly why: string
  })[]
}

/** Windows before it that are judged again from "inactive", so that pending and firing are as they were. */
const leadWindows = 60

/** Judges the last window that had ended at that time, with those before it. Reads only. */
export async function explain(
  rule: Rule,
  atMs: number,
  deps: Pick<EngineDeps, 'source' | 'record'>,
): Promise<Explanation> {
  const length = windowMs[rule.window]
  const start = windowStart(rule.window, atMs) - length
  const windows = createWindowStore(deps, { keep: false })
  const starts = Array.from({ length: leadWindows + 1 }, (_, index) => start - (leadWindows - index) * length)
  await windows.prepare(
    starts.map((each) => ({ rule, start: each })),
    0,
  )
  let states: Tick['states'] = new Map()
  let judged: Tick | undefined
  for (const each of starts) {
    judged = tick(rule, each, windows.of(rule), states)
    states = judged.states
  }
  const { evaluations, origin } = judged!
  const { clickHouse, database, taxonomyVersion } = deps.source
  const samples = await readAuditedSamples(clickHouse, database)
  const panel = panelOf(rule, start, windows.of(rule))
  const correctedOf = correctionsOf(rule, panel, samples, taxonomyVersion)
  return {
    ...{ rule: rule.name, window: judgedName(rule, start), windowStartMs: start, origin },
    cohorts: evaluations.map((evaluation) => {
      const corrected = correctedOf(evaluation)
      const shown: Transition = {
        ...{ rule: rule.name, windowStartMs: start, windowEndMs: start + length, startsAtMs: null, from: 'inactive' },
        ...{ to: evaluation.status, cohort: evaluation.cohort },
        ...{ finding: evaluation.finding, adjustedP: evaluation.adjustedP },
      }
      return { ...evaluation, corrected, numbers: numbersOf(rule, shown, corrected), why: whyOf(rule, evaluation) }
    }),
  }
}

/** Why it fires or does not, in one sentence. */
export function whyOf(rule: Rule, { finding, adjustedP, status }: Evaluation): string {
  if (finding.insufficient !== null) {
    return `it can't be known: ${finding.insufficient}`
  }
  const held = holds(rule, finding, adjustedP)
  if (status === 'firing') {
    return held
      ? 'it fires: the condition holds'
      : 'it goes on firing: the condition does not hold beyond doubt, but the value has not come back by the hysteresis, or keepFiringFor is not over'
  }
  if (held) {
    return `pending: the condition holds, and must for ${rule.forWindows} windows in a row`
  }
  const { condition } = rule
  if (condition.kind === 'drift') {
    return `no drift: the sums stay below ${condition.h} standard errors`
  }
  const missing = adjustedP === null || adjustedP > 1 - rule.confidence ? ['it may be chance'] : []
  if (!holds({ ...rule, confidence: 0 }, finding, 0)) {
    const size = condition.kind === 'threshold' ? 'the threshold' : 'the least change that is asked for'
    missing.push(`it does not reach ${size}`)
  }
  const mix = finding.mixPart !== null && Math.abs(finding.mixPart) > Math.abs(finding.ratePart ?? 0)
  return `it does not fire: ${missing.join(', and ')}${mix ? '; most of the change is mix, not behaviour' : ''}`
}
