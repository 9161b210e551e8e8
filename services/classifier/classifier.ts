import type { FateSettings } from '../shared/domain/fate.ts'
import { createRejectionLimit, type RejectionLimitOptions } from '../shared/domain/rejection-limit.ts'
import type { StreamDefinition } from '../shared/domain/stream.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import type { startLogConsumer } from '../shared/io/kafka-consumer.ts'
import type { KafkaPeek } from '../shared/io/kafka-peek.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import type { SchemaRegistry } from '../shared/io/schema-registry.ts'
import type { BatchLimits, NamedTaxonomy } from '../shared/pipeline/partition.ts'
import { runMembers } from '../shared/pipeline/memberships.ts'
import type { Store } from '../shared/pipeline/store.ts'
import { createLagWatch } from './lag.ts'
import { createMember, type Shared } from './member.ts'
import type { ClassifierMetrics } from './metrics.ts'

export interface ClassifierOptions {
  readonly topic: string
  readonly group: string
  /** Members of the group that this process is. */
  readonly memberships: number
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
  const { log, metrics } = parts
  const lag = createLagWatch({
    peek: (partition, offset) => parts.peek.at(partition, offset),
    committed: () => parts.admin.committed(options.group, options.topic),
    watermarks: () => parts.admin.watermarks(options.topic),
    log,
    lagMaxS: options.readyLagMaxS,
  })
  const shared: Shared = { rejectionLimit: createRejectionLimit(options.rejection), lag, pipelines: new Map() }
  const members = Array.from({ length: options.memberships }, (_, index) =>
    createMember(index + 1, options, parts, shared),
  )
  const notReady = () => members.map((member) => member.notReady()).find(Boolean) ?? lag.tooOld()
  metrics.watch({ lags: () => lag.lags(), notReady })

  return {
    notReady,
    run: (signal) =>
      runMembers(
        members.map((member) => (until) => member.run(until)),
        { signal, log },
      ),
  }
}
