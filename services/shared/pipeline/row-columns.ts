import type { TextCheck } from '../domain/field-checks.ts'
import { arrayColumn, plainColumn, type ArrayColumn, type PlainColumn } from '../domain/native-columns.ts'
import { createDictionary, dictionaryParts, type Dictionary } from '../domain/native-dictionary.ts'
import type { StreamColumn } from '../domain/stream.ts'

/** Bytes a row of columns that hold as many in each. */
const widths: Readonly<Record<string, number>> = {
  'FixedString(16)': 16,
  UInt64: 8,
  Int64: 8,
  "DateTime64(3, 'UTC')": 8,
  UInt32: 4,
  Date: 2,
  Bool: 1,
  Int8: 1,
}

/** As many bytes in each row, written in place by whoever knows the row's number. */
export interface FixedColumn {
  readonly width: number
  view: DataView
}

/** A column of a stream's rows, by how it is written. */
export type RowColumn = { readonly name: string; readonly type: string } & (
  | { readonly fixed: FixedColumn }
  | { readonly dictionary: Dictionary }
  | { readonly strings: PlainColumn }
  | { readonly list: ArrayColumn }
)

const wordEnd = 2 ** 32

/** A 64-bit number into its row. The bit operators see 32 bits, so it is written as two. */
export function setLong(view: DataView, row: number, value: number): void {
  view.setInt32(row * 8, value, true)
  view.setInt32(row * 8 + 4, Math.floor(value / wordEnd), true)
}

/** `checks` are what the stream's fields say of their texts, by path. */
export function openColumn(
  { column, from, type }: StreamColumn,
  checks: ReadonlyMap<string, TextCheck | undefined>,
): RowColumn {
  const named = { name: column, type }
  if (type === 'LowCardinality(String)') {
    return { ...named, dictionary: createDictionary(checks.get(from ?? '') ?? (() => true)) }
  }
  const width = widths[type]
  if (width !== undefined) {
    return { ...named, fixed: { width, view: new DataView(new ArrayBuffer(0)) } }
  }
  const items = /^Array\((.*)\)$/.exec(type)?.[1]
  return items === undefined ? { ...named, strings: plainColumn(type) } : { ...named, list: arrayColumn(items) }
}

/** The column's bytes in a block of so many rows. */
export function partsOf(column: RowColumn, rows: number): readonly Uint8Array[] {
  if ('fixed' in column) {
    return [new Uint8Array(column.fixed.view.buffer, 0, rows * column.fixed.width)]
  }
  if ('dictionary' in column) {
    return dictionaryParts(column.dictionary, rows)
  }
  return ('list' in column ? column.list : column.strings).parts()
}
