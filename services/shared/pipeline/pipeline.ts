import { messageOf, PipelineError } from '../domain/faults.ts'
import type { BatchHandle, LogBatch } from '../io/kafka-consumer.ts'
import { createPartition, type Partition, type PartitionDeps } from './partition.ts'
import { outlast, outlastAsMember, type Outages } from './outlast.ts'
import { findPosition, rebuildMemory, type PositionDeps } from './position.ts'
import type { WriterSchema } from './reader.ts'

export interface PipelineDeps
  extends Omit<PartitionDeps, 'schema'>, Omit<PositionDeps, 'stream' | 'topic' | 'topicId' | 'log'> {
  readonly outages: Outages
  schema(id: number): Promise<WriterSchema | { fault: string }>
}

/** Log -> fates -> tables for the partitions that this process owns. What a stream is comes in; nothing here knows its fields. */
export interface Pipeline {
  /** `seek` moves where the next fetch of a partition starts. */
  onJoin(assigned: readonly number[], seek: (partition: number, offset: number) => void): void
  onBatch(batch: LogBatch, handle: BatchHandle): Promise<void>
  onSkipped(partition: number, firstOffset: number, lastOffset: number): void
  /** All of a partition before this offset is settled or holds no message; undefined while it is not open. */
  settledTo(partition: number): number | undefined
  /** Takes nothing new, and resolves when every batch under way is settled or has failed. */
  drain(): Promise<void>
}

/** Far above the time between two fetches, also when another partition's inserts hold the next one up. */
const stallAfterMs = 5_000

