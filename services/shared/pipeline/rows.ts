import { textCheckOf } from '../domain/field-checks.ts'
import type { LogRecord } from '../domain/log-record.ts'
import { nativeBlock, type ArrayColumn, type PlainColumn } from '../domain/native-columns.ts'
import {
  clearDictionary,
  dictionaryBytes,
  grownView,
  growDictionary,
  lookUp,
  putKept,
  putText,
} from '../domain/native-dictionary.ts'
import type { Judge, JudgedColumns, StreamDefinition } from '../domain/stream.ts'
import { readVarint } from '../domain/walker.ts'
import { openColumn, partsOf, setLong, type FixedColumn, type RowColumn } from './row-columns.ts'

/** Rows of one table, as one block in ClickHouse's Native format. */
export interface RowBlock {
  readonly rows: number
  readonly bytes: number
  /** Views, valid until the next write or clear. */
  parts(): Uint8Array[]
  clear(): void
}

/**
 * The accepted rows of a batch: checks the fields of an event against its stream's description, and writes its columns.
 *
 * On the hot path. An event never becomes an object: a text is looked up once, which says both whether it fits and its place in
 * the column's dictionary; a number is decoded once; the rest is copied.
 */
export interface StreamRows extends RowBlock {
  /** The index (in the stream's fields) of the first text, else of the first number that is out of its bounds, or -1. `at` as `Walker.walk` fills it. */
  check(message: LogRecord, at: Int32Array): number
  /** A number field of the event that was checked last, by its index; 0 when it is absent. */
  number(field: number): number
  /** Writes the event that was checked last. */
  append(message: LogRecord, at: Int32Array, judge: Judge, recordedAt: number): void
  /** For judges, to write the columns that no field is. */
  readonly judged: JudgedColumns
}

/** Where in the log a row's event stood, and when; every table has them. */
export const placeColumns = [
  { column: 'kafka_offset', type: 'UInt64' },
  { column: 'recorded_at', type: "DateTime64(3, 'UTC')" },
] as const

/** Room at the start: growing to it by doubling would copy rows twice. Room that is not used costs no memory, the system gives pages when they are written. */
const roomRows = 100_000

