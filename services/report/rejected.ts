import { reasonMeanings, type RejectionReason } from '../shared/domain/fate.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { recordedWithin, type RecordedDays } from '../shared/io/recorded-days.ts'
import { formatTime, renderCsv, renderJson, renderTable, type Cell, type Format } from '../shared/io/render.ts'
import { becameOfRejected, redriveFates, type RedriveFate } from '../shared/pipeline/redriven.ts'

/** Days are those of the Kafka record: a rejected message has no time of its own that can be trusted. */
export interface RejectedParameters extends RecordedDays {
  readonly reason: string
  /** Lists so many single messages, the newest first, instead of counts. */
  readonly list: number | undefined
}

/** Of `redriven` messages: what became of their copies. `rejected` is rejected again, `waiting` not yet read by a classifier. */
type RejectedFates = Readonly<Record<'redriven' | RedriveFate, number>>

export interface RejectedCount extends RejectedFates {
  readonly reason: string
  readonly detail: string
  readonly messages: number
  readonly oldest: string
  readonly newest: string
}

export interface RejectedMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly recorded_at: string
  readonly reason: string
  readonly detail: string
  /** Bytes of the value; null when the message had none. */
  readonly size: number | null
  /** The first bytes of the value in hex. */
  readonly first_bytes: string | null
  /** What became of its copy; null when it was never redriven. */
  readonly became: RedriveFate | null
  /** Where the copy stands, in the same partition. */
  readonly copy_offset: number | null
}

export type RejectedReport =
  | { readonly kind: 'counts'; readonly parameters: RejectedParameters; readonly rows: readonly RejectedCount[] }
  | { readonly kind: 'messages'; readonly parameters: RejectedParameters; readonly rows: readonly RejectedMessage[] }

const bytesShown = 16