export function createPipeline(deps: PipelineDeps): Pipeline {
  const partitions = new Map<number, Partition>()
  const underWay = new Set<Promise<void>>()
  const stalls = new Map<number, NodeJS.Timeout>()
  /** Partitions that have stalled: their rows are settled with each fetch. */
  const hasty = new Set<number>()
  const { log } = deps.outages
  const positionDeps: PositionDeps = { ...deps, log }
  const schema: PartitionDeps['schema'] = (id, handle) =>
    outlastAsMember(`asking for schema ${id}`, () => deps.schema(id), handle, deps.outages)
  let joins = 0
  let draining = false

  /**
   * Opens a partition at its first fetch rather than when the group is joined: listeners of the join are not awaited, so a
   * fetch can come first anyway (exactly-once rule 3).
   */
  async function open(number: number, handle: BatchHandle): Promise<Partition | undefined> {
    const look = async () => {
      await assertSameTopic()
      await deps.store.readClock()
      const found = await findPosition(number, positionDeps)
      return {
        position: found,
        memory: await rebuildMemory(number, found, found.plan?.fates ?? deps.fates, positionDeps),
      }
    }
    const doing = `opening ${deps.topic}/${number}`
    const { position, memory } = await outlastAsMember(doing, look, handle, deps.outages)
    if (!handle.isCurrent()) {
      return undefined
    }
    const limits = hasty.has(number) ? { ...deps.limits, gatherMaxMs: 0 } : deps.limits
    const partition = createPartition(number, position, memory, { ...deps, schema, limits })
    const planned = position.plan === undefined ? undefined : `${position.plan.first}-${position.plan.last}`
    log.info({ partition: number, offset: position.offset, planned }, 'partition opened')
    partitions.set(number, partition)
    return partition
  }

  async function take(batch: LogBatch, handle: BatchHandle): Promise<void> {
    if (draining || !handle.isCurrent()) {
      return
    }
    const number = batch.partition
    clearTimeout(stalls.get(number))
    const partition = await partitionFor(batch, handle)
    if (partition === undefined) {
      return
    }
    if (batch.fetchedOffset !== partition.expected) {
      log.debug(
        { partition: number, fetched: batch.fetchedOffset, expected: partition.expected },
        'stale fetch dropped',
      )
      handle.seek(partition.expected)
      return
    }
    try {
      if (await partition.feed(batch, handle)) {
        partitions.delete(number)
      } else if (partition.gathered !== undefined) {
        watchForStall(number, partition, handle)
      }
    } catch (thrown) {
      // What this process believes of the partition may be wrong now: it is read anew from plan and ledger.
      if (partitions.get(number) === partition) {
        partitions.delete(number)
      }
      throw thrown
    }
  }

  /** The partition as it is known, or opened anew when the fetch shows that the log is not what it was. */
  async function partitionFor(batch: LogBatch, handle: BatchHandle): Promise<Partition | undefined> {
    const known = partitions.get(batch.partition)
    if (known === undefined || batch.fetchedOffset === known.expected) {
      return known ?? open(batch.partition, handle)
    }
    if (batch.fetchedOffset < known.expected) {
      await assertSameTopic()
      return known
    }
    // Kafka went on after the offset that was due: retention may have deleted it, which only opening finds out and records.
    partitions.delete(batch.partition)
    return open(batch.partition, handle)
  }

  /** kafkajs fetches by name and goes on in a topic made anew as if it were the old one. */
  async function assertSameTopic(): Promise<void> {
    const found = await deps.admin.topicId(deps.topic)
    if (found !== deps.topicId) {
      throw new PipelineError(`topic ${deps.topic} was deleted and made anew (${deps.topicId} is now ${found})`, {
        code: 'membership_lost',
        retryable: true,
      })
    }
  }

  /**
   * Rows gathered in the hope of more wait for the next message, and it may never come: the rest of the log can be aborted
   * records or an open transaction. A timer must not settle them (exactly-once rule 2), so it has them read again.
   */
  function watchForStall(number: number, partition: Partition, handle: BatchHandle): void {
    const check = () => {
      const first = partition.gathered
      if (first !== undefined && partitions.get(number) === partition && handle.isCurrent()) {
        log.info({ partition: number, first }, 'no more messages came, reading what was gathered again')
        hasty.add(number)
        partitions.delete(number)
        handle.seek(first)
      }
    }
    stalls.set(number, setTimeout(check, stallAfterMs).unref())
  }

  /**
   * A committed offset that was reset beyond the ledger's end would hide what lies between until the next message comes.
   * Any other wrong offset shows with the first fetch.
   */
  async function seekBackToLedger(assigned: readonly number[], seek: (partition: number, offset: number) => void) {
    const committed = await deps.admin.committed(deps.group, deps.topic)
    for (const number of assigned) {
      const { offset, metadata } = committed.get(number) ?? { offset: -1, metadata: null }
      const end = offset > 0 && !metadata ? await deps.store.ledgerEnd(deps.topicId, number) : offset
      if (offset > end && !partitions.has(number)) {
        seek(number, end)
      }
    }
  }

  return {
    onJoin(assigned, seek) {
      // Every rejoin returns to the committed offsets, also on partitions that are kept.
      partitions.clear()
      const joined = ++joins
      const assertNewest = () => {
        if (draining || joined !== joins) {
          throw new PipelineError('the group was joined anew', { code: 'membership_lost', retryable: true })
        }
      }
      const compare = () => seekBackToLedger(assigned, seek)
      outlast('comparing committed offsets with the ledger', compare, assertNewest, deps.outages).catch(
        (thrown: unknown) => {
          log.warn({ fault: messageOf(thrown) }, 'committed offsets could not be compared with the ledger')
        },
      )
    },
    async onBatch(batch, handle) {
      const work = take(batch, handle)
      underWay.add(work)
      try {
        await work
      } finally {
        underWay.delete(work)
      }
    },
    onSkipped(number, firstOffset, lastOffset) {
      partitions.get(number)?.skip(firstOffset, lastOffset)
    },
    settledTo: (number) => partitions.get(number)?.settledTo,
    async drain() {
      draining = true
      stalls.forEach((timer) => clearTimeout(timer))
      await Promise.allSettled(underWay)
    },
  }
}

/** How a fault of one membership is to be taken: come back as a new member, or stop the process. */
export function mayComeBack(fault: PipelineError): boolean {
  return fault.retryable || fault.code === 'membership_lost'
}
