import { messageOf, PipelineError } from '../domain/faults.ts'
import { newRecord, recordOf, type RecordCursor } from '../domain/log-record.ts'
import { decodingLeanly, openBatches, type RecordBatch } from './kafka-record-decoder.ts'
import { isMembershipRefusal, kafkaFault, type EachBatchPayload, type Kafka, type KafkaMessage } from './kafka.ts'
import type { Logger } from './log.ts'

/** One fetch of one partition. Offsets are numbers: exact below 2^53, which `toOffset` asserts. */
export interface LogBatch {
  readonly partition: number
  /** The offset the fetch asked for: must equal the position expected, else the batch is stale. */
  readonly fetchedOffset: number
  /** What the fetch holds from there on. Goes over it once. */
  readonly records: RecordCursor
  /** One past the last offset of the partition, as the broker said with this fetch. */
  readonly highWatermark: number
  /** The last offset the fetch covers, control records included. */
  readonly lastOffset: number
}

/** What one call of `onBatch` may do. Everything here is fenced by the membership it was called under. */
export interface BatchHandle {
  /**
   * Commits offset and metadata as this member. Throws Kafka's own refusal when the membership is lost, and a `membership_lost`
   * fault when the outcome is unknown: the member then leaves, and a late commit of it is refused by its old generation.
   */
  commit(offset: number, metadata: string): Promise<void>
  heartbeat(): Promise<void>
  /** Lets the next fetch go on after this offset. */
  resolve(lastOffset: number): void
  seek(offset: number): void
  /** No more fetches of this partition by this member, also after a rejoin. */
  pause(): void
  /** False once the group was rejoined, the consumer stops, or a seek is pending: nothing may be started then. */
  isCurrent(): boolean
}

export interface LogConsumerOptions {
  readonly kafka: Kafka
  readonly topic: string
  readonly group: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly fetchBytesMin: number
  readonly fetchBytesMax: number
  readonly fetchWaitMs: number
  readonly partitionsInFlight: number
  /** `lean` is ours (`kafka-record-decoder.ts`), `kafkajs` its own. */
  readonly decoder: 'lean' | 'kafkajs'
  readonly log: Logger
  /** Called synchronously when this member joined a generation: everything gathered must be dropped. */
  onJoin(partitions: readonly number[], seek: (partition: number, offset: number) => void): void
  /** Kafka answered a fetch or a heartbeat of this member. */
  readonly onHeard: () => void
  onBatch(batch: LogBatch, handle: BatchHandle): Promise<void>
  /** A fetch held only control records or aborted transactions; kafkajs goes on after it without calling `onBatch`. */
  onSkipped(partition: number, firstOffset: number, lastOffset: number): void
}

/** One membership in a consumer group. It ends by `stop`, or by a fault that the caller sees in `ended`; it never restarts itself. */
export interface LogConsumer {
  /** Resolves with the fault that ended the membership, or undefined after `stop`. */
  readonly ended: Promise<PipelineError | undefined>
  /** Fetches nothing more for good, and stays a member. */
  pause(): void
  stop(): Promise<void>
}

