import { formatNumber, renderJson, renderTable, type Column, type TableOrJson } from '../shared/io/render.ts'
import type { Backtest } from './backtest.ts'
import type { Corrected } from './corrected.ts'
import type { Explanation } from './explain.ts'
import type { Rule } from './rule.ts'
import type { RuleStatus } from './status.ts'
import { numbersOf } from './texts.ts'
import type { Transition } from './tick.ts'
import { windowName } from './windows.ts'

const left = (head: string): Column => ({ head, align: 'left' })
const right = (head: string): Column => ({ head, align: 'right' })

const correctedNote = 'Shares are corrected by the audit of today; it is of everybody, and nothing is judged by it.\n'

export function printBacktest(result: Backtest, rules: readonly Rule[], format: TableOrJson): string {
  if (format === 'json') {
    return renderJson({
      from: new Date(result.fromMs).toISOString(),
      to: new Date(result.toMs).toISOString(),
      transitions: result.transitions.map((transition) => ({
        ...transition,
        corrected: result.corrected.get(transition),
        windowStartMs: undefined,
        windowEndMs: undefined,
        startsAtMs: undefined,
        windowStart: new Date(transition.windowStartMs).toISOString(),
        windowEnd: new Date(transition.windowEndMs).toISOString(),
        startsAt: transition.startsAtMs === null ? null : new Date(transition.startsAtMs).toISOString(),
      })),
      rules: result.rules,
    })
  }
  const byName = new Map(rules.map((rule) => [rule.name, rule]))
  const timeline = result.transitions.map((transition) =>
    timelineLine(transition, byName.get(transition.rule), result.corrected.get(transition) ?? null),
  )
  const table = renderTable(
    ['rule', 'windows', 'seen live', 'judged', 'pages', 'firing', 'not known', 'lagging'].map((head, index) =>
      index === 0 ? left(head) : right(head),
    ),
    result.rules.map((rule) => [
      ...[rule.rule, rule.windows, rule.windowsSeenLive, rule.evaluations, rule.pages],
      ...[rule.firingWindows, rule.insufficientWindows, rule.lagging],
    ]),
  )
  const live = result.rules.reduce((sum, { windowsSeenLive }) => sum + windowsSeenLive, 0)
  const all = result.rules.reduce((sum, { windows }) => sum + windows, 0)
  const note = `${formatNumber(live)} of ${formatNumber(all)} windows by what a live run had seen, the others by the tables of today.\n`
  const audited = result.corrected.size === 0 ? '' : correctedNote
  return `${timeline.length === 0 ? 'nothing changed\n' : timeline.join('')}\n${table}\n${note}${audited}`
}

function timelineLine(transition: Transition, rule: Rule | undefined, corrected: Corrected | null): string {
  const { rule: name, cohort, from, to, windowStartMs } = transition
  const who = cohort === null ? name : [name, ...cohort].join(' ')
  const when = windowName(rule?.window ?? 'hour', windowStartMs)
  const numbers = rule === undefined ? '' : `\n    ${numbersOf(rule, transition, corrected)}`
  return `${when}  ${who}: ${from} -> ${to}${numbers}\n`
}

export function printExplanation(explanation: Explanation, format: TableOrJson): string {
  if (format === 'json') {
    return renderJson(explanation)
  }
  const source = explanation.origin === 'seen' ? 'what a live run had seen' : 'the tables of today'
  const cohorts = explanation.cohorts.map(
    ({ cohort, status, numbers, why }) => `${cohort.join(' ') || 'all'}: ${status}\n    ${numbers}\n    ${why}\n`,
  )
  const text = cohorts.length === 0 ? 'no cohort asked anything\n' : cohorts.join('')
  const audited = explanation.cohorts.some(({ corrected }) => corrected !== null)
  return `${explanation.rule}, window ${explanation.window}, by ${source}\n${text}${audited ? correctedNote : ''}`
}

export function printStatus(status: readonly RuleStatus[], format: TableOrJson): string {
  if (format === 'json') {
    return renderJson(status)
  }
  const table = renderTable(
    [
      ...[left('rule'), left('last window'), right('cohorts'), right('firing'), right('pending'), right('not known')],
      ...[right('late'), left('lags')],
    ],
    status.map((rule) => [
      ...[rule.rule, rule.lastWindow ?? 'none yet', rule.cohorts, rule.firing, rule.pending, rule.insufficient],
      ...[rule.late, rule.lagging ? 'yes' : 'no'],
    ]),
  )
  const alerts = status.flatMap((rule) =>
    rule.alerts.map(
      ({ cohort, status: shown, since }) =>
        `${shown} ${[rule.rule, ...cohort].join(' ')}${since === null ? '' : ` since ${since}`}\n`,
    ),
  )
  return `${table}\n${alerts.length === 0 ? 'nothing fires\n' : alerts.join('')}`
}
