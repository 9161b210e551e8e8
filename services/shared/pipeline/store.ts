import { performance } from 'node:perf_hooks'

import type { StreamDefinition } from '../domain/stream.ts'
import type { ClickHouse } from '../io/clickhouse.ts'
import { insertSettings, insertSql, type TableInsert } from './insert.ts'

/** A range of one partition's log. Both ends belong to it. */
export interface LogRange {
  readonly topicId: string
  readonly partition: number
  readonly first: number
  readonly last: number
}

/** What a table holds of a range: rows and the sum of their offsets modulo 2^64, as text. */
export interface Held {
  readonly rows: number
  readonly offsetSum: string
}

/** The tables of one stream, as the pipeline sees them. */
export interface Store {
  readonly database: string
  /** One attempt at one insert, under its token and a lease that ends at `leaseEndsMs` of the server's clock. */
  insert(insert: TableInsert, leaseEndsMs: number): Promise<void>
  /** The server's clock in milliseconds, carried on by this process' own monotonic one. */
  serverNowMs(): number
  /** Asks for the server's clock; call it at the start and after long silences. */
  readClock(): Promise<void>
  /** One past the last offset that the ledger holds of a partition; 0 when it holds none. */
  ledgerEnd(topicId: string, partition: number): Promise<number>
  /** The same of every partition that the ledger holds. */
  ledgerEnds(topicId: string): Promise<ReadonlyMap<number, number>>
  held(table: string, range: LogRange): Promise<Held>
  ledgerRows(token: string): Promise<number>
  /** Ids and offsets of accepted and duplicate events in a range, in the order of their offsets: 24 bytes each. */
  idsInRange(range: LogRange): Promise<Buffer>
  readonly clickHouse: ClickHouse
}

export function createStore(options: { clickHouse: ClickHouse; database: string; stream: StreamDefinition }): Store {
  const { clickHouse, database, stream } = options
  let clockAheadMs = Date.now() - performance.now()
  const range =
    'topic_id = {topic_id:UUID} AND partition = {partition:UInt32} AND kafka_offset BETWEEN {first:UInt64} AND {last:UInt64}'
  const rangeParams = ({ topicId, partition, first, last }: LogRange) => ({ topic_id: topicId, partition, first, last })

  return {
    database,
    clickHouse,
    serverNowMs: () => performance.now() + clockAheadMs,
    async readClock() {
      // The clock is read before the answer travels back, so what we carry on is never ahead of the server's.
      const [row] = await clickHouse.rows<{ now: number }>('SELECT toUnixTimestamp64Milli(now64(3)) AS now')
      clockAheadMs = row!.now - performance.now()
    },
    insert: (insert, leaseEndsMs) =>
      clickHouse.insert(insertSql(insert, { database }), insert.body, {
        params: { ...insert.params, lease_ends_ms: Math.floor(leaseEndsMs) },
        settings: insertSettings(insert.token),
      }),
    async ledgerEnd(topicId, partition) {
      const [row] = await clickHouse.rows<{ end: number }>(
        `SELECT max(last_offset) + 1 AS end, count() AS batches FROM ${database}.ingest_batches
         WHERE topic_id = {topic_id:UUID} AND partition = {partition:UInt32} HAVING batches > 0`,
        { topic_id: topicId, partition },
      )
      return row?.end ?? 0
    },
    async ledgerEnds(topicId) {
      const rows = await clickHouse.rows<{ partition: number; end: number }>(
        `SELECT partition, max(last_offset) + 1 AS end FROM ${database}.ingest_batches
         WHERE topic_id = {topic_id:UUID} GROUP BY partition`,
        { topic_id: topicId },
      )
      return new Map(rows.map(({ partition, end }) => [partition, end]))
    },
    async held(table, logRange) {
      const [row] = await clickHouse.rows<{ rows: number; offset_sum: string }>(
        `SELECT count() AS rows, toString(sum(kafka_offset)) AS offset_sum FROM ${database}.${table} WHERE ${range}`,
        rangeParams(logRange),
      )
      return { rows: row!.rows, offsetSum: row!.offset_sum }
    },
    async ledgerRows(token) {
      const [row] = await clickHouse.rows<{ rows: number }>(
        `SELECT count() AS rows FROM ${database}.ingest_batches WHERE token = {token:String}`,
        { token },
      )
      return row!.rows
    },
    idsInRange: (logRange) =>
      clickHouse.bytes(
        `SELECT event_id, kafka_offset FROM (
           SELECT event_id, kafka_offset FROM ${database}.${stream.table} WHERE ${range}
           UNION ALL SELECT event_id, kafka_offset FROM ${database}.duplicate_events WHERE ${range}
         ) ORDER BY kafka_offset FORMAT RowBinary`,
        rangeParams(logRange),
      ),
  }
}
