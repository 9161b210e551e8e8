import { readSums, type SumsSource } from './read-sums.ts'
import { seriesOf, sum } from './inputs.ts'
import type { AlertRecord, LastTick } from './record.ts'
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
  /** Those that fire or are pending, also where their last window is not known. */
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
  const late = await countLate(rules, last, deps)
  return rules.map((rule) => {
    const position = last.get(rule.name)
    const states = [...(position?.states ?? [])].map(([key, state]) => ({
      cohort: JSON.parse(key) as string[],
      phase: state.phase,
      status: statusOf(state),
      since: state.startsAtMs === null ? null : new Date(state.startsAtMs).toISOString(),
    }))
    const having = (status: Status) => states.filter((state) => state.status === status).length
    return {
      rule: rule.name,
      lastWindow: position === undefined ? null : windowName(rule.window, position.windowStartMs),
      cohorts: position?.cohorts ?? 0,
      ...{ firing: having('firing'), pending: having('pending'), insufficient: having('insufficient_data') },
      lagging: lagging.has(rule.name),
      late: late.get(rule.name) ?? 0,
      alerts: states
        .filter(({ phase }) => phase !== 'inactive')
        .map(({ cohort, status, since }) => ({ cohort, status, since })),
    }
  })
}

/** By rule. */
async function countLate(
  rules: readonly Rule[],
  last: ReadonlyMap<string, LastTick>,
  { record, source }: { record: AlertRecord; source: SumsSource },
): Promise<ReadonlyMap<string, number>> {
  const judged = rules.filter(({ name }) => last.has(name))
  const wanted = judged.map((rule) => {
    const { windowStartMs } = last.get(rule.name)!
    const starts = Array.from({ length: lateWindows }, (_, index) => windowStartMs - index * windowMs[rule.window])
    return { series: seriesOf(rule), starts }
  })
  const seen = await record.inputs(wanted)
  const now = await readSums(
    source,
    wanted.map(({ series }) => ({ series, starts: [...(seen.get(series.key)?.keys() ?? [])] })),
  )
  return new Map(
    judged.map((rule, index) => {
      const { series, starts } = wanted[index]!
      const [before, after] = [seen.get(series.key), now.get(series.key)]
      const counted = starts.filter((start) => before?.has(start))
      const late = counted.map((start) => requestsOf(after!.get(start)!.cells) - requestsOf(before!.get(start)!.cells))
      return [rule.name, sum(late)]
    }),
  )
}

function requestsOf(cells: readonly { requests: readonly number[] }[]): number {
  return cells.reduce((all, { requests }) => all + sum(requests), 0)
}
