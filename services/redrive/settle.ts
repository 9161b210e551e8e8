import { PipelineError } from '../shared/domain/faults.ts'
import { originHeader, originText } from '../shared/domain/origin.ts'
import type { Watermarks } from '../shared/io/kafka-admin.ts'
import type { LogFetcher } from '../shared/io/kafka-fetch.ts'
import { headerText } from '../shared/io/kafka-record-headers.ts'
import type { RedriveRow } from './record.ts'

/** The log as far as it tells what became of planned messages. */
export interface LogView {
  readonly topicId: string
  /** First offset that retention has left, by partition. */
  readonly lows: ReadonlyMap<number, number>
  /** Offset of the copy by its origin, as text. */
  readonly found: ReadonlyMap<string, number>
}

/**
 * What became of each planned message, once nobody else can commit one any more: a copy that is not in the log will never be.
 * Where retention may have deleted it, nobody can know, and at most once is the promise: unknown.
 */
export function settled(planned: readonly RedriveRow[], log: LogView): RedriveRow[] {
  return planned.map((row) => {
    const offset = log.found.get(originText(row.origin))
    const low = log.lows.get(row.origin.partition)
    if (offset !== undefined) {
      return { ...row, state: 'sent', toTopicId: log.topicId, toOffset: offset }
    }
    const isWhole = row.toTopicId === log.topicId && low !== undefined && low <= row.toOffset
    return { ...row, state: isWhole ? 'not_sent' : 'unknown' }
  })
}

const limits = { waitMs: 500, bytesMin: 1, partitionBytesMax: 4 * 1_048_576 }
/** A transaction of somebody else hides what stands behind it; brokers end one after a minute where it says nothing else. */
const silenceMaxMs = 90_000

/** Reads the log from where the first of the planned messages may stand to its end, and finds their copies; undefined after the signal. */
export async function findCopies(
  planned: readonly RedriveRow[],
  deps: {
    topic: string
    topicId: string
    watermarks: readonly Watermarks[]
    fetcher: LogFetcher
    signal: AbortSignal
    onRead: (offsets: number, total: number) => void
  },
): Promise<LogView | undefined> {
  const found = new Map<string, number>()
  const origins = new Set(planned.map(({ origin }) => originText(origin)))
  const lows = new Map(deps.watermarks.map(({ partition, low }) => [partition, low]))
  const ranges = deps.watermarks.flatMap(({ partition, low, high }) => {
    const own = planned.filter(({ origin, toTopicId }) => origin.partition === partition && toTopicId === deps.topicId)
    const first = own.reduce((least, { toOffset }) => Math.min(least, toOffset), Infinity)
    return own.length === 0 ? [] : [{ partition, first: Math.max(low, first), high }]
  })
  const total = ranges.reduce((sum, { first, high }) => sum + Math.max(0, high - first), 0)
  let read = 0
  for (const { partition, first } of ranges) {
    await readToEnd(partition, first)
  }
  return deps.signal.aborted ? undefined : { topicId: deps.topicId, lows, found }

  async function readToEnd(partition: number, first: number): Promise<void> {
    let end: number | undefined
    let movedMs = Date.now()
    for (let next = first; next < (end ?? Infinity) && !deps.signal.aborted;) {
      const [answer] = await deps.fetcher.fetch([{ partition, offset: next }], limits)
      const { records, isCommitted, high, stable, next: after } = answer!
      if (!isCommitted) {
        throw new PipelineError('redrive needs brokers of Kafka 2.3 or newer', { code: 'kafka_refused' })
      }
      // The end as the first answer says it, not the last stable offset: what was committed stands before it.
      end ??= high
      while (records.next()) {
        const origin = headerText(records.record, originHeader)
        if (origin !== undefined && origins.has(origin) && !found.has(origin)) {
          found.set(origin, records.record.offset)
        }
      }
      if (after > next) {
        movedMs = Date.now()
      } else if (Date.now() - movedMs > silenceMaxMs) {
        throw new PipelineError(
          `${deps.topic}/${partition} can't be read from offset ${next} on: another producer's transaction is open from ${stable} on; ` +
            'run redrive again when it has ended',
          { code: 'kafka_unreachable', retryable: true },
        )
      }
      read += after - next
      next = after
      deps.onRead(read, total)
    }
  }
}
