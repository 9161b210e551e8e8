import { setTimeout as sleep } from 'node:timers/promises'

import type { FateSettings } from '../shared/domain/fate.ts'
import { messageOf, PipelineError } from '../shared/domain/faults.ts'
import { createRejectionLimit, type RejectionLimitOptions } from '../shared/domain/rejection-limit.ts'
import type { StreamDefinition } from '../shared/domain/stream.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { startLogConsumer, type LogConsumer } from '../shared/io/kafka-consumer.ts'
import type { KafkaPeek } from '../shared/io/kafka-peek.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import type { SchemaRegistry } from '../shared/io/schema-registry.ts'
import type { BatchLimits, NamedTaxonomy } from '../shared/pipeline/partition.ts'
import type { Outages } from '../shared/pipeline/outlast.ts'
import { createPipeline, mayComeBack, type Pipeline } from '../shared/pipeline/pipeline.ts'
import { settle } from '../shared/pipeline/settle.ts'
import type { Store } from '../shared/pipeline/store.ts'
import { createCondition } from './condition.ts'
import { createLagWatch } from './lag.ts'
import type { ClassifierMetrics } from './metrics.ts'

export interface ClassifierOptions {
  readonly topic: string
  readonly group: string
  readonly fates: FateSettings
  readonly limits: BatchLimits
  readonly rejection: RejectionLimitOptions
  readonly sessionTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly fetchWaitMs: number
  readonly decoder: 'lean' | 'kafkajs'
  readonly leaseMs: number
  readonly outageMaxMs: number
  readonly stopTimeoutMs: number
  /** Seconds a message may wait to be stored before the classifier is not ready; 0: any time. */
  readonly readyLagMaxS: number
}

/** Everything outside that a classifier works with. Tests put a decorated store or consumer here; the product never does. */
export interface ClassifierParts {
  readonly stream: StreamDefinition
  readonly kafka: Kafka
  readonly admin: KafkaAdmin
  readonly peek: KafkaPeek
  readonly store: Store
  readonly registry: SchemaRegistry
  readonly taxonomy: NamedTaxonomy
  taxonomyOf(version: number): NamedTaxonomy
  readonly metrics: ClassifierMetrics
  readonly log: Logger
  readonly startConsumer?: typeof startLogConsumer
}

export interface Classifier {
  /** Runs until the signal; throws the fault that no new membership can mend. */
  run(signal: AbortSignal): Promise<void>
  /** Why the classifier can't do its work now, or undefined. */
  notReady(): string | undefined
}

/**
 * Bytes a fetch asks for of a partition. 4 MB drains no faster and takes 630 instead of 500 MB at the peak (`npm run bench`);
 * less than 1 MB makes too many rounds.
 */
const fetchBytesMax = 1_048_576
const fetchBytesMin = 1_048_576