export function createStreamRows(stream: Pick<StreamDefinition, 'fields' | 'columns'>): StreamRows {
  const checks = new Map(stream.fields.map((field) => [field.path, textCheckOf(field)]))
  const columns = [...stream.columns, ...placeColumns].map((column) => openColumn(column, checks))
  const fixed = columns.flatMap((column) => ('fixed' in column ? [column.fixed] : []))
  const dictionaries = columns.flatMap((column) => ('dictionary' in column ? [column.dictionary] : []))
  const others = columns.flatMap((column): (PlainColumn | ArrayColumn)[] =>
    'strings' in column ? [column.strings] : 'list' in column ? [column.list] : [],
  )

  // The same columns by what is done with them: each loop below is over columns of one kind.
  const sources = stream.columns.flatMap(({ from, type }, index) => {
    const field = stream.fields.findIndex(({ path }) => path === from)
    return from === undefined ? [] : [{ type, field, slot: field * 2, column: columns[index]! }]
  })
  const fixedOf = (...types: readonly string[]) =>
    sources.flatMap(({ type, field, slot, column }) =>
      types.includes(type) && 'fixed' in column ? [{ field, slot, column: column.fixed }] : [],
    )
  const ids = fixedOf('FixedString(16)')
  const pseudonyms = fixedOf('UInt64')
  const longs = fixedOf('Int64', "DateTime64(3, 'UTC')")
  const ints = fixedOf('UInt32')
  const days = fixedOf('Date')
  const bools = fixedOf('Bool')
  const strings = sources.flatMap(({ slot, column }) =>
    'strings' in column ? [{ slot, sink: column.strings.sink }] : [],
  )
  const texts = stream.fields.flatMap((field, index) => {
    const column = sources.find((source) => source.field === index)?.column
    const fits = checks.get(field.path)
    const dictionary = column !== undefined && 'dictionary' in column ? column.dictionary : undefined
    // What is looked up is kept, so what is too long anyway is not.
    const bytesMax = field.text?.max ?? Math.max(...(field.oneOf ?? ['']).map((choice) => choice.length))
    return dictionary === undefined && fits === undefined ? [] : [{ slot: index * 2, dictionary, fits, bytesMax }]
  })
  const numbers = stream.fields.flatMap(({ kinds, bounds }, field) =>
    kinds.includes('long') || kinds.includes('int')
      ? [{ field, slot: field * 2, min: bounds?.min ?? -Infinity, max: bounds?.max ?? Infinity }]
      : [],
  )
  const [offsets, recordedTimes] = fixed.slice(-placeColumns.length) as [FixedColumn, FixedColumn]
  const values = new Float64Array(stream.fields.length)
  /** Numbers of the texts of the event that was checked last, by the place in `texts`. */
  const found = new Int32Array(texts.length)
  let rows = 0
  let rowsMax = 0

  const judged: JudgedColumns = {
    int8(name) {
      const column = columnOf(name)
      if (!('fixed' in column)) {
        throw new Error(`${name} is no Int8`)
      }
      return (value) => column.fixed.view.setInt8(rows, value)
    },
    text(name) {
      const column = columnOf(name)
      if (!('dictionary' in column)) {
        throw new Error(`${name} is no dictionary`)
      }
      return (text) => putKept(column.dictionary, rows, text)
    },
    list(name) {
      const column = columnOf(name)
      if (!('list' in column)) {
        throw new Error(`${name} is no list`)
      }
      return column.list
    },
    found(name) {
      const column = columnOf(name)
      const place = texts.findIndex(({ dictionary }) => 'dictionary' in column && dictionary === column.dictionary)
      const dictionary = texts[place]?.dictionary
      if (dictionary === undefined) {
        throw new Error(`${name} holds no field's text`)
      }
      return { dictionary, number: () => found[place]! }
    },
  }

  function columnOf(name: string): RowColumn {
    const column = columns.find((candidate) => candidate.name === name)
    if (column === undefined) {
      throw new Error(`there is no column ${name}`)
    }
    return column
  }

  function makeRoom(wanted: number): void {
    for (const column of fixed) {
      column.view = grownView(column.view, wanted * column.width)
    }
    for (const dictionary of dictionaries) {
      growDictionary(dictionary, wanted)
    }
    rowsMax = wanted
  }

  return {
    get rows() {
      return rows
    },
    get bytes() {
      return (
        fixed.reduce((sum, { width }) => sum + width * rows, 0) +
        dictionaries.reduce((sum, dictionary) => sum + dictionaryBytes(dictionary, rows), 0) +
        others.reduce((sum, { bytes }) => sum + bytes, 0)
      )
    },
    judged,
    number: (field) => values[field]!,
    check({ bytes, view }, at) {
      for (let index = 0; index < texts.length; index++) {
        const { slot, dictionary, fits, bytesMax } = texts[index]!
        const start = at[slot]!
        const end = at[slot + 1]!
        if (dictionary === undefined) {
          if (start >= 0 && !fits!(bytes, start, end)) {
            return slot >> 1
          }
        } else if (start >= 0) {
          if (end - start > bytesMax) {
            return slot >> 1
          }
          const text = lookUp(dictionary, view, start, end)
          if (dictionary.fits[text] === 0) {
            return slot >> 1
          }
          found[index] = text
        } else {
          found[index] = lookUp(dictionary, view, 0, 0)
        }
      }
      for (let index = 0; index < numbers.length; index++) {
        const { field, slot, min, max } = numbers[index]!
        const start = at[slot]!
        const value = start < 0 ? 0 : readVarint(bytes, start)
        if ((value < min || value > max) && start >= 0) {
          return field
        }
        values[field] = value
      }
      return -1
    },
    append(message, at, judge, recordedAt) {
      const { bytes, view } = message
      if (rows === rowsMax) {
        makeRoom(Math.max(roomRows, rowsMax * 2))
      }
      for (let index = 0; index < ids.length; index++) {
        const { slot, column } = ids[index]!
        column.view.setBigInt64(rows * 16, view.getBigInt64(at[slot]!))
        column.view.setBigInt64(rows * 16 + 8, view.getBigInt64(at[slot]! + 8))
      }
      for (let index = 0; index < pseudonyms.length; index++) {
        const { slot, column } = pseudonyms[index]!
        column.view.setBigInt64(rows * 8, view.getBigInt64(at[slot]!))
      }
      for (let index = 0; index < longs.length; index++) {
        const { field, column } = longs[index]!
        setLong(column.view, rows, values[field]!)
      }
      for (let index = 0; index < ints.length; index++) {
        const { field, column } = ints[index]!
        column.view.setInt32(rows * 4, values[field]!, true)
      }
      for (let index = 0; index < days.length; index++) {
        const { field, column } = days[index]!
        column.view.setInt16(rows * 2, values[field]!, true)
      }
      for (let index = 0; index < bools.length; index++) {
        const { slot, column } = bools[index]!
        column.view.setInt8(rows, bytes[at[slot]!]!)
      }
      for (let index = 0; index < texts.length; index++) {
        const { dictionary } = texts[index]!
        if (dictionary !== undefined) {
          putText(dictionary, rows, found[index]!)
        }
      }
      for (let index = 0; index < strings.length; index++) {
        const { sink, slot } = strings[index]!
        if (at[slot]! < 0) {
          sink.int8(0)
        } else {
          sink.counted(bytes, at[slot]!, at[slot + 1]!)
        }
      }
      judge.append(message, at)
      setLong(offsets.view, rows, message.offset)
      setLong(recordedTimes.view, rows, recordedAt)
      rows += 1
    },
    parts: () =>
      nativeBlock(
        rows,
        columns.map((column) => ({ name: column.name, type: column.type, parts: partsOf(column, rows) })),
      ),
    clear() {
      rows = 0
      dictionaries.forEach(clearDictionary)
      others.forEach((column) => column.clear())
    },
  }
}
