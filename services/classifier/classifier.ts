import type { FateSettings } from '../shared/domain/fate.ts'
import { PipelineError } from '../shared/domain/faults.ts'
import { createRejectionLimit, type RejectionLimitOptions } from '../shared/domain/rejection-limit.ts'
import type { StreamDefinition } from '../shared/domain/stream.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { startLogConsumer } from '../shared/io/kafka-consumer.ts'
import type { KafkaPeek } from '../shared/io/kafka-peek.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import type { SchemaRegistry } from '../shared/io/schema-registry.ts'
import { createCondition } from '../shared/pipeline/condition.ts'
import { fetchBytes, runMemberships, type Membership } from '../shared/pipeline/memberships.ts'
import type { BatchLimits, NamedTaxonomy } from '../shared/pipeline/partition.ts'
import type { Outages } from '../shared/pipeline/outlast.ts'
import { createPipeline } from '../shared/pipeline/pipeline.ts'
import { settle } from '../shared/pipeline/settle.ts'
import type { Store } from '../shared/pipeline/store.ts'
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

export function createClassifier(options: ClassifierOptions, parts: ClassifierParts): Classifier {
  const { log, metrics, store } = parts
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

  async function join(outages: Outages): Promise<Membership> {
    const topicId = await parts.admin.topicId(options.topic)
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
      fetchBytesMin: fetchBytes,
      fetchBytesMax: fetchBytes,
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
    return { pipeline, consumer, stop: () => lag.stop() }
  }

  return {
    notReady,
    run: (signal) =>
      runMemberships(
        { ...options, condition, log, join, onFault: (fault) => metrics.faults.inc({ code: fault.code }) },
        signal,
      ),
  }
}
