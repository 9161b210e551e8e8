import { createByteSink, type ByteSink } from './byte-sink.ts'

/**
 * Columns of a block in ClickHouse's Native format: what the server keeps in memory, so that it reads a block by copying. Avro rows
 * of the same events cost it twice as much (test/bench/README.md).
 *
 * Source of the layout: ClickHouse's documentation of the Native format; that of dictionaries is `SerializationLowCardinality`.
 */
export interface NativeColumn {
  /** ClickHouse's type. */
  readonly type: string
  readonly bytes: number
  /** The column's bytes without name and type, in order. Views, valid until the next write or clear. */
  parts(): readonly Uint8Array[]
  clear(): void
}

/** A column whose bytes are written as they are: numbers, dates, fixed strings; strings by `counted`. */
export interface PlainColumn extends NativeColumn {
  readonly sink: ByteSink
}

export function plainColumn(type: string, initialBytes?: number): PlainColumn {
  const sink = createByteSink(initialBytes)
  return {
    type,
    sink,
    get bytes() {
      return sink.length
    },
    parts: () => [sink.view()],
    clear: () => sink.clear(),
  }
}

/** Texts that may be missing: which are, then all. */
export interface NullableColumn extends NativeColumn {
  /** `start` is -1 for none. */
  put(bytes: Uint8Array, start: number, end: number): void
}

export function nullableStringColumn(): NullableColumn {
  const missing = createByteSink()
  const texts = createByteSink()
  return {
    type: 'Nullable(String)',
    get bytes() {
      return missing.length + texts.length
    },
    put(bytes, start, end) {
      missing.int8(start < 0 ? 1 : 0)
      texts.counted(bytes, Math.max(start, 0), start < 0 ? 0 : end)
    },
    parts: () => [missing.view(), texts.view()],
    clear() {
      missing.clear()
      texts.clear()
    },
  }
}

/** Lists of a row: items are written to `items`, `endRow` closes the row's list. */
export interface ArrayColumn extends NativeColumn {
  readonly items: ByteSink
  /** `added` items of `items` are the row's. */
  endRow(added: number): void
}

export function arrayColumn(itemType: string): ArrayColumn {
  const ends = createByteSink()
  const items = createByteSink()
  let count = 0
  return {
    type: `Array(${itemType})`,
    items,
    get bytes() {
      return ends.length + items.length
    },
    endRow(added) {
      count += added
      ends.int64(count)
    },
    parts: () => [ends.view(), items.view()],
    clear() {
      count = 0
      ends.clear()
      items.clear()
    },
  }
}

/** What the head of a block says of a column, and the column's bytes. */
export interface NativePart {
  readonly name: string
  readonly type: string
  readonly parts: readonly Uint8Array[]
}

/** A block: what `FORMAT Native` reads. Every column holds `rows` rows. */
export function nativeBlock(rows: number, columns: readonly NativePart[]): Uint8Array[] {
  const text = new TextEncoder()
  const head = createByteSink(16)
  head.unsigned(columns.length)
  head.unsigned(rows)
  return [
    head.view(),
    ...columns.flatMap(({ name, type, parts }) => {
      const title = createByteSink(64)
      for (const part of [name, type]) {
        const bytes = text.encode(part)
        title.counted(bytes, 0, bytes.length)
      }
      return [title.view(), ...parts]
    }),
  ]
}
