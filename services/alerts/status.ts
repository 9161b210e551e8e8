import { readSums, type SumsSource } from './read-sums.ts'
import { seriesOf, sum } from './inputs.ts'
import type { AlertRecord } from './record.ts'
import { windowMs, type Rule } from './rule.ts'
import { statusOf, type Status } from './state.ts'
import { windowName } from './windows.ts'

export interface RuleStatus {
  readonly rule: string
  /** The last window that was judged live; null when none was. */
  readonly lastWindow: string | null
  readonly cohorts: number
  readonly firing: number
  readonly pending: number
  readonly insufficient: number
  readonly lagging: boolean
  /** Requests (households, messages) of the last windows that came after these were judged: they change no judgement. */
  readonly late: number
  readonly alerts: readonly {
    readonly cohort: readonly string[]
    readonly status: Status
    readonly since: string | null
  }[]
}

/** Windows that late events are looked for in. */
const lateWindows = 7

/** Where each rule stands, by what the live run has recorded. */
export async function alertStatus(
  rules: readonly Rule[],
  deps: { record: AlertRecord; source: SumsSource },
): Promise<RuleStatus[]> {
  const last = await deps.record.lastTicks()
  const lagging = await deps.record.lagging()
  const found: RuleStatus[] = []
  for (const rule of rules) {
    const position = last.get(rule.name)
    const states = [...(position?.states ?? [])].map(([key, state]) => ({
      cohort: JSON.parse(key) as string[],
      status: statusOf(state),
      since: state.startsAtMs === null ? null : new Date(state.startsAtMs).toISOString(),
    }))
    const having = (status: Status) => states.filter((state) => state.status === status).length
    found.push({
      rule: rule.name,
      lastWindow: position === undefined ? null : windowName(rule.window, position.windowStartMs),
      cohorts: position?.cohorts ?? 0,
      ...{ firing: having('firing'), pending: having('pending'), insufficient: having('insufficient_data') },
      lagging: lagging.has(rule.name),
      late: position === undefined ? 0 : await countLate(rule, position.windowStartMs, deps),
      alerts: states.filter(({ status }) => status === 'firing' || status === 'pending'),
    })
  }
  return found
}

async function countLate(
  rule: Rule,
  lastStartMs: number,
  { record, source }: { record: AlertRecord; source: SumsSource },
): Promise<number> {
  const series = seriesOf(rule)
  const starts = Array.from({ length: lateWindows }, (_, index) => lastStartMs - index * windowMs[rule.window])
  const seen = await record.inputs(series, starts)
  const now = await readSums(
    source,
    series,
    seen.map(({ startMs }) => startMs),
  )
  return seen.reduce(
    (late, { startMs, cells }) => late + requestsOf(now.get(startMs)?.cells ?? []) - requestsOf(cells),
    0,
  )
}

function requestsOf(cells: readonly { requests: readonly number[] }[]): number {
  return cells.reduce((all, { requests }) => all + sum(requests), 0)
}
