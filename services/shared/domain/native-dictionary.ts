import { createByteSink, type ByteSink } from './byte-sink.ts'
import { createTextTable, textBytes, textNumber, textsMax, type TextTable } from './text-table.ts'

/**
 * A column of few distinct texts, LowCardinality(String) in ClickHouse's Native format: each text once, and a number a row. On the hot
 * path, so a record of arrays for the functions below. Texts seen in earlier blocks are not judged again.
 *
 * Source of the layout: ClickHouse's `SerializationLowCardinality`.
 */
export interface Dictionary {
  readonly texts: TextTable
  /** By a text's number: 1 when it fits what the column may hold. */
  readonly fits: Uint8Array
  /** By a text's number: the block in which it got its key. */
  readonly blocks: Int32Array
  /** By a text's number: its key in that block. */
  readonly keys: Int32Array
  /** The keys' texts. */
  readonly keyTexts: ByteSink
  /** A key a row: 16 bits, and 32 from the 65,537th key of a block on. */
  rows: DataView
  isWide: boolean
  keyCount: number
  block: number
}

/** A text that its owner keeps, so that it need not be looked up. Of one dictionary. */
export interface KeptText {
  readonly bytes: Uint8Array
  /** The block in which it got its key, 0 for none yet. */
  block: number
  key: number
}

export function keepText(bytes: Uint8Array): KeptText {
  return { bytes, block: 0, key: 0 }
}

const narrowKeysMax = 65_536

/** `SharedDictionariesWithAdditionalKeys`, the only version there is. */
const keysVersion = 1
/** Flag: the keys stand in the block. The low bits say how wide a row's key is: 1 for 16 bits, 2 for 32. */
const hasKeys = 512

export function createDictionary(fits: (bytes: Uint8Array, start: number, end: number) => boolean): Dictionary {
  const dictionary: Dictionary = {
    texts: createTextTable((text, bytes) => {
      dictionary.fits[text] = fits(bytes, 0, bytes.length) ? 1 : 0
      dictionary.blocks[text] = 0
    }),
    fits: new Uint8Array(textsMax),
    blocks: new Int32Array(textsMax),
    keys: new Int32Array(textsMax),
    keyTexts: createByteSink(),
    rows: new DataView(new ArrayBuffer(0)),
    isWide: false,
    keyCount: 0,
    block: 1,
  }
  return dictionary
}

/** The number of a text, for `putText`; until the next call. */
export function lookUp(dictionary: Dictionary, view: DataView, start: number, end: number): number {
  return textNumber(dictionary.texts, view, start, end)
}

/** Writes a row. There must be room for it, see `growDictionary`. */
export function putText(dictionary: Dictionary, row: number, text: number): void {
  if (dictionary.blocks[text] !== dictionary.block) {
    dictionary.keys[text] = addKey(dictionary, row, textBytes(dictionary.texts, text))
    dictionary.blocks[text] = dictionary.block
  }
  putKey(dictionary, row, dictionary.keys[text]!)
}

/** The same of a text that was kept. */
export function putKept(dictionary: Dictionary, row: number, kept: KeptText): void {
  if (kept.block !== dictionary.block) {
    kept.key = addKey(dictionary, row, kept.bytes)
    kept.block = dictionary.block
  }
  putKey(dictionary, row, kept.key)
}

function putKey({ isWide, rows }: Dictionary, row: number, key: number): void {
  if (isWide) {
    rows.setInt32(row * 4, key, true)
  } else {
    rows.setInt16(row * 2, key, true)
  }
}

function addKey(dictionary: Dictionary, row: number, bytes: Uint8Array): number {
  if (dictionary.keyCount === narrowKeysMax) {
    widen(dictionary, row)
  }
  dictionary.keyTexts.counted(bytes, 0, bytes.length)
  return dictionary.keyCount++
}

function widen(dictionary: Dictionary, rows: number): void {
  const narrow = dictionary.rows
  dictionary.rows = new DataView(new ArrayBuffer(narrow.byteLength * 2))
  dictionary.isWide = true
  for (let row = 0; row < rows; row++) {
    dictionary.rows.setInt32(row * 4, narrow.getUint16(row * 2, true), true)
  }
}

/** Makes room for so many rows; those that are there stay. */
export function growDictionary(dictionary: Dictionary, rowsMax: number): void {
  dictionary.rows = grownView(dictionary.rows, rowsMax * (dictionary.isWide ? 4 : 2))
}

export function grownView(view: DataView, bytes: number): DataView {
  const grown = new Uint8Array(bytes)
  grown.set(new Uint8Array(view.buffer))
  return new DataView(grown.buffer)
}

export function dictionaryBytes({ keyTexts, isWide }: Dictionary, rows: number): number {
  return keyTexts.length + rows * (isWide ? 4 : 2)
}

/** The column's bytes in a block of so many rows: views, valid until the next row. */
export function dictionaryParts({ keyTexts, isWide, keyCount, rows: view }: Dictionary, rows: number): Uint8Array[] {
  const head = createByteSink(24)
  head.int64(keysVersion)
  head.int64(hasKeys + (isWide ? 2 : 1))
  head.int64(keyCount)
  const middle = createByteSink(8)
  middle.int64(rows)
  return [head.view(), keyTexts.view(), middle.view(), new Uint8Array(view.buffer, 0, rows * (isWide ? 4 : 2))]
}

/** Starts the next block. */
export function clearDictionary(dictionary: Dictionary): void {
  if (dictionary.isWide) {
    dictionary.isWide = false
    dictionary.rows = new DataView(new ArrayBuffer(dictionary.rows.byteLength / 2))
  }
  dictionary.keyTexts.clear()
  dictionary.keyCount = 0
  dictionary.block += 1
}