/** Reads the rejected rows themselves, so it needs the pipeline's user: their bytes are not for analysts. */
export async function queryRejected(
  client: ClickHouse,
  database: string,
  parameters: RejectedParameters,
): Promise<RejectedReport> {
  const { from, to, reason, list } = parameters
  const where = [...recordedWithin({ from, to }), ...(reason === '' ? [] : ['reason = {reason:String}'])]
  const source = `${database}.rejected_events ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`}`
  const became = becameOfRejected(database)
  const params = { from, to, reason, list, bytes: bytesShown }
  const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))
  if (list === undefined) {
    const rows = await client.rows<RejectedCount>(
      `SELECT reason, detail, count() AS messages, toString(min(recorded_at)) AS oldest, toString(max(recorded_at)) AS newest,
         countIf(became NOT IN ('', 'unknown')) AS redriven, countIf(became = 'accepted') AS accepted,
         countIf(became = 'duplicate') AS duplicate, countIf(became = 'rejected') AS rejected,
         countIf(became = 'waiting') AS waiting, countIf(became = 'unknown') AS unknown
       FROM (SELECT reason, detail, recorded_at, topic_id, partition, kafka_offset FROM ${source}) AS messages
       LEFT JOIN (${became}) AS redriven USING (topic_id, partition, kafka_offset)
       GROUP BY reason, detail ORDER BY messages DESC, reason, detail LIMIT 1000`,
      given,
    )
    return { kind: 'counts', parameters, rows }
  }
  const rows = await client.rows<RejectedMessage>(
    `SELECT topic, partition, kafka_offset AS offset, toString(recorded) AS recorded_at, reason, detail, size, first_bytes,
       nullIf(redriven.became, '') AS became,
         if(redriven.became IN ('', 'unknown'), NULL, redriven.to_offset) AS copy_offset
     FROM (
       SELECT topic, topic_id, partition, kafka_offset, recorded_at AS recorded, reason, detail,
         length(value) AS size, lower(hex(substring(value, 1, {bytes:UInt32}))) AS first_bytes
       FROM ${source} ORDER BY recorded_at DESC, partition, kafka_offset DESC LIMIT {list:UInt32}) AS messages
     LEFT JOIN (${became}) AS redriven USING (topic_id, partition, kafka_offset)
     ORDER BY recorded DESC, partition, offset DESC`,
    given,
  )
  return { kind: 'messages', parameters, rows }
}

export function printRejected(report: RejectedReport, format: Format = 'table'): string {
  const { kind, parameters, rows } = report
  if (format === 'json') {
    return renderJson({ report: 'rejected', parameters, rows })
  }
  if (format === 'csv') {
    const names: readonly string[] = kind === 'counts' ? countNames : messageNames
    return renderCsv(
      names,
      rows.map((row) => names.map((name) => (row as unknown as Record<string, Cell>)[name] ?? null)),
    )
  }
  if (rows.length === 0) {
    return 'no rejected messages\n'
  }
  return kind === 'counts' ? printCounts(report.rows) : printMessages(report.rows)
}

const fateNames = ['redriven', ...redriveFates] as const
const countNames = ['reason', 'detail', 'messages', 'oldest', 'newest', ...fateNames]
const messageNames = [
  ...[
    'topic',
    'partition',
    'offset',
    'recorded_at',
    'reason',
    'detail',
    'size',
    'first_bytes',
    'became',
    'copy_offset',
  ],
]

function printCounts(rows: readonly RejectedCount[]): string {
  const all = rows.reduce((sum, row) => sum + row.messages, 0)
  const table = renderTable(
    [
      { head: 'reason', align: 'left' },
      { head: 'detail', align: 'left' },
      { head: 'messages', align: 'right' },
      { head: 'newest record (UTC)', align: 'left' },
    ],
    [
      ...rows.map((row): Cell[] => [row.reason, row.detail, row.messages, formatTime(row.newest)]),
      ['all', '', all, ''],
    ],
  )
  const reasons = [...new Set(rows.map((row) => row.reason))]
  return `${table}\n${printRedriven(rows)}${reasons.map((reason) => `${reason}: ${reasonMeanings[reason as RejectionReason] ?? 'unknown'}\n`).join('')}`
}

/** What became of those that were sent again; nothing where none was. */
function printRedriven(rows: readonly RejectedCount[]): string {
  const redriven = rows.filter((row) => row.redriven + row.unknown > 0)
  if (redriven.length === 0) {
    return ''
  }
  const table = renderTable(
    [
      { head: 'redriven', align: 'left' },
      ...['sent', ...redriveFates].map((head) => ({ head, align: 'right' as const })),
    ],
    redriven.map((row): Cell[] => [`${row.reason}: ${row.detail}`, ...fateNames.map((name) => row[name])]),
  )
  return `${table}rejected: once more; waiting: no classifier has read it yet; unknown: whether it was sent\n\n`
}

function printMessages(rows: readonly RejectedMessage[]): string {
  const topics = new Set(rows.map((row) => row.topic))
  const isRedriven = rows.some((row) => row.became !== null)
  return renderTable(
    [
      { head: topics.size > 1 ? 'message' : `message of ${[...topics].join('')}`, align: 'left' },
      { head: 'recorded (UTC)', align: 'left' },
      { head: 'reason', align: 'left' },
      { head: 'detail', align: 'left' },
      { head: 'bytes', align: 'right' },
      ...(isRedriven ? [{ head: 'redriven', align: 'left' } as const] : []),
      { head: 'first bytes', align: 'left' },
    ],
    rows.map((row): Cell[] => [
      topics.size > 1 ? `${row.topic}/${row.partition}:${row.offset}` : `${row.partition}:${row.offset}`,
      formatTime(row.recorded_at),
      row.reason,
      row.detail,
      row.size,
      ...(isRedriven ? [printBecame(row)] : []),
      row.first_bytes,
    ]),
  )
}

function printBecame({ became, partition, copy_offset }: RejectedMessage): string {
  return became === null ? '' : copy_offset === null ? 'not known' : `${became} ${partition}:${copy_offset}`
}
