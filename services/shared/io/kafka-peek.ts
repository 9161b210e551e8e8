import { createLogFetcher } from './kafka-fetch.ts'
import type { Kafka } from './kafka.ts'

/** What stands at an offset of a partition. */
export interface Peeked {
  /** One past the last offset of the partition. */
  readonly high: number
  /** The first message at or after the offset; undefined when none was found. */
  readonly firstOffset: number | undefined
  /** When it was sent, in milliseconds since 1970. */
  readonly firstTimeMs: number | undefined
  /** Without a message found: the offset up to which there is none for certain, only markers and aborted records. */
  readonly emptyTo: number
}

/** Looks at single places of a log, outside every consumer group, and leaves no trace of it. */
export interface KafkaPeek {
  at(partition: number, offset: number): Promise<Peeked>
  /** For good: what is under way fails. */
  close(): Promise<void>
}

/** A batch that is larger is given whole by the broker: its first message can always be read. */
const partitionBytesMax = 65_536
/** With `bytesMin: 0` the broker answers at once; kafkajs makes its patience with the request of this. */
const waitMs = 5_000

export function createKafkaPeek(kafka: Kafka, topic: string): KafkaPeek {
  const fetcher = createLogFetcher(kafka, topic)
  return {
    async at(partition, offset) {
      const limits = { waitMs, bytesMin: 0, partitionBytesMax }
      const [answer] = await fetcher.fetch([{ partition, offset }], limits)
      const { high, next, records } = answer!
      const found = records.next()
      return {
        high,
        firstOffset: found ? records.record.offset : undefined,
        firstTimeMs: found ? records.record.timestampMs : undefined,
        emptyTo: found ? offset : next,
      }
    },
    close: () => fetcher.close(),
  }
}
