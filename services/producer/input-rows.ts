import { pipeline, type Readable } from 'node:stream'

import { CsvError, parse } from 'csv-parse'

import { mistake } from '../shared/domain/faults.ts'
import { columnsOf, mapRow, type CsvMapping } from './csv-mapping.ts'

/** One line or row of a file: its content as JSON would hold it, or what is wrong with it. */
export interface InputRow {
  /** Line in the file, from 1; for a row of several lines its last one. */
  readonly line: number
  /** As it stands in the file; cut when it is longer than a line may be. */
  readonly text: string
  readonly parsed: { readonly json: unknown } | { readonly reason: string }
}

/** A line or row may have this many bytes. An event has some hundred; more is another kind of file. */
export const lineBytesMax = 256 * 1024

/** The lines of NDJSON; empty ones are passed over. A line too long is one bad line: memory never holds it whole. */
export async function* readJsonLines(content: Readable): AsyncGenerator<InputRow> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 0
  for await (const { bytes, cut } of readLines(content)) {
    line += 1
    if (cut) {
      const text = bytes.subarray(0, 200).toString('utf8')
      yield { line, text, parsed: { reason: `longer than ${lineBytesMax} bytes` } }
      continue
    }
    let text: string
    try {
      text = decoder.decode(bytes).trim()
    } catch {
      yield { line, text: bytes.toString('latin1'), parsed: { reason: 'not UTF-8' } }
      continue
    }
    if (text !== '') {
      yield { line, text, parsed: parseJson(text) }
    }
  }
}

/** The rows of a CSV file with a header, each mapped to the JSON form. */
export async function* readCsvRows(
  content: Readable,
  options: { mapping: CsvMapping; lastDay: number; name: string },
): AsyncGenerator<InputRow> {
  const { mapping, lastDay, name } = options
  const parser = parse({
    bom: true,
    delimiter: mapping.delimiter,
    info: true,
    raw: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: lineBytesMax,
  })
  let header: string[] | undefined
  let rowNumber = 0
  try {
    // The reader of the rows gets the error of either; pipeline's own report of it would be a second one.
    for await (const item of pipeline(content, parser, () => undefined) as AsyncIterable<CsvItem>) {
      if (header === undefined) {
        header = item.record
        const missing = columnsOf(mapping).filter((column) => !item.record.includes(column))
        if (missing.length > 0) {
          throw mistake(
            `${name} has no column ${missing.join(', ')}, which the mapping reads; its header is ${header.slice(0, 20).join(',').slice(0, 200)}`,
            'file_invalid',
          )
        }
        continue
      }
      rowNumber += 1
      const { record } = item
      const base = { line: item.info.lines, text: item.raw.replace(/\r?\n$/, '') }
      if (record.length === header.length) {
        const row = Object.fromEntries(header.map((column, index) => [column, record[index]!]))
        yield { ...base, parsed: { json: mapRow(mapping, row, { rowNumber, lastDay }) } }
      } else {
        yield { ...base, parsed: { reason: `${record.length} columns, but the header has ${header.length}` } }
      }
    }
  } catch (thrown) {
    if (thrown instanceof CsvError) {
      throw mistake(
        `${name} is not CSV from row ${rowNumber + 1} on (${thrown.message}); the rows before it were imported`,
        'file_invalid',
      )
    }
    throw thrown
  }
}

interface CsvItem {
  readonly info: { readonly lines: number }
  readonly raw: string
  readonly record: string[]
}

function parseJson(text: string): InputRow['parsed'] {
  try {
    return { json: JSON.parse(text) as unknown }
  } catch {
    return { reason: 'not JSON' }
  }
}

const newline = 0x0a

/** Cuts bytes into lines without their ends. `cut` marks a line that was too long; its rest is dropped. */
async function* readLines(content: Readable): AsyncGenerator<{ bytes: Buffer; cut: boolean }> {
  let pieces: Buffer[] = []
  let held = 0
  let cut = false
  const take = (piece: Buffer) => {
    if (held + piece.length > lineBytesMax) {
      cut = true
    }
    if (!cut || held === 0) {
      pieces.push(piece.subarray(0, lineBytesMax))
      held += piece.length
    }
  }
  const give = () => {
    const line = { bytes: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces), cut }
    pieces = []
    held = 0
    cut = false
    return line
  }
  for await (const chunk of content as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, end))
      yield give()
      from = end + 1
    }
    if (from < chunk.length) {
      take(chunk.subarray(from))
    }
  }
  if (held > 0) {
    yield give()
  }
}
