import type { RejectionReason } from '../shared/domain/fate.ts'
import type { Origin } from '../shared/domain/origin.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { recordedWithin, type RecordedDays } from '../shared/io/recorded-days.ts'

export interface Wanted extends RecordedDays {
  readonly topic: string
  readonly reason: RejectionReason
}

/** A rejected message that no run has sent yet. */
export interface Candidate extends Origin {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly recordedAtMs: number
  /** Why it was rejected, besides the reason. */
  readonly detail: string
  readonly key: Buffer | null
  readonly value: Buffer | null
}

export interface CandidateCounts {
  readonly candidates: number
  /** Sent by an earlier run, or of a fate that can't be known: neither is sent again. */
  readonly before: number
}

/** A partition of the topic, also of an earlier one of its name, as far as the ledger holds it. */
export interface LedgerPart {
  readonly topicId: string
  readonly partition: number
  readonly end: number
}

export interface CandidateSource {
  counts(): Promise<CandidateCounts>
  /** How far the ledger goes now. A run looks no further: what it sends lies behind it, and may be rejected again. */
  parts(): Promise<LedgerPart[]>
  /** All of one part in the order of their offsets, in batches of `batchRowsMax` and `batchBytesMax`. */
  batches(part: LedgerPart): AsyncGenerator<Candidate[]>
}

/** A batch is one transaction. */
const batchRowsMax = 1_000
/** Of all values of a batch; a single one may be larger. */
const batchBytesMax = 4 * 1_048_576
/** Offsets and sizes that one question lists, before any value is read. */
const pageRows = 10_000

export function createCandidateSource(
  { clickHouse, database }: { clickHouse: ClickHouse; database: string },
  { topic, reason, from, to }: Wanted,
): CandidateSource {
  const days = Object.fromEntries(Object.entries({ from, to }).filter(([, value]) => value !== undefined))
  const params = { topic, reason, ...days }
  const where = ['topic = {topic:String}', 'reason = {reason:String}', ...recordedWithin({ from, to })].join(' AND ')
  const inPart = `topic_id = {topic_id:UUID} AND partition = {partition:UInt32}`

  async function page(part: LedgerPart, first: number): Promise<{ offset: number; size: number }[]> {
    return clickHouse.rows(
      `SELECT kafka_offset AS offset, ifNull(length(value), 0) AS size FROM ${database}.rejected_events
       WHERE ${where} AND ${inPart} AND kafka_offset >= {first:UInt64} AND kafka_offset < {end:UInt64}
         AND kafka_offset NOT IN (SELECT kafka_offset FROM ${database}.redriven_events
           WHERE ${inPart} AND state IN ('sent', 'unknown'))
       ORDER BY kafka_offset LIMIT 1 BY kafka_offset LIMIT {limit:UInt32}`,
      { ...params, topic_id: part.topicId, partition: part.partition, first, end: part.end, limit: pageRows },
    )
  }

  async function read({ topicId, partition }: LedgerPart, offsets: readonly number[]): Promise<Candidate[]> {
    const rows = await clickHouse.rows<{
      offset: number
      recorded: number
      detail: string
      key: string | null
      value: string | null
    }>(
      `SELECT kafka_offset AS offset, toUnixTimestamp64Milli(recorded_at) AS recorded, detail,
         base64Encode(key) AS key, base64Encode(value) AS value
       FROM ${database}.rejected_events
       WHERE topic_id = {topic_id:UUID} AND partition = {partition:UInt32} AND kafka_offset IN {offsets:Array(UInt64)}
       ORDER BY kafka_offset LIMIT 1 BY kafka_offset`,
      { topic_id: topicId, partition, offsets },
    )
    return rows.map(({ offset, recorded, detail, key, value }) => ({
      ...{ topicId, partition, offset, detail, recordedAtMs: recorded, key: bytesOf(key), value: bytesOf(value) },
    }))
  }

  return {
    async counts() {
      const [row] = await clickHouse.rows<{ all: number; before: number }>(
        `SELECT uniqExact(topic_id, partition, kafka_offset) AS all,
           uniqExactIf((topic_id, partition, kafka_offset), (topic_id, partition, kafka_offset) IN (
             SELECT topic_id, partition, kafka_offset FROM ${database}.redriven_events
             WHERE state IN ('sent', 'unknown'))) AS before
         FROM ${database}.rejected_events WHERE ${where}`,
        params,
      )
      return { candidates: row!.all - row!.before, before: row!.before }
    },
    parts: () =>
      clickHouse.rows<LedgerPart>(
        `SELECT topic_id AS topicId, partition, max(last_offset) + 1 AS end FROM ${database}.ingest_batches
         WHERE topic = {topic:String} GROUP BY topic_id, partition ORDER BY min(inserted_at), topic_id, partition`,
        { topic },
      ),
    async *batches(part) {
      for (let first = 0; ;) {
        const found = await page(part, first)
        for (const offsets of batchesOf(found)) {
          yield await read(part, offsets)
        }
        if (found.length < pageRows) {
          return
        }
        first = found.at(-1)!.offset + 1
      }
    },
  }
}

/** Exported for its test. */
export function batchesOf(rows: readonly { readonly offset: number; readonly size: number }[]): number[][] {
  const batches: number[][] = []
  let bytes = Infinity
  for (const { offset, size } of rows) {
    bytes += size
    if (bytes > batchBytesMax || batches.at(-1)!.length === batchRowsMax) {
      batches.push([])
      bytes = size
    }
    batches.at(-1)!.push(offset)
  }
  return batches
}

const bytesOf = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64'))
