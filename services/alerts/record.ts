/** What the alerts keep in ClickHouse: inputs seen, ticks judged, transitions. Every insert carries a token and is done once. */
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { insertSettings } from '../shared/pipeline/insert.ts'
import { sum, type Cell, type Series, type WindowInput } from './inputs.ts'
import type { Finding } from './judge.ts'
import type { Rule } from './rule.ts'
import type { AlertState, Status } from './state.ts'
import { annotationsOf, fingerprintOf, labelsOf } from './texts.ts'
import type { Tick, Transition } from './tick.ts'

export interface AlertRecord {
  /** Those of the windows that a live tick has kept. */
  inputs(series: Series, starts: readonly number[]): Promise<WindowInput[]>
  keepInputs(series: Series, inputs: readonly WindowInput[], nowMs: number): Promise<void>
  /** Where each rule stands: its last window, and the states after it. */
  lastTicks(): Promise<Map<string, LastTick>>
  /** Transitions first, then the tick that says they are there. */
  keepTick(rule: Rule, ruleHash: string, tick: Tick, nowMs: number): Promise<void>
  keepTransitions(rule: Rule, transitions: readonly Transition[], token: string, nowMs: number): Promise<void>
  /** In the order of window, rule and cohort. */
  transitions(range: { fromMs: number; toMs: number; rule?: string }): Promise<RecordedTransition[]>
}

export interface LastTick {
  readonly windowStartMs: number
  readonly states: ReadonlyMap<string, AlertState>
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

export function createAlertRecord(options: {
  clickHouse: ClickHouse
  database: string
  taxonomyVersion: number
}): AlertRecord {
  const { clickHouse, database, taxonomyVersion } = options

  async function insert(table: string, token: string, rows: readonly object[]): Promise<void> {
    if (rows.length === 0) {
      return
    }
    const body = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
    await clickHouse.insert(`INSERT INTO ${database}.${table} FORMAT JSONEachRow`, [body], {
      params: {},
      settings: insertSettings(token),
    })
  }

  const keepTransitions: AlertRecord['keepTransitions'] = (rule, transitions, token, nowMs) =>
    insert(
      'alert_transitions',
      token,
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
        annotations: annotationsOf(rule, transition),
        finding: JSON.stringify(transition.finding),
        recorded_at: time(nowMs),
      })),
    )

  return {
    keepTransitions,
    async inputs(series, starts) {
      if (starts.length === 0) {
        return []
      }
      const rows = await clickHouse.rows<{ start: number; cells: string }>(
        `SELECT toUnixTimestamp64Milli(window_start) AS start, any(cells) AS cells FROM ${database}.alert_inputs
         WHERE series = {series:String} AND taxonomy_version = {taxonomy:UInt16}
           AND window_start IN (SELECT arrayJoin(arrayMap(s -> fromUnixTimestamp64Milli(s, 'UTC'), {starts:Array(Int64)})))
         GROUP BY window_start`,
        { series: series.key, taxonomy: taxonomyVersion, starts },
      )
      return rows.map(({ start, cells }) => ({ startMs: start, origin: 'seen', cells: JSON.parse(cells) as Cell[] }))
    },
    async keepInputs(series, inputs, nowMs) {
      for (const { startMs, cells } of inputs) {
        await insert('alert_inputs', `inputs ${series.key} ${taxonomyVersion} ${startMs}`, [
          {
            ...{ series: series.key, window_start: time(startMs), taxonomy_version: taxonomyVersion },
            ...{ cells: JSON.stringify(cells), requests: cells.reduce((all, cell) => all + sum(cell.requests), 0) },
            seen_at: time(nowMs),
          },
        ])
      }
    },
    async lastTicks() {
      const rows = await clickHouse.rows<{ rule: string; start: number; states: string }>(
        `SELECT rule, toUnixTimestamp64Milli(max(window_start)) AS start, argMax(states, window_start) AS states
         FROM ${database}.alert_ticks GROUP BY rule`,
      )
      return new Map(
        rows.map(({ rule, start, states }) => [
          rule,
          { windowStartMs: start, states: new Map(JSON.parse(states) as [string, AlertState][]) },
        ]),
      )
    },
    async keepTick(rule, ruleHash, tick, nowMs) {
      const token = `${rule.name} ${tick.windowStartMs}`
      await keepTransitions(rule, tick.transitions, `transitions ${token}`, nowMs)
      const having = (status: Status) => tick.evaluations.filter((evaluation) => evaluation.status === status).length
      await insert('alert_ticks', `tick ${token}`, [
        {
          ...{ rule: rule.name, window_start: time(tick.windowStartMs), rule_hash: ruleHash },
          ...{ cohorts: tick.evaluations.length, insufficient: having('insufficient_data'), firing: having('firing') },
          ...{ states: JSON.stringify([...tick.states]), judged_at: time(nowMs) },
        },
      ])
    },
    async transitions({ fromMs, toMs, rule }) {
      const rows = await clickHouse.rows<TransitionRow>(
        `SELECT rule, cohort, fingerprint, toUnixTimestamp64Milli(window_start) AS start,
           toUnixTimestamp64Milli(window_end) AS end, from_status, to_status,
           toUnixTimestamp64Milli(starts_at) AS starts, labels, annotations, finding
         FROM ${database}.alert_transitions
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

/** As ClickHouse reads a DateTime64(3). */
function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 23)
}
