/**
 * One record of the log, as places in bytes that hold many. Lent by a cursor that changes it in place: an object and two views
 * for each record cost more than everything else that is done with it.
 */
export interface LogRecord {
  offset: number
  /** Milliseconds since 1970-01-01 UTC, as the producer or the broker said. */
  timestampMs: number
  /** The value is `bytes[valueStart..valueEnd)`; `valueStart` is -1 when there is none. */
  bytes: Uint8Array
  /** The same bytes, for copying many at a time. */
  view: DataView
  valueStart: number
  valueEnd: number
  /** The key is `keyBytes[keyStart..keyEnd)`; `keyStart` is -1 when there is none. */
  keyBytes: Uint8Array
  keyStart: number
  keyEnd: number
}

/** Goes over records in rising order of offset. `record` holds what the last `next()` found, until the one after it. */
export interface RecordCursor {
  readonly record: LogRecord
  /** False at the end. */
  next(): boolean
}

export interface WholeRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

const noBytes = new Uint8Array(0)
const noView = viewOf(noBytes)

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** A record whose key and value have buffers of their own. Fills `into` when it is given. */
export function recordOf({ offset, timestampMs, key, value }: WholeRecord, into?: LogRecord): LogRecord {
  const record = into ?? newRecord()
  record.offset = offset
  record.timestampMs = timestampMs
  record.bytes = value ?? noBytes
  record.view = value === null ? noView : viewOf(value)
  record.valueStart = value === null ? -1 : 0
  record.valueEnd = value === null ? -1 : value.length
  record.keyBytes = key ?? noBytes
  record.keyStart = key === null ? -1 : 0
  record.keyEnd = key === null ? -1 : key.length
  return record
}

export function newRecord(): LogRecord {
  return {
    offset: -1,
    timestampMs: 0,
    bytes: noBytes,
    view: noView,
    valueStart: -1,
    valueEnd: -1,
    keyBytes: noBytes,
    keyStart: -1,
    keyEnd: -1,
  }
}