export function createClassifier(options: ClassifierOptions, parts: ClassifierParts): Classifier {
  const { log, metrics, store } = parts
  const heartbeatIntervalMs = Math.max(250, options.sessionTimeoutMs / 10)
  const condition = createCondition({ silenceMaxMs: options.sessionTimeoutMs, nowMs: () => performance.now() })
  const rejectionLimit = createRejectionLimit(options.rejection)
  const lag = createLagWatch({
    peek: (partition, offset) => parts.peek.at(partition, offset),
    committed: () => parts.admin.committed(options.group, options.topic),
    watermarks: () => parts.admin.watermarks(options.topic),
    log,
    lagMaxS: options.readyLagMaxS,
  })
  const notReady = () => condition.notReady() ?? lag.tooOld()
  metrics.watch({ lags: () => lag.lags(), notReady })

  /** One membership in the group, from joining to its end. Returns the fault that ended it, or undefined when stopped. */
  async function serve(signal: AbortSignal): Promise<PipelineError | undefined> {
    const topicId = await parts.admin.topicId(options.topic)
    const outages: Outages = {
      ...{ outageMaxMs: options.outageMaxMs, heartbeatIntervalMs, log, signal },
      onAway: condition.away,
      onOver: condition.over,
    }
    const pipeline = createPipeline({
      ...options,
      ...parts,
      topicId,
      outages,
      schema: (id) => parts.registry.schema(id),
      leaseEndsMs: () => store.serverNowMs() + options.leaseMs,
      onExpired: (offsets) => metrics.expired.inc(offsets),
      async settle(batch, plan, handle) {
        const { tally } = batch.gathered
        const counts = { partition: batch.partition, ...tally }
        const surge = rejectionLimit.exceededBy(counts)
        // A batch that was planned is finished as planned, whoever bore it.
        if (surge !== undefined && !batch.recovered) {
          throw new PipelineError(
            `${options.topic}/${batch.partition}, offsets ${batch.first}-${batch.last}: ${surge}; nothing of them was stored. Mend what sends them or register its schema, or go on with \`classify --force\``,
            { code: 'rejection_limit' },
          )
        }
        await settle(batch, plan, {
          stream: parts.stream,
          store,
          handle,
          outages,
          leaseMs: options.leaseMs,
          onEvent: (event) => metrics.settleEvent(event),
        })
        condition.settled()
        rejectionLimit.settled(counts)
        metrics.batchSettled({ tally, recovered: batch.recovered })
        const { accepted, duplicate, rejected } = tally
        log.info(
          { partition: batch.partition, first: batch.first, last: batch.last, accepted, duplicate, rejected },
          'batch settled',
        )
      },
    })
    const consumer = await (parts.startConsumer ?? startLogConsumer)({
      kafka: parts.kafka,
      topic: options.topic,
      group: options.group,
      sessionTimeoutMs: options.sessionTimeoutMs,
      rebalanceTimeoutMs: Math.max(options.sessionTimeoutMs, 30_000),
      metadataMaxAgeMs: options.metadataMaxAgeMs,
      fetchBytesMin,
      fetchBytesMax,
      fetchWaitMs: options.fetchWaitMs,
      partitionsInFlight: 2,
      decoder: options.decoder,
      log,
      onJoin: (partitions, seek) => {
        condition.joined()
        pipeline.onJoin(partitions, seek)
        lag.own(partitions, (partition) => pipeline.settledTo(partition))
      },
      onHeard: condition.heard,
      onBatch: (batch, handle) => pipeline.onBatch(batch, handle),
      onSkipped: (partition, first, last) => pipeline.onSkipped(partition, first, last),
    })
    metrics.memberships.inc()
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) {
        resolve(undefined)
      }
      signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    const fault = await Promise.race([consumer.ended, stopped])
    await leave(pipeline, consumer, fault, signal)
    return fault
  }

  /**
   * Input first: what is planned is finished, then the group is left. A stop may take `stopTimeoutMs`; after a fault the servers
   * may be away, and it may take as long as an outage.
   */
  async function leave(
    pipeline: Pipeline,
    consumer: LogConsumer,
    fault: PipelineError | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const left = new AbortController()
    const overdue = async () => {
      await sleep(options.outageMaxMs, undefined, { signal: AbortSignal.any([signal, left.signal]) }).catch(
        () => undefined,
      )
      await sleep(options.stopTimeoutMs, undefined, { signal: left.signal })
      throw new PipelineError(
        `stopping took more than ${options.stopTimeoutMs} ms: a batch or the leaving of group ${options.group} hangs; its plan will be finished by the next owner`,
        { code: 'stop_overdue', ...(fault === undefined ? {} : { cause: fault }) },
      )
    }
    try {
      const done = Promise.all([lag.stop(), pipeline.drain().then(() => consumer.stop())])
      await Promise.race([done, overdue()])
    } finally {
      left.abort()
    }
  }

  return {
    notReady,
    async run(signal) {
      while (!signal.aborted) {
        const fault = await serve(signal).catch((thrown: unknown) => {
          if (thrown instanceof PipelineError && mayComeBack(thrown)) {
            return thrown
          }
          throw thrown
        })
        if (fault === undefined || signal.aborted) {
          return
        }
        condition.membershipEnded(fault)
        metrics.faults.inc({ code: fault.code })
        if (!mayComeBack(fault) || condition.troubledMs() > options.outageMaxMs) {
          throw fault
        }
        log.warn({ fault: messageOf(fault), code: fault.code }, 'membership ended, coming back as a new member')
        await sleep(1_000, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}
