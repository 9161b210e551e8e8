import type { Committed, Watermarks } from '../shared/io/kafka-admin.ts'
import type { LogConsumer, LogConsumerOptions } from '../shared/io/kafka-consumer.ts'
import type { Peeked } from '../shared/io/kafka-peek.ts'

/** Where a replay reads its log. The pipeline knows no other: whatever answers these questions can be replayed. */
export interface ReplaySource {
  topicId(topic: string): Promise<string>
  watermarks(topic: string): Promise<Watermarks[]>
  /** The plans that the replay's own processes have committed. */
  committed(group: string, topic: string): Promise<Map<number, Committed>>
  /** What stands at an offset or after it, by which a range is known to be at its end. */
  peek(partition: number, offset: number): Promise<Peeked>
  /** One membership, as `startLogConsumer`: it brings batches until it is stopped. */
  startConsumer(events: ConsumerEvents): Promise<LogConsumer>
}

export type ConsumerEvents = Pick<LogConsumerOptions, 'onJoin' | 'onHeard' | 'onBatch' | 'onSkipped'>
