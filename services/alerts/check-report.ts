import { renderJson, type TableOrJson } from '../shared/io/render.ts'
import type { Condition, Rule } from './rule.ts'
import type { LoadedRules } from './rules-file.ts'

/** What `alerts check` prints of a file without mistakes. JSON has the rules as the engine reads them. */
export function printCheck(file: string, { rules, hash }: LoadedRules, format: TableOrJson): string {
  if (format === 'json') {
    return renderJson({ file, valid: true, hash, rules })
  }
  const count = rules.length === 1 ? '1 rule' : `${rules.length} rules`
  const rows = rules.map((rule) => [rule.name, rule.measure, rule.window, conditionText(rule), byText(rule)])
  return `${file}: ${count}, valid, hash ${hash}\n\n${columns([['name', 'measure', 'window', 'condition', 'by'], ...rows])}`
}

/** `drops by 10 %`, `above 5 %`, `drifts down`. */
export function conditionText({ measure, condition }: Pick<Rule, 'measure' | 'condition'>): string {
  switch (condition.kind) {
    case 'threshold':
      return `${condition.side} ${measure === 'requests_per_household' ? condition.value : percent(condition.value)}`
    case 'change':
      return `${verbs[condition.direction]} by ${condition.unit === 'relative' ? percent(condition.least) : condition.least}`
    case 'drift':
      return driftText(condition)
  }
}

const verbs = { drop: 'drops', rise: 'rises', either: 'changes' } as const

function driftText({ direction }: Extract<Condition, { kind: 'drift' }>): string {
  return `drifts ${{ drop: 'down', rise: 'up', either: 'either way' }[direction]}`
}

/** Four digits are enough to tell limits apart and hide what binary fractions add. */
const percent = (share: number) => `${Number((share * 100).toPrecision(4))} %`

function byText({ by }: Rule): string {
  return by.length === 0 ? 'all' : by.join(', ')
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
