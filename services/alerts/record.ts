/** What the alerts keep in ClickHouse: inputs seen, ticks judged, transitions. Every insert carries a token and is done once. */
import { readAuditedSamples } from '../shared/io/audited-samples.ts'
import { correctionsOf } from './corrected.ts'
import type { WindowInput } from './inputs.ts'
import type { Finding } from './judge.ts'
import { panelOf } from './panel.ts'
import {
  createInputsRecord,
  createInsert,
  time,
  tokenOf,
  type InputsRecord,
  type RecordOptions,
} from './record-inputs.ts'
import { identityOf } from './rule-identity.ts'
import type { Rule } from './rule.ts'
import type { AlertState, Status } from './state.ts'
import { annotationsOf, fingerprintOf, labelsOf } from './texts.ts'
import type { Tick, Transition } from './tick.ts'

export interface AlertRecord extends InputsRecord {
  /** Where each rule stands: its last window, the states after it, and how many cohorts it judged. */
  lastTicks(): Promise<Map<string, LastTick & { readonly cohorts: number }>>
  /** The state after that window, if the rule, as it is, judged it live. */
  statesAfter(rule: Rule, windowStartMs: number): Promise<LastTick['states'] | undefined>
  /** Rules that lag, each with the window it waits for. */
  lagging(): Promise<Map<string, number>>
  /** Each rule's transitions first, then the ticks that say they are there. */
  keepTicks(judged: readonly KeptTick[], nowMs: number): Promise<void>
  /** That the rule goes on after this window, with these states. Harmless to repeat. */
  keepBeginning(rule: Rule, position: LastTick, nowMs: number): Promise<void>
  keepTransitions(rule: Rule, transitions: readonly Transition[], token: string, nowMs: number): Promise<void>
  /** In the order of window, rule and cohort. */
  transitions(range: { fromMs: number; toMs: number; rule?: string }): Promise<RecordedTransition[]>
}

export interface KeptTick {
  readonly rule: Rule
  /** `identityOf` the rule. */
  readonly identity: string
  readonly tick: Pick<Tick, 'windowStartMs' | 'states' | 'evaluations' | 'transitions'>
  /** What it was judged by. */
  readonly inputs: ReadonlyMap<number, WindowInput>
}

export interface LastTick {
  readonly windowStartMs: number
  /** The latest start of all windows judged under the rule's name, also by what it was before an edit. */
  readonly latestStartMs: number
  readonly states: ReadonlyMap<string, AlertState>
  /** `identityOf` the rule that judged it. */
  readonly identity: string
}

export interface RecordedTransition {
  readonly rule: string
  readonly cohort: readonly string[] | null
  readonly fingerprint: string
  readonly windowStartMs: number
  readonly windowEndMs: number
  readonly from: Status
  readonly to: Status
  readonly startsAtMs: number | null
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly finding: Finding | null
}

