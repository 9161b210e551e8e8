import type { Committed, Watermarks } from '../shared/io/kafka-admin.ts'
import type { LogConsumer, LogConsumerOptions } from '../shared/io/kafka-consumer.ts'
import type { Peeked } from '../shared/io/kafka-peek.ts'

export const sourceKinds = ['kafka', 'archive'] as const
export type SourceKind = (typeof sourceKinds)[number]

/** A log that can be replayed: where it begins and ends, and what stands where. */
export interface ReplayLog {
  readonly kind: SourceKind
  readonly topic: string
  topicId(topic: string): Promise<string>
  watermarks(topic: string): Promise<Watermarks[]>
  /** By partition: the first offset whose message was sent at that time or later, or one past the last where there is none. */
  offsetsAt(topic: string, timeMs: number): Promise<ReadonlyMap<number, number>>
  /** What stands at an offset or after it, by which a range is known to be at its end. */
  peek(partition: number, offset: number): Promise<Peeked>
  /** Throws where the log is known to lack a part of these offsets; nothing is read for it. */
  assertHolds(partition: number, first: number, end: number): void
  close(): Promise<void>
}

/** Where one member of a replay reads. The pipeline knows no other: whatever answers these questions can be replayed. */
export interface ReplaySource extends Pick<ReplayLog, 'topicId' | 'watermarks'> {
  /** The plans that the replay's own processes have committed. */
  committed(group: string, topic: string): Promise<Map<number, Committed>>
  /** One membership, as `startLogConsumer`: it brings batches until it is stopped. */
  startConsumer(events: ConsumerEvents): Promise<LogConsumer>
}

export type ConsumerEvents = Pick<LogConsumerOptions, 'onJoin' | 'onHeard' | 'onBatch' | 'onSkipped'>
