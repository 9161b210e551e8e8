import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'

import { isDay } from '../shared/domain/day.ts'
import { mistake } from '../shared/domain/faults.ts'
import type { ValueClass } from '../shared/domain/taxonomy.ts'
import { renderCsv } from '../shared/io/render.ts'

/** What people may say of an event. Unclassified is what a taxonomy says, when no rule of it knows the intent. */
export const trueClasses = ['direct', 'assisted', 'entitlement', 'free', 'not_a_request'] as const
export type TrueClass = Exclude<ValueClass, 'unclassified'>

export interface AuditedRow {
  /** Line in the file, from 1. */
  readonly line: number
  /** 32 lower-case hexadecimal digits. */
  readonly eventId: string
  readonly trueClass: TrueClass
  readonly auditedBy: string
  /** A day as 2026-03-31, or null. */
  readonly auditedOn: string | null
}

export interface LineFault {
  readonly line: number
  readonly fault: string
}

/** An event that was drawn, as people are shown it: not what the classifier said, which would sway them. */
export interface DrawnEvent {
  readonly eventId: string
  readonly occurredAt: string
  readonly intent: string
  readonly outcome: string
  readonly product: string
  readonly country: string
  readonly plans: string
}

const filledIn = ['true_class', 'audited_by', 'audited_on'] as const
const auditedByCharactersMax = 64

/** The file that people fill in. */
export function writeSampleFile(events: readonly DrawnEvent[]): string {
  return renderCsv(
    ['event_id', 'occurred_at', 'intent', 'outcome', 'product', 'country', 'plans', ...filledIn],
    events.map(({ eventId, occurredAt, intent, outcome, product, country, plans }) => [
      ...[uuidText(eventId), occurredAt, intent, outcome, product, country, plans],
      ...filledIn.map(() => null),
    ]),
  )
}

/** Rows of a file that people filled in, and what is wrong with the others. Columns that it does not know are passed over. */
export function readSampleFile(text: string, name: string): { rows: AuditedRow[]; faults: LineFault[] } {
  const records = parseCsv(text, name)
  const head = records[0]?.record.map((column) => column.trim().toLowerCase()) ?? []
  const missing = ['event_id', 'true_class'].filter((column) => !head.includes(column))
  if (missing.length > 0) {
    throw mistake(
      `${name} has no column ${missing.join(' and ')}; its header must name event_id and true_class, and may name audited_by and audited_on`,
    )
  }
  const rows: AuditedRow[] = []
  const faults: LineFault[] = []
  for (const { record, line } of records.slice(1)) {
    const value = (column: string) => (record[head.indexOf(column)] ?? '').trim()
    const read =
      record.length === head.length ? readRow(value) : `${record.length} columns, but the header has ${head.length}`
    if (typeof read === 'string') {
      faults.push({ line, fault: read })
    } else {
      rows.push({ line, ...read })
    }
  }
  return { rows, faults }
}

function readRow(value: (column: string) => string): Omit<AuditedRow, 'line'> | string {
  const eventId = value('event_id').replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(eventId)) {
    return 'event_id is no UUID'
  }
  const trueClass = trueClasses.find((known) => known === value('true_class').toLowerCase())
  if (trueClass === undefined) {
    return value('true_class') === ''
      ? 'true_class is empty; fill it in, or take the line out'
      : `true_class must be ${trueClasses.join(', ')}`
  }
  const [auditedBy, auditedOn] = [value('audited_by'), value('audited_on')]
  if (auditedBy.length > auditedByCharactersMax) {
    return `audited_by must have at most ${auditedByCharactersMax} characters`
  }
  if (auditedOn !== '' && !isDay(auditedOn)) {
    return 'audited_on must be a day as 2026-03-31'
  }
  return { eventId, trueClass, auditedBy, auditedOn: auditedOn === '' ? null : auditedOn }
}

/** Comma or semicolon, which is what spreadsheets write where the comma is in numbers. */
function parseCsv(text: string, name: string): { record: string[]; line: number }[] {
  const header = text.slice(0, text.search(/\r?\n|$/))
  try {
    const records = parse(text, {
      bom: true,
      delimiter: header.includes(';') && !header.includes(',') ? ';' : ',',
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: { lines: number } }[]
    return records.map(({ record, info }) => ({ record, line: info.lines }))
  } catch (thrown) {
    if (thrown instanceof CsvError) {
      throw mistake(`${name} is not CSV: ${thrown.message}`)
    }
    throw thrown
  }
}

function uuidText(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
