import { setTimeout as sleep } from 'node:timers/promises'

import type { StreamDefinition } from '../shared/domain/stream.ts'
import { PipelineError } from '../shared/domain/faults.ts'
import type { BatchHandle, LogBatch } from '../shared/io/kafka-consumer.ts'
import type { Logger } from '../shared/io/log.ts'
import type { SchemaRegistry } from '../shared/io/schema-registry.ts'
import { createCondition } from '../shared/pipeline/condition.ts'
import { runMemberships, type Membership } from '../shared/pipeline/memberships.ts'
import type { Outages } from '../shared/pipeline/outlast.ts'
import type { BatchLimits, NamedTaxonomy } from '../shared/pipeline/partition.ts'
import { createPipeline } from '../shared/pipeline/pipeline.ts'
import type { ReplayedRange } from '../shared/pipeline/position.ts'
import { settle } from '../shared/pipeline/settle.ts'
import type { Store } from '../shared/pipeline/store.ts'
import type { Definition } from './definition.ts'
import type { ReplaySource } from './source.ts'
import { createThrottle } from './throttle.ts'

export interface ReplayerOptions {
  readonly limits: BatchLimits
  readonly sessionTimeoutMs: number
  readonly leaseMs: number
  readonly outageMaxMs: number
  readonly stopTimeoutMs: number
  /** Offsets a second of the whole replay; Infinity for as fast as it goes. */
  readonly ratePerSecond: number
}

export interface ReplayerParts {
  readonly definition: Definition
  readonly stream: StreamDefinition
  readonly source: ReplaySource
  readonly store: Store
  readonly registry: SchemaRegistry
  readonly taxonomy: NamedTaxonomy
  taxonomyOf(version: number): NamedTaxonomy
  /** Partitions of the replay that are not complete. */
  open(): ReadonlySet<number>
  readonly log: Logger
}

/** Longest time without a heartbeat while the rate holds a fetch back. */
const sliceMs = 500

/** The classifier's pipeline on a closed part of the log and on tables of its own, until the signal. */
export async function runReplayer(options: ReplayerOptions, parts: ReplayerParts, signal: AbortSignal): Promise<void> {
  const { definition, source, store, log } = parts
  const { topic, group, topicId } = definition
  const condition = createCondition({ silenceMaxMs: options.sessionTimeoutMs, nowMs: () => performance.now() })
  const ranges = new Map(definition.ranges.map(({ partition, first, end }) => [partition, { first, end }]))
  // Partitions that were added since are no part of the replay.
  const rangeOf = (partition: number): ReplayedRange => ranges.get(partition) ?? { first: 0, end: 0 }
  let owned: readonly number[] = []
  const throttle = createThrottle({
    nowMs: () => performance.now(),
    perSecond: () => {
      const open = parts.open()
      const mine = owned.filter((partition) => open.has(partition)).length
      return (options.ratePerSecond * Math.max(1, mine)) / Math.max(1, open.size)
    },
  })

  async function hold(batch: LogBatch, handle: BatchHandle): Promise<void> {
    let left = options.ratePerSecond === Infinity ? 0 : throttle.book(batch.lastOffset - batch.fetchedOffset + 1)
    for (; left > 0 && handle.isCurrent() && !signal.aborted; left -= sliceMs) {
      await sleep(Math.min(left, sliceMs), undefined, { signal }).catch(() => undefined)
      await handle.heartbeat()
    }
  }

  async function join(outages: Outages): Promise<Membership> {
    const found = await source.topicId(topic)
    if (found !== topicId) {
      throw new PipelineError(
        `topic ${topic} was deleted and made anew (${topicId} is now ${found}): the log of replay ${definition.replay} is gone`,
        { code: 'log_expired' },
      )
    }
    const pipeline = createPipeline({
      ...{ topic, topicId, group, rangeOf, outages, store, fates: definition.fates, limits: options.limits },
      ...{ stream: parts.stream, taxonomy: parts.taxonomy, taxonomyOf: (version) => parts.taxonomyOf(version) },
      admin: source,
      schema: (id) => parts.registry.schema(id),
      leaseEndsMs: () => store.serverNowMs() + options.leaseMs,
      async settle(batch, plan, handle) {
        const { leaseMs } = options
        await settle(batch, plan, { stream: parts.stream, store, handle, outages, leaseMs, onEvent: () => undefined })
        condition.settled()
        log.info({ partition: batch.partition, first: batch.first, last: batch.last }, 'batch settled')
      },
    })
    const consumer = await source.startConsumer({
      onJoin: (partitions, seek) => {
        owned = partitions
        condition.joined()
        pipeline.onJoin(partitions, seek)
      },
      onHeard: condition.heard,
      async onBatch(batch, handle) {
        await hold(batch, handle)
        await pipeline.onBatch(batch, handle)
      },
      onSkipped: (partition, first, last) => pipeline.onSkipped(partition, first, last),
    })
    return { pipeline, consumer }
  }

  await runMemberships({ ...options, group, condition, log, join }, signal)
}
