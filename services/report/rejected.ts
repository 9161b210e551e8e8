import { reasonMeanings, type RejectionReason } from '../shared/domain/fate.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { recordedWithin, type RecordedDays } from '../shared/io/recorded-days.ts'
import { formatTime, renderCsv, renderJson, renderTable, type Cell, type Format } from '../shared/io/render.ts'

/** Days are those of the Kafka record: a rejected message has no time of its own that can be trusted. */
export interface RejectedParameters extends RecordedDays {
  readonly reason: string
  /** Lists so many single messages, the newest first, instead of counts. */
  readonly list: number | undefined
}

export interface RejectedCount {
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
  const params = { from, to, reason, list, bytes: bytesShown }
  const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))
  if (list === undefined) {
    const rows = await client.rows<RejectedCount>(
      `SELECT reason, detail, count() AS messages, toString(min(recorded_at)) AS oldest, toString(max(recorded_at)) AS newest
       FROM ${source} GROUP BY reason, detail ORDER BY messages DESC, reason, detail LIMIT 1000`,
      given,
    )
    return { kind: 'counts', parameters, rows }
  }
  const rows = await client.rows<RejectedMessage>(
    `SELECT topic, partition, kafka_offset AS offset, toString(recorded_at) AS recorded_at, reason, detail,
       length(value) AS size, lower(hex(substring(value, 1, {bytes:UInt32}))) AS first_bytes
     FROM ${source} ORDER BY rejected_events.recorded_at DESC, partition, kafka_offset DESC LIMIT {list:UInt32}`,
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

const countNames = ['reason', 'detail', 'messages', 'oldest', 'newest']
const messageNames = ['topic', 'partition', 'offset', 'recorded_at', 'reason', 'detail', 'size', 'first_bytes']

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
  return `${table}\n${reasons.map((reason) => `${reason}: ${reasonMeanings[reason as RejectionReason] ?? 'unknown'}\n`).join('')}`
}

function printMessages(rows: readonly RejectedMessage[]): string {
  const topics = new Set(rows.map((row) => row.topic))
  return renderTable(
    [
      { head: topics.size > 1 ? 'message' : `message of ${[...topics].join('')}`, align: 'left' },
      { head: 'recorded (UTC)', align: 'left' },
      { head: 'reason', align: 'left' },
      { head: 'detail', align: 'left' },
      { head: 'bytes', align: 'right' },
      { head: 'first bytes', align: 'left' },
    ],
    rows.map((row): Cell[] => [
      topics.size > 1 ? `${row.topic}/${row.partition}:${row.offset}` : `${row.partition}:${row.offset}`,
      formatTime(row.recorded_at),
      row.reason,
      row.detail,
      row.size,
      row.first_bytes,
    ]),
  )
}
