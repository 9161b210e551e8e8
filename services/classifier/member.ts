import { PipelineError } from '../shared/domain/faults.ts'
import type { RejectionLimit } from '../shared/domain/rejection-limit.ts'
import { startLogConsumer } from '../shared/io/kafka-consumer.ts'
import { createCondition } from '../shared/pipeline/condition.ts'
import { fetchBytes, runMemberships, type Membership } from '../shared/pipeline/memberships.ts'
import type { Outages } from '../shared/pipeline/outlast.ts'
import { createPipeline, type Pipeline } from '../shared/pipeline/pipeline.ts'
import { settle } from '../shared/pipeline/settle.ts'
import type { ClassifierOptions, ClassifierParts } from './classifier.ts'
import type { LagWatch } from './lag.ts'

/** One of the group's members that this process is: one membership after the other. */
export interface Member {
  /** Runs until the signal; throws the fault that no new membership can mend. */
  run(signal: AbortSignal): Promise<void>
  /** Why it can't do its work now, or undefined. */
  notReady(): string | undefined
}

/** What the members of a process have in common. */
export interface Shared {
  /** By partition, so that its past goes with it to another member. */
  readonly rejectionLimit: RejectionLimit
  readonly lag: LagWatch
  /** Each member's latest. */
  readonly pipelines: Map<number, Pipeline>
}

export function createMember(
  number: number,
  options: ClassifierOptions,
  parts: ClassifierParts,
  { rejectionLimit, lag, pipelines }: Shared,
): Member {
  const { metrics, store } = parts
  const log = parts.log.child({ membership: number })
  const condition = createCondition({ silenceMaxMs: options.sessionTimeoutMs, nowMs: () => performance.now() })

  function openPipeline(topicId: string, outages: Outages): Pipeline {
    return createPipeline({
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
  }

  async function join(outages: Outages): Promise<Membership> {
    const pipeline = openPipeline(await parts.admin.topicId(options.topic), outages)
    pipelines.set(number, pipeline)
    let hasLeft = false
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
        // The leaving of another member may make this one join again while it leaves, too.
        if (!hasLeft) {
          lag.own(number, partitions, (partition) => pipeline.settledTo(partition))
        }
      },
      onHeard: condition.heard,
      onBatch: (batch, handle) => pipeline.onBatch(batch, handle),
      onSkipped: (partition, first, last) => pipeline.onSkipped(partition, first, last),
    })
    metrics.memberships.inc()
    return {
      ...{ pipeline, consumer },
      stop() {
        hasLeft = true
        return lag.disown(number)
      },
      // When one member leaves, Kafka refuses the others' commits: in a stop nobody leaves before all have settled.
      async settleForStop() {
        consumer.pause()
        await Promise.all([...pipelines.values()].map((each) => each.drain()))
      },
    }
  }

  return {
    notReady: condition.notReady,
    run: (signal) =>
      runMemberships(
        { ...options, condition, log, join, onFault: (fault) => metrics.faults.inc({ code: fault.code }) },
        signal,
      ),
  }
}
