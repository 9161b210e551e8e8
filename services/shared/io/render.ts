import Table from 'cli-table3'

import { mistake } from '../domain/faults.ts'

/** Columns that every table fits, so that it stands unbroken in a terminal, a ticket and a mail. */
export const tableColumnsMax = 100

export const formats = ['table', 'json', 'csv'] as const
export type Format = (typeof formats)[number]

/** Of verbs that have no CSV. */
export type TableOrJson = Exclude<Format, 'csv'>

/** Throws a mistake for anything else. */
export function readTableOrJson(given: string): TableOrJson {
  if (given !== 'table' && given !== 'json') {
    throw mistake(`--format ${given} is not a format; take table or json`)
  }
  return given
}

export interface Column {
  readonly head: string
  readonly align: 'left' | 'right'
}

export type Cell = string | number | null

/**
 * A table of at most `tableColumnsMax` columns: numbers with thousands separators, nothing for null. Where the cells are too
 * wide, an interval goes on a line of its own, then texts are cut and end in `…`; numbers are never cut.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(cellText))
  const fits = (lines: readonly string[][]) => totalOf(widthsOf(columns, lines)) <= tableColumnsMax
  const lines = fits(texts) ? texts : texts.map((row) => row.map((text) => text.replace(' (', '\n(')))
  const widths = narrow(columns, widthsOf(columns, lines))
  const table = new Table({
    head: columns.map(({ head }, index) => cut(head, widths[index]!)),
    colAligns: columns.map(({ align }) => align),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    chars: noBorders,
  })
  for (const row of lines) {
    table.push(row.map((text, index) => cut(text, widths[index]!)))
  }
  return `${table.toString().replace(/ +$/gm, '')}\n`
}

/** RFC 4180: CRLF, a header line, quotes around what needs them and doubled inside. Null is an empty field. */
export function renderCsv(head: readonly string[], rows: readonly (readonly (Cell | boolean)[])[]): string {
  return [head, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('')
}

export function renderJson(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

/** `1,234,567`. */
export function formatNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** A share between 0 and 1 as `1.24 %`. */
export function formatShare(share: number): string {
  return `${percent(share)} %`
}

/** What a view says of a share: bounds are null where the data can't carry them. */
export interface ShareFigures {
  readonly share: number | null
  readonly low: number | null
  readonly high: number | null
  readonly quality: 'ok' | 'wide' | 'insufficient' | null
}

/** `1.24 % (0.98-1.57)`, `~` after a wide interval, `(<= 1.57)` where only the upper bound holds, `(-)` where none does. */
export function formatInterval({ share, low, high, quality }: ShareFigures): string {
  if (share === null) {
    return ''
  }
  if (high === null) {
    return `${formatShare(share)} (-)`
  }
  const bounds = low === null ? `<= ${percent(high)}` : `${percent(low)}-${percent(high)}`
  return `${formatShare(share)} (${bounds})${quality === 'wide' ? '~' : ''}`
}

/** A moment as `2026-03-01 12:34:56`, UTC, from what ClickHouse prints; empty for null. */
export function formatTime(time: string | null): string {
  return time === null ? '' : time.slice(0, 19)
}

const gap = '  '
const textColumnMin = 4

const noBorders = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', right: '', 'right-mid': '' },
  ...{ middle: gap, mid: '-', 'mid-mid': gap },
}

const percent = (share: number) => (share * 100).toFixed(2)

function cellText(cell: Cell): string {
  return cell === null ? '' : typeof cell === 'number' ? formatNumber(cell) : cell
}

function widthsOf(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))
  return columns.map(({ head }, index) => Math.max(widest(head), ...rows.map((row) => widest(row[index] ?? ''))))
}

const totalOf = (widths: readonly number[]) =>
  widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1)

/** Takes columns away from the widest text, one by one, until the table fits. */
function narrow(columns: readonly Column[], natural: readonly number[]): number[] {
  const widths = [...natural]
  while (totalOf(widths) > tableColumnsMax) {
    const texts = widths.map((width, index) => (columns[index]!.align === 'left' ? width : 0))
    const widest = texts.indexOf(Math.max(...texts))
    if (texts[widest]! <= textColumnMin) {
      return widths
    }
    widths[widest]! -= 1
  }
  return widths
}

function cut(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line))
    .join('\n')
}

function csvField(value: Cell | boolean): string {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