export function createAlertRecord(options: RecordOptions): AlertRecord {
  const { clickHouse, database, taxonomyVersion } = options

  const insert = createInsert(options)

  const transitionRows = (
    rule: Rule,
    transitions: readonly Transition[],
    nowMs: number,
    correctedOf: ReturnType<typeof correctionsOf> = () => null,
  ) =>
    transitions.map((transition) => ({
      rule: rule.name,
      cohort: JSON.stringify(transition.cohort),
      fingerprint: fingerprintOf(rule.name, transition.cohort),
      window_start: time(transition.windowStartMs),
      window_end: time(transition.windowEndMs),
      from_status: transition.from,
      to_status: transition.to,
      starts_at: transition.startsAtMs === null ? null : time(transition.startsAtMs),
      labels: labelsOf(rule, transition.cohort),
      annotations: annotationsOf(rule, transition, correctedOf(transition)),
      finding: JSON.stringify(transition.finding),
      recorded_at: time(nowMs),
    }))

  /** Shares are corrected by the audits that are loaded now, from the sums that were judged. */
  async function correctedRows(judged: readonly KeptTick[], nowMs: number): Promise<object[]> {
    const changed = judged.filter(({ tick }) => tick.transitions.length > 0)
    const samples = changed.length === 0 ? [] : await readAuditedSamples(clickHouse, database)
    return changed.flatMap(({ rule, tick, inputs: own }) => {
      const panel = samples.length === 0 ? [] : panelOf(rule, tick.windowStartMs, own)
      return transitionRows(rule, tick.transitions, nowMs, correctionsOf(rule, panel, samples, taxonomyVersion))
    })
  }

  const tickRow = ({ rule, identity, tick }: Omit<KeptTick, 'inputs'>, nowMs: number) => {
    const { windowStartMs, states, evaluations } = tick
    const having = (status: Status) => evaluations.filter((evaluation) => evaluation.status === status).length
    return {
      ...{ rule: rule.name, window_start: time(windowStartMs), rule_hash: identity },
      ...{ cohorts: evaluations.length, insufficient: having('insufficient_data'), firing: having('firing') },
      ...{ states: JSON.stringify([...states]), judged_at: time(nowMs) },
    }
  }

  return {
    keepTransitions: (rule, transitions, token, nowMs) =>
      insert('alert_transitions', token, transitionRows(rule, transitions, nowMs)),
    ...createInputsRecord(options),
    async lastTicks() {
      // By the time of judging: a rule whose window or cohorts were changed judges windows that the old one had judged too.
      const rows = await clickHouse.rows<{
        rule: string
        start: number
        latest: number
        states: string
        identity: string
        cohorts: number
      }>(
        `SELECT rule, toUnixTimestamp64Milli(tupleElement(last, 1)) AS start, tupleElement(last, 2) AS states,
           tupleElement(last, 3) AS identity, tupleElement(last, 4) AS cohorts, toUnixTimestamp64Milli(latest_start) AS latest
         FROM (SELECT rule, argMax((window_start, states, toString(rule_hash), cohorts), (judged_at, window_start)) AS last,
                 max(window_start) AS latest_start
               FROM ${database}.alert_ticks GROUP BY rule)`,
      )
      return new Map(
        rows.map(({ rule, start, latest, states, identity, cohorts }) => [
          rule,
          { windowStartMs: start, latestStartMs: latest, states: statesOf(states), identity, cohorts },
        ]),
      )
    },
    async statesAfter(rule, windowStartMs) {
      const [row] = await clickHouse.rows<{ states: string }>(
        `SELECT states FROM ${database}.alert_ticks
         WHERE rule = {rule:String} AND rule_hash = {identity:String}
           AND window_start = fromUnixTimestamp64Milli({start:Int64}, 'UTC')
         ORDER BY judged_at LIMIT 1`,
        { rule: rule.name, identity: identityOf(rule), start: windowStartMs },
      )
      return row === undefined ? undefined : statesOf(row.states)
    },
    async lagging() {
      const rows = await clickHouse.rows<{ rule: string; start: number }>(
        `SELECT rule, toUnixTimestamp64Milli(argMax(window_start, (window_end, recorded_at))) AS start
         FROM ${database}.alert_transitions WHERE from_status = 'lagging' OR to_status = 'lagging'
         GROUP BY rule HAVING argMax(to_status, (window_end, recorded_at)) = 'lagging'`,
      )
      return new Map(rows.map(({ rule, start }) => [rule, start]))
    },
    async keepBeginning(rule, { identity, windowStartMs, states }, nowMs) {
      const tick = { windowStartMs, states, evaluations: [], transitions: [] }
      const token = `beginning ${rule.name} ${identity} ${windowStartMs} ${nowMs}`
      await insert('alert_ticks', token, [tickRow({ rule, identity, tick }, nowMs)])
    },
    async keepTicks(judged, nowMs) {
      const names = judged.map(({ rule, identity, tick }) => `${rule.name} ${identity} ${tick.windowStartMs}`)
      await insert('alert_transitions', tokenOf('transitions', names), await correctedRows(judged, nowMs))
      const rows = judged.map((each) => tickRow(each, nowMs))
      await insert('alert_ticks', tokenOf('ticks', names), rows)
    },
    async transitions({ fromMs, toMs, rule }) {
      const rows = await clickHouse.rows<TransitionRow>(
        `SELECT rule, cohort, fingerprint, toUnixTimestamp64Milli(window_start) AS start,
           toUnixTimestamp64Milli(window_end) AS end, from_status, to_status,
           toUnixTimestamp64Milli(starts_at) AS starts, labels, annotations, finding
         FROM ${database}.alert_transitions FINAL
         WHERE window_start >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND window_start < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
           AND ({rule:String} = '' OR rule = {rule:String})
         ORDER BY window_end, rule, cohort, recorded_at`,
        { from: fromMs, to: toMs, rule: rule ?? '' },
      )
      return rows.map((row) => ({
        ...{ rule: row.rule, cohort: JSON.parse(row.cohort) as string[] | null, fingerprint: row.fingerprint },
        ...{ windowStartMs: row.start, windowEndMs: row.end, from: row.from_status, to: row.to_status },
        ...{ startsAtMs: row.starts, labels: row.labels, annotations: row.annotations },
        finding: JSON.parse(row.finding) as Finding | null,
      }))
    },
  }
}

interface TransitionRow {
  readonly rule: string
  readonly cohort: string
  readonly fingerprint: string
  readonly start: number
  readonly end: number
  readonly from_status: Status
  readonly to_status: Status
  readonly starts: number | null
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly finding: string
}

function statesOf(text: string): Map<string, AlertState> {
  return new Map(JSON.parse(text) as [string, AlertState][])
}