export async function startLogConsumer(options: LogConsumerOptions): Promise<LogConsumer> {
  const consumer = options.kafka.consumer({
    groupId: options.group,
    sessionTimeout: options.sessionTimeoutMs,
    rebalanceTimeout: options.rebalanceTimeoutMs,
    heartbeatInterval: Math.max(500, Math.floor(options.sessionTimeoutMs / 10)),
    metadataMaxAge: options.metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    minBytes: options.fetchBytesMin,
    maxBytesPerPartition: options.fetchBytesMax,
    maxBytes: options.fetchBytesMax * 4,
    maxWaitTimeInMs: options.fetchWaitMs,
    // Aborted transactions are not delivered.
    readUncommitted: false,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 12, restartOnFailure: () => Promise.resolve(false) },
  })
  let epoch = 0
  let over = false
  let end: (fault: PipelineError | undefined) => void = () => undefined
  const ended = new Promise<PipelineError | undefined>((resolve) => (end = resolve))
  const finish = (fault: PipelineError | undefined) => {
    over = true
    end(fault)
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const joined = ++epoch
    const partitions = payload.memberAssignment[options.topic] ?? []
    options.log.info({ partitions, group: options.group }, 'joined the consumer group')
    options.onJoin(partitions, (partition, offset) => {
      if (joined === epoch && !over) {
        consumer.seek({ topic: options.topic, partition, offset: String(offset) })
      }
    })
  })
  for (const heard of [consumer.events.FETCH, consumer.events.HEARTBEAT]) {
    consumer.on(heard, options.onHeard)
  }
  consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => {
    if (payload.batchSize === 0 && (payload.firstOffset as string | null) !== null) {
      options.onSkipped(payload.partition, toOffset(payload.firstOffset), toOffset(payload.lastOffset))
    }
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    finish(kafkaFault(`reading ${options.topic} as ${options.group}`, payload.error))
  })

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    // Batches that kafkajs queued still run after one of them failed; they must do nothing.
    if (over) {
      return
    }
    const handle = batchHandle(payload, epoch)
    try {
      await options.onBatch(toLogBatch(payload), handle)
    } catch (thrown) {
      if (isMembershipRefusal(thrown)) {
        // kafkajs rejoins by itself; GROUP_JOIN then drops what was gathered.
        throw thrown
      }
      finish(thrown instanceof PipelineError ? thrown : asFault(thrown, options.topic))
      throw thrown
    }
  }

  function batchHandle(payload: EachBatchPayload, startedIn: number): BatchHandle {
    const { partition } = payload.batch
    const isCurrent = () => !over && startedIn === epoch && payload.isRunning() && !payload.isStale()
    return {
      isCurrent,
      async commit(offset, metadata) {
        if (!isCurrent()) {
          throw new PipelineError(`committing ${options.topic}/${partition}: this member's generation has ended`, {
            code: 'membership_lost',
            retryable: true,
          })
        }
        try {
          // Inside eachBatch and with explicit offsets this is one request under this generation, never retried (kafkajs 2.2.4).
          await payload.commitOffsetsIfNecessary({
            topics: [{ topic: options.topic, partitions: [{ partition, offset: String(offset), metadata }] }] as never,
          })
        } catch (thrown) {
          if (isMembershipRefusal(thrown)) {
            throw thrown
          }
          throw new PipelineError(
            `committing offset ${offset} of ${options.topic}/${partition}: the outcome is unknown (${messageOf(thrown)})`,
            {
              code: 'membership_lost',
              retryable: true,
              cause: thrown,
            },
          )
        }
      },
      heartbeat: () => payload.heartbeat(),
      resolve: (lastOffset) => payload.resolveOffset(String(lastOffset)),
      seek: (offset) => consumer.seek({ topic: options.topic, partition, offset: String(offset) }),
      pause: () => consumer.pause([{ topic: options.topic, partitions: [partition] }]),
    }
  }

  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [options.topic], fromBeginning: true })
    const run = () =>
      consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: options.partitionsInFlight,
        eachBatch,
      })
    await (options.decoder === 'lean' ? decodingLeanly(run, finish) : run())
  } catch (thrown) {
    await consumer.disconnect().catch(() => undefined)
    throw kafkaFault(`joining ${options.group} on ${options.topic}`, thrown)
  }
  return {
    ended,
    pause() {
      try {
        consumer.pause([{ topic: options.topic }])
      } catch (thrown) {
        // Only a consumer that has just crashed refuses it, and that one fetches nothing either.
        options.log.debug({ fault: messageOf(thrown) }, 'not paused')
      }
    },
    async stop() {
      over = true
      await consumer.disconnect()
      end(undefined)
    },
  }
}

function toLogBatch({ batch }: EachBatchPayload): LogBatch {
  const fetchedOffset = toOffset((batch as unknown as { fetchedOffset: string }).fetchedOffset)
  return {
    partition: batch.partition,
    fetchedOffset,
    records: openRecords(batch.messages, fetchedOffset),
    highWatermark: toOffset(batch.highWatermark),
    lastOffset: toOffset(batch.lastOffset()),
  }
}

/** Lean batches where our decoder answered, kafkajs' own messages where it did not. */
export function openRecords(messages: readonly (KafkaMessage | RecordBatch)[], fetchedOffset: number): RecordCursor {
  const [first] = messages
  return first !== undefined && 'recordBatch' in first
    ? openBatches(messages as readonly RecordBatch[], fetchedOffset)
    : openMessages(messages as readonly KafkaMessage[])
}

export function openMessages(messages: readonly KafkaMessage[]): RecordCursor {
  const record = newRecord()
  let index = 0
  return {
    record,
    next() {
      const message = messages[index++]
      if (message === undefined) {
        return false
      }
      const { key, value } = message
      recordOf({ offset: toOffset(message.offset), timestampMs: Number(message.timestamp), key, value }, record)
      return true
    },
  }
}

function asFault(thrown: unknown, topic: string): PipelineError {
  // A broken invariant of ours is not Kafka's fault; it stops the process with its own words.
  if (thrown instanceof Error && !thrown.name.startsWith('KafkaJS')) {
    return new PipelineError(`reading ${topic}: ${thrown.message}`, { code: 'ledger_disagrees', cause: thrown })
  }
  return kafkaFault(`reading ${topic}`, thrown)
}

export function toOffset(text: string): number {
  const offset = Number(text)
  if (!Number.isSafeInteger(offset)) {
    throw new Error(`offset ${text} is beyond 2^53`)
  }
  return offset
}
