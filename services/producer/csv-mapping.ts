import { readFileSync } from 'node:fs'

import { z } from 'zod'

import { messageOf, mistake } from '../shared/domain/faults.ts'
import { uuidFromText } from './event-json.ts'
import { dayMs } from './traffic.ts'

const column = z.strictObject({ column: z.string().min(1) })
const constant = z.strictObject({ constant: z.union([z.string(), z.number(), z.array(z.string())]) })
/** A UUID of the text of some columns. */
const hash = z.strictObject({
  derive: z.literal('hash'),
  columns: z.array(z.string().min(1)).min(1),
  /** Other salt, other ids: lets one file be imported again as new events. */
  salt: z.string().default(''),
})
/** The prefix and a number below `modulo`, from a column: gathers rows into that many groups. */
const modulo = z.strictObject({
  derive: z.literal('modulo'),
  column: z.string().min(1),
  modulo: z.int().min(1),
  prefix: z.string(),
})
/** The prefix and the row's number, from 1. */
const sequence = z.strictObject({ derive: z.literal('sequence'), prefix: z.string() })
/** A time by the row's number, evenly over that many whole days up to --until. */
const spread = z.strictObject({ derive: z.literal('spread'), days: z.int().min(1).max(390) })

const source = z.union(
  [column, constant, hash, modulo, sequence, spread],
  'must be {"column"}, {"constant"} or {"derive": "hash", "modulo", "sequence" or "spread"} with its settings',
)

const requiredFields = [
  'occurredAt',
  'deviceSerial',
  'householdId',
  'product',
  'deviceModel',
  'activatedOn',
  'country',
  'locale',
  'plans',
  'intent',
  'outcome',
  'latencyMs',
  'appVersion',
] as const
const optionalFields = ['eventId', 'skillId', 'purchase.orderId', 'purchase.amountMicros', 'purchase.currency'] as const
type Field = (typeof requiredFields)[number] | (typeof optionalFields)[number]

const mappingFile = z.strictObject({
  description: z.string().optional(),
  delimiter: z.string().length(1).default(','),
  fields: z.strictObject({
    ...(Object.fromEntries(requiredFields.map((field) => [field, source])) as Record<
      (typeof requiredFields)[number],
      typeof source
    >),
    ...(Object.fromEntries(optionalFields.map((field) => [field, source.optional()])) as Record<
      (typeof optionalFields)[number],
      z.ZodOptional<typeof source>
    >),
  }),
})

export type CsvMapping = z.output<typeof mappingFile>
type Source = z.output<typeof source>

/** The mappings that ship, by name; anything else is a path. */
const shippedMappings = ['slurp']

/** Reads and checks a mapping file; all mistakes in one sentence. */
export function loadMapping(nameOrPath: string): CsvMapping {
  const shipped = shippedMappings.includes(nameOrPath)
  const location = shipped ? new URL(`mappings/${nameOrPath}.json`, import.meta.url) : nameOrPath
  let content: unknown
  try {
    content = JSON.parse(readFileSync(location, 'utf8'))
  } catch (thrown) {
    throw mistake(`the mapping ${nameOrPath} can't be read: ${messageOf(thrown)}`, 'file_invalid')
  }
  const parsed = mappingFile.safeParse(content)
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.path.join('.')} has an unknown key ${issue.keys.join(', ')}`
        : `${issue.path.join('.')} ${issue.message}`,
    )
    throw mistake(`the mapping ${nameOrPath} is wrong: ${mistakes.join('; ')}`, 'file_invalid')
  }
  return parsed.data
}

/** The columns that a mapping reads: a file without one of them can't be imported with it. */
export function columnsOf(mapping: CsvMapping): string[] {
  const used = Object.values(mapping.fields).flatMap((from) => {
    if (from === undefined || 'constant' in from) {
      return []
    }
    return 'column' in from ? [from.column] : 'columns' in from ? from.columns : []
  })
  return [...new Set(used)]
}

/** One row as the JSON form of an event, still unchecked. An empty column of an optional field leaves the field out. */
export function mapRow(
  mapping: CsvMapping,
  row: Readonly<Record<string, string>>,
  position: { rowNumber: number; lastDay: number },
): Record<string, unknown> {
  const json: Record<string, unknown> = {}
  const purchase: Record<string, unknown> = {}
  for (const [name, from] of Object.entries(mapping.fields)) {
    const field = name as Field
    const value = from === undefined ? '' : valueOf(field, from, row, position)
    if (value === '' && (optionalFields as readonly string[]).includes(field)) {
      continue
    }
    if (field.startsWith('purchase.')) {
      purchase[field.slice('purchase.'.length)] = value
    } else {
      json[field] = value
    }
  }
  return Object.keys(purchase).length === 0 ? json : { ...json, purchase }
}

function valueOf(
  field: Field,
  from: Source,
  row: Readonly<Record<string, string>>,
  position: { rowNumber: number; lastDay: number },
): unknown {
  if ('constant' in from) {
    return from.constant
  }
  if (!('derive' in from)) {
    return fromText(field, row[from.column] ?? '')
  }
  switch (from.derive) {
    case 'hash':
      return uuidText(uuidFromText(from.salt + JSON.stringify(from.columns.map((name) => row[name] ?? ''))))
    case 'modulo':
      return `${from.prefix}${uuidFromText(row[from.column] ?? '').readUInt32BE(0) % from.modulo}`
    case 'sequence':
      return `${from.prefix}${position.rowNumber}`
    case 'spread': {
      // Multiples of the golden ratio fill a range evenly however many rows there are, and no two fall together.
      const place = (position.rowNumber * 0.6180339887498949) % 1
      return (position.lastDay + 1 - from.days) * dayMs + Math.floor(place * from.days * dayMs)
    }
  }
}

/** Text of a column as JSON would hold it: numbers as numbers, plans apart by spaces or semicolons. */
function fromText(field: Field, value: string): unknown {
  if (field === 'plans') {
    return value.split(/[\s;]+/).filter((plan) => plan !== '')
  }
  const isNumber = field === 'latencyMs' || field === 'purchase.amountMicros' || field === 'occurredAt'
  return isNumber && /^-?\d+$/.test(value) ? Number(value) : value
}

function uuidText(id: Buffer): string {
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
