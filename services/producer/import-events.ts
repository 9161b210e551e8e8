import type { Readable } from 'node:stream'

import { messageOf, mistake, PipelineError } from '../shared/domain/faults.ts'
import type { EventEncoder } from '../shared/io/avro.ts'
import type { LogProducer } from '../shared/io/kafka-producer.ts'
import { createPseudonymizer } from '../shared/io/pseudonym.ts'
import type { CsvMapping } from './csv-mapping.ts'
import { eventJson, reasonOf, toEvent, uuidFromText } from './event-json.ts'
import { openInput } from './input-file.ts'
import { readCsvRows, readJsonLines, type InputRow } from './input-rows.ts'
import type { RejectedLine } from './rejects-file.ts'
import { createBatchSender } from './sending.ts'

export interface ImportOptions {
  /** A file, or `-` for standard input. */
  readonly path: string
  /** With a mapping the file is CSV, without one NDJSON. */
  readonly mapping: CsvMapping | undefined
  /** Last day of times that a mapping spreads, days since 1970-01-01 UTC. */
  readonly lastDay: number
}

export interface ImportDeps {
  /** Undefined: a dry run, everything is checked and nothing sent. */
  readonly producer: LogProducer | undefined
  readonly encoder: EventEncoder
  readonly householdKey: Buffer
  readonly stdin: Readable
  readonly signal: AbortSignal
  readonly onRejected: (rejected: RejectedLine) => Promise<void>
  readonly onStart?: (file: { name: string; bytes: number | undefined }) => void
  readonly onProgress?: (done: { bytesRead: number; good: number; bad: number }) => void
}

export interface ImportSummary {
  readonly file: string
  /** Lines that are an event; `sent` of them are in the log. */
  readonly good: number
  readonly sent: number
  readonly bad: number
  readonly dryRun: boolean
  readonly seconds: number
  readonly interrupted: boolean
}

const progressEveryRows = 2_000

/** Imports a file line by line in flat memory. A bad line goes to `onRejected`, all others to the log. */
export async function importEvents(options: ImportOptions, deps: ImportDeps): Promise<ImportSummary> {
  const startedMs = performance.now()
  // A quiet pipe would keep us waiting for its next line: a stop ends the input itself.
  deps.signal.addEventListener('abort', () => deps.stdin.destroy(), { once: true })
  const file = await openInput(options.path, deps.stdin).catch((thrown: unknown) => {
    if (deps.signal.aborted) {
      return undefined
    }
    throw thrown
  })
  const summary = (counts: { file: string; good: number; sent: number; bad: number }): ImportSummary => ({
    ...counts,
    dryRun: deps.producer === undefined,
    seconds: (performance.now() - startedMs) / 1_000,
    interrupted: deps.signal.aborted,
  })
  if (file === undefined) {
    return summary({ file: options.path, good: 0, sent: 0, bad: 0 })
  }
  deps.signal.addEventListener('abort', () => file.content.destroy(), { once: true })
  let sent = 0
  const sender =
    deps.producer &&
    createBatchSender({
      producer: deps.producer,
      onSent(messages) {
        sent += messages.length
      },
    })
  const pseudonymOf = createPseudonymizer(deps.householdKey)
  let good = 0
  let bad = 0
  deps.onStart?.(file)
  const rows =
    options.mapping === undefined
      ? readJsonLines(file.content)
      : readCsvRows(file.content, { mapping: options.mapping, lastDay: options.lastDay, name: file.name })
  try {
    for await (const row of rows) {
      const prepared = prepare(row, deps, pseudonymOf)
      if ('reason' in prepared) {
        bad += 1
        await deps.onRejected({ line: row.line, reason: prepared.reason, text: row.text })
      } else {
        good += 1
        await sender?.add(prepared)
      }
      if ((good + bad) % progressEveryRows === 0) {
        deps.onProgress?.({ bytesRead: file.bytesRead(), good, bad })
      }
    }
  } catch (thrown) {
    // What came before the break is good: it is sent, and the mistake says so. After a stop the break is our own.
    await sender?.finish()
    if (!deps.signal.aborted) {
      throw thrown instanceof PipelineError ? thrown : unreadable(file.name, good + bad, thrown)
    }
  }
  await sender?.finish()
  deps.onProgress?.({ bytesRead: file.bytesRead(), good, bad })
  return summary({ file: file.name, good, sent, bad })
}

function prepare(
  row: InputRow,
  deps: ImportDeps,
  pseudonymOf: (rawId: string) => Buffer,
): { key: Buffer; value: Buffer } | { reason: string } {
  if ('reason' in row.parsed) {
    return row.parsed
  }
  const checked = eventJson.safeParse(row.parsed.json)
  if (!checked.success) {
    return { reason: reasonOf(checked.error) }
  }
  // The line's number is part of the id: the same request on two lines of one file is two requests.
  const event = toEvent(checked.data, {
    pseudonymOf,
    derivedId: () => uuidFromText(`${row.line}:${row.text}`),
  })
  return { key: event.household, value: deps.encoder.encode(event) }
}

function unreadable(name: string, rows: number, thrown: unknown): PipelineError {
  return mistake(
    `${name} can't be read beyond its first ${rows} rows, which were imported: ${messageOf(thrown)}`,
    'file_invalid',
  )
}
