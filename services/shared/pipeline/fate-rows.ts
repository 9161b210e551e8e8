import { nativeBlock, nullableStringColumn, plainColumn, type NativeColumn } from '../domain/native-columns.ts'
import type { LogRecord } from '../domain/log-record.ts'
import type { RowBlock } from './rows.ts'
import { placeColumns } from './rows.ts'

/** Rows of `duplicate_events`. */
export interface DuplicateRows extends RowBlock {
  /** The id is `bytes[idStart..idStart+16)` of the message. */
  append(message: LogRecord, idStart: number, recordedAt: number): void
}

/** Rows of `rejected_events`. */
export interface RejectedRows extends RowBlock {
  append(message: LogRecord, why: { reason: string; detail: string }, recordedAt: number): void
}

export const duplicateColumns = [{ column: 'event_id', type: 'FixedString(16)' }, ...placeColumns] as const

export const rejectedColumns = [
  { column: 'reason', type: 'String' },
  { column: 'detail', type: 'String' },
  { column: 'key', type: 'Nullable(String)' },
  { column: 'value', type: 'Nullable(String)' },
  ...placeColumns,
] as const

export function createDuplicateRows(): DuplicateRows {
  const columns = duplicateColumns.map(({ column, type }) => [column, plainColumn(type)] as const)
  const [ids, offsets, times] = columns.map(([, { sink }]) => sink)
  let rows = 0
  return {
    get rows() {
      return rows
    },
    get bytes() {
      return columns.reduce((sum, [, { bytes }]) => sum + bytes, 0)
    },
    append({ view, offset }, idStart, recordedAt) {
      ids!.block(view, idStart, idStart + 16)
      offsets!.int64(offset)
      times!.int64(recordedAt)
      rows += 1
    },
    parts: () => blockOf(rows, columns),
    clear() {
      rows = 0
      columns.forEach(([, column]) => column.clear())
    },
  }
}

export function createRejectedRows(): RejectedRows {
  const text = new TextEncoder()
  const [reasons, details, offsets, times] = [
    plainColumn('String'),
    plainColumn('String'),
    plainColumn('UInt64'),
    plainColumn("DateTime64(3, 'UTC')"),
  ]
  const [keys, values] = [nullableStringColumn(), nullableStringColumn()]
  const inOrder = [reasons, details, keys, values, offsets, times]
  const columns = rejectedColumns.map(({ column }, index) => [column, inOrder[index]!] as const)
  let rows = 0
  return {
    get rows() {
      return rows
    },
    get bytes() {
      return inOrder.reduce((sum, { bytes }) => sum + bytes, 0)
    },
    append(message, { reason, detail }, recordedAt) {
      const reasonBytes = text.encode(reason)
      const detailBytes = text.encode(detail)
      reasons.sink.counted(reasonBytes, 0, reasonBytes.length)
      details.sink.counted(detailBytes, 0, detailBytes.length)
      keys.put(message.keyBytes, message.keyStart, message.keyEnd)
      values.put(message.bytes, message.valueStart, message.valueEnd)
      offsets.sink.int64(message.offset)
      times.sink.int64(recordedAt)
      rows += 1
    },
    parts: () => blockOf(rows, columns),
    clear() {
      rows = 0
      inOrder.forEach((column) => column.clear())
    },
  }
}

function blockOf(rows: number, columns: readonly (readonly [name: string, column: NativeColumn])[]): Uint8Array[] {
  return nativeBlock(
    rows,
    columns.map(([name, column]) => ({ name, type: column.type, parts: column.parts() })),
  )
}
