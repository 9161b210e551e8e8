import { formatNumber, renderCsv, renderJson, renderTable, type Cell, type Format } from '../shared/io/render.ts'
import type { Diff } from './diff-run.ts'
import { sides, type Contribution, type DiffCell, type SideDifference } from './diff.ts'

/** Intents listed below each cell; JSON and CSV have all. */
const intentsShownMax = 5

export function printDiff(diff: Diff, format: Format): string {
  if (format === 'json') {
    return renderJson({ report: 'replay_diff', ...diff, cells: diff.cells.map((cell) => jsonCell(diff, cell)) })
  }
  return format === 'csv' ? printCsv(diff) : printTable(diff)
}

const dimensionsOf = ({ by }: Diff, { key }: DiffCell) => Object.fromEntries(by.map((name, at) => [name, key[at]!]))
const jsonCell = (diff: Diff, { key, ...cell }: DiffCell) => ({ ...dimensionsOf(diff, { key, ...cell }), ...cell })

function printTable(diff: Diff): string {
  const { by, before, after, accepted } = diff
  const left = (head: string) => ({ head, align: 'left' }) as const
  const right = (head: string) => ({ head, align: 'right' }) as const
  const table = renderTable(
    [
      ...by.map(left),
      ...[right('requests'), left(''), right(before), right(after), right('difference (95 %), percentage points')],
    ],
    diff.cells.flatMap((cell) =>
      sides.map((side, at): Cell[] => {
        const found = cell[side]
        const head: Cell[] = at === 0 ? [...cell.key, cell.after?.requests ?? null] : [...cell.key.map(() => ''), null]
        return found === null
          ? [...head, side, '', '', at === 0 ? 'under 11 households' : '']
          : [...head, side, share(found.before), share(found.after), differenceText(found)]
      }),
    ),
  )
  const moved = diff.cells.filter(({ intents }) => intents.length > 0).map((cell) => intentsText(cell))
  const otherFates =
    accepted.before === accepted.after
      ? ''
      : `fates differ: ${formatNumber(accepted.before)} events were accepted under ${before}, ${formatNumber(accepted.after)} under ${after}\n`
  return `${before} -> ${after}, ${diff.range}\n\n${table}\n${moved.join('\n')}${otherFates}`
}

/** What moved the shares of a cell, in percentage points; the rest in one line, so that the lines add up. */
function intentsText({ key, intents, strict, broad }: DiffCell): string {
  const shown = intents.slice(0, intentsShownMax)
  const rest = intents.slice(intentsShownMax)
  const sum = (of: (one: Contribution) => number) => rest.reduce((total, one) => total + of(one), 0)
  const row = (name: string, ...points: (number | null)[]): Cell[] => [name, ...points.map((one) => pointsText(one))]
  return renderTable(
    [
      { head: key.length === 0 ? 'moved by' : `${key.join(' ')}: moved by`, align: 'left' },
      ...sides.map((side) => ({ head: side, align: 'right' }) as const),
    ],
    [
      ...shown.map((one) => row(one.intent, one.strict, one.broad)),
      ...(rest.length === 0
        ? []
        : [
            row(
              rest.length === 1 ? '1 other' : `${rest.length} others`,
              sum((one) => one.strict),
              sum((one) => one.broad),
            ),
          ]),
      row('together', strict?.difference ?? null, broad?.difference ?? null),
    ],
  )
}

function printCsv(diff: Diff): string {
  const bounds = sides.flatMap((side) =>
    ['before', 'after', 'difference', 'low', 'high', 'quality'].map((name) => `${side}_${name}`),
  )
  return renderCsv(
    ['record', ...diff.by, 'intent', 'suppressed', 'households', 'requests_before', 'requests_after', ...bounds],
    diff.cells.flatMap((cell): (Cell | boolean)[][] => [
      [
        ...['cell', ...cell.key, null, cell.suppressed, cell.households],
        ...[cell.before?.requests ?? null, cell.after?.requests ?? null],
        ...sides.flatMap((side) => boundsOf(cell[side])),
      ],
      ...cell.intents.map((one): (Cell | boolean)[] => [
        ...['intent', ...cell.key, one.intent, false, null, one.before.requests, one.after.requests],
        ...sides.flatMap((side): Cell[] => [one.before[side], one.after[side], one[side], null, null, null]),
      ]),
    ]),
  )
}

function boundsOf(found: SideDifference | null): Cell[] {
  return found === null
    ? [null, null, null, null, null, null]
    : [found.before, found.after, found.difference, found.low, found.high, found.quality]
}

const share = (value: number | null) => (value === null ? '' : `${(value * 100).toFixed(2)} %`)

/** A difference of shares as `+1.24`, percentage points. */
function pointsText(value: number | null): string {
  return value === null ? '' : `${value >= 0 ? '+' : '-'}${Math.abs(value * 100).toFixed(2)}`
}

/** `+1.24 (+0.98 to +1.57)`, `(-)` where no interval holds, `(same)` where no request is counted otherwise. */
function differenceText({ difference, low, high, quality }: SideDifference): string {
  if (difference === null) {
    return ''
  }
  const bounds = quality === 'same' ? 'same' : low === null ? '-' : `${pointsText(low)} to ${pointsText(high)}`
  return `${pointsText(difference)} (${bounds})`
}
