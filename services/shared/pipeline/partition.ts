import type { FateSettings } from '../domain/fate.ts'
import { PipelineError } from '../domain/faults.ts'
import type { LogRecord } from '../domain/log-record.ts'
import type { Plan } from '../domain/plan.ts'
import type { StreamDefinition } from '../domain/stream.ts'
import type { Taxonomy } from '../domain/taxonomy.ts'
import type { BatchHandle, LogBatch } from '../io/kafka-consumer.ts'
import { batchFull, createGatherer } from './gather.ts'
import type { SealedBatch } from './insert.ts'
import type { Position, ReplayedRange } from './position.ts'
import { createReader, type Reader, type WriterSchema } from './reader.ts'

/** A taxonomy as loaded, with the hash that a plan names it by. */
export interface NamedTaxonomy {
  readonly taxonomy: Taxonomy
  readonly hash: string
}

export interface BatchLimits {
  /** Rows gathered at most before they are settled. */
  readonly batchRowsMax: number
  /** Bytes of rows gathered at most. */
  readonly batchBytesMax: number
  /** Gather on over several fetches only while the first row is younger than this. */
  readonly gatherMaxMs: number
}

export interface PartitionDeps {
  readonly stream: StreamDefinition
  readonly topic: string
  readonly topicId: string
  readonly taxonomy: NamedTaxonomy
  readonly fates: FateSettings
  readonly limits: BatchLimits
  schema(id: number, handle: BatchHandle): Promise<WriterSchema | { fault: string }>
  /** The taxonomy a recovered plan was made under. */
  taxonomyOf(version: number): NamedTaxonomy
  settle(batch: SealedBatch, plan: Plan, handle: BatchHandle): Promise<void>
  /** A replay's part of the log; all of it when left out. */
  rangeOf?(partition: number): ReplayedRange
}

/** One partition owned under one generation: gathers its messages into batches and has them settled. */
export interface Partition {
  /** The offset the next fetch must start at; a fetch that starts elsewhere is stale. */
  readonly expected: number
  /** All before this offset is settled or holds no message. */
  readonly settledTo: number
  /** The first offset of the rows that are gathered and not settled; undefined when there are none. */
  readonly gathered: number | undefined
  /** Feeds one fetch. Returns true when the partition must be opened anew (a recovered plan was finished). */
  feed(batch: LogBatch, handle: BatchHandle): Promise<boolean>
  /** A stretch of the log without messages. */
  skip(firstOffset: number, lastOffset: number): void
}

/** Larger than any event by default (EVENT_BYTES_MAX). */
const largeBytes = 65_536

/**
 * Rows are settled at `batchRowsMax` rows or `batchBytesMax` bytes, at `gatherMaxMs`, or when the log's end is near. Never by
 * a timer: PLAN and DONE are fenced only inside the consumer's own call (exactly-once rules 1 and 2).
 */
export function createPartition(
  number: number,
  position: Position,
  memory: Parameters<typeof createGatherer>[0]['memory'],
  deps: PartitionDeps,
): Partition {
  const { plan } = position
  const fates = plan?.fates ?? deps.fates
  const taxonomy = plan === undefined ? deps.taxonomy : plannedTaxonomy(plan, deps)
  const gatherer = createGatherer({ stream: deps.stream, fates, memory })
  const readers = new Map<number, Reader | { fault: string }>()
  const end = deps.rangeOf?.(number).end ?? Infinity
  let expected = position.readFrom
  /** Offsets before the first one that is stored are read for the memory of ids alone. */
  let isLeadIn = position.readFrom < position.offset
  let first = position.offset
  let lastGathered = -1
  let gatheringSince = 0

  async function reader(schemaId: number, handle: BatchHandle): Promise<Reader | { fault: string }> {
    const kept = readers.get(schemaId)
    if (kept !== undefined) {
      return kept
    }
    const schema = await deps.schema(schemaId, handle)
    const found = 'fault' in schema ? schema : createReader(deps.stream, schema, taxonomy.taxonomy)
    const made = plan === undefined || isLeadIn ? found : asPlanned(plan, schemaId, found)
    if (!('fault' in made)) {
      readers.set(schemaId, made)
    }
    return made
  }

  async function flush(last: number, handle: BatchHandle): Promise<void> {
    if (isLeadIn) {
      gatherer.clear()
      return
    }
    const batch: SealedBatch = {
      topic: deps.topic,
      topicId: deps.topicId,
      partition: number,
      first,
      last,
      taxonomyVersion: taxonomy.taxonomy.version,
      recovered: plan !== undefined,
      gathered: gatherer,
    }
    await deps.settle(batch, plan ?? planOf(batch, taxonomy, fates), handle)
    first = last + 1
    lastGathered = -1
    gatheringSince = performance.now()
    gatherer.clear()
  }

  async function gather(message: LogRecord, handle: BatchHandle): Promise<void> {
    for (let answer = gatherer.add(message); answer !== -1; answer = gatherer.add(message)) {
      if (answer === batchFull) {
        await flush(lastGathered, handle)
      } else {
        gatherer.resolve(answer, await reader(answer, handle))
      }
    }
    lastGathered = message.offset
  }

  function isFull(added: LogRecord): boolean {
    const { messages } = gatherer.tally
    // Bytes are counted every 64 messages, and after each large one: 64 of 5 MB would be 320 MB before anybody counts.
    const isDue =
      (messages & 63) === 0 || added.valueEnd - added.valueStart + added.keyEnd - added.keyStart > largeBytes
    return messages >= deps.limits.batchRowsMax || (isDue && gatherer.bytes() >= deps.limits.batchBytesMax)
  }

  function mayGatherOn(batch: LogBatch): boolean {
    // With less than a tenth of a batch ahead we have caught up, and latency counts more than the cost of a small insert.
    const ahead = Math.min(batch.highWatermark, end) - 1 - batch.lastOffset
    return ahead >= deps.limits.batchRowsMax / 10 && performance.now() - gatheringSince < deps.limits.gatherMaxMs
  }

  /** What happened before a replay's range: its fates are worked out as the live run did, and nothing is stored. */
  async function feedLeadIn(batch: LogBatch, handle: BatchHandle): Promise<void> {
    const { records } = batch
    while (records.next() && records.record.offset < position.offset) {
      await gather(records.record, handle)
      if (isFull(records.record)) {
        gatherer.clear()
      }
    }
    gatherer.clear()
    lastGathered = -1
    if (batch.lastOffset + 1 < position.offset) {
      expected = batch.lastOffset + 1
      handle.resolve(batch.lastOffset)
    } else {
      // The cursor has passed the first offset that counts; it is fetched again.
      endLeadIn()
      expected = position.offset
      handle.seek(position.offset)
    }
  }

  function endLeadIn(): void {
    isLeadIn = false
    // In a planned batch an id may mean less than before it.
    readers.clear()
  }

  /** Re-reads a planned range, whatever the fetches hold; closes it where its last offset stood, also if that has vanished. */
  async function feedPlan(planned: Plan, batch: LogBatch, handle: BatchHandle): Promise<boolean> {
    const { records } = batch
    while (records.next() && records.record.offset <= planned.last) {
      await gather(records.record, handle)
    }
    if (batch.lastOffset < planned.last) {
      if (batch.highWatermark <= planned.last) {
        throw new PipelineError(
          `partition ${number}: the plan ${planned.first}-${planned.last} reaches beyond the end of the log (${batch.highWatermark}); Kafka lost acknowledged records`,
          { code: 'ledger_disagrees' },
        )
      }
      return false
    }
    await flush(planned.last, handle)
    handle.seek(planned.last + 1)
    return true
  }

  return {
    get expected() {
      return expected
    },
    get settledTo() {
      return lastGathered < 0 ? Math.max(first, expected) : first
    },
    get gathered() {
      return plan === undefined && lastGathered >= 0 ? first : undefined
    },
    async feed(batch, handle) {
      if (isLeadIn && batch.fetchedOffset < position.offset) {
        await feedLeadIn(batch, handle)
        return false
      }
      if (isLeadIn) {
        endLeadIn()
      }
      if (plan !== undefined) {
        const done = await feedPlan(plan, batch, handle)
        if (!done) {
          expected = batch.lastOffset + 1
          handle.resolve(batch.lastOffset)
        }
        return done
      }
      if (lastGathered < 0) {
        gatheringSince = performance.now()
      }
      const { records } = batch
      const { record } = records
      while (records.next() && record.offset < end) {
        if (gatherer.add(record) === -1) {
          lastGathered = record.offset
        } else {
          await gather(record, handle)
        }
        if (isFull(record)) {
          await flush(lastGathered, handle)
        }
      }
      if (lastGathered >= 0 && !mayGatherOn(batch)) {
        await flush(lastGathered, handle)
      }
      expected = batch.lastOffset + 1
      handle.resolve(batch.lastOffset)
      if (expected >= end) {
        handle.pause()
      }
      return false
    },
    skip(firstOffset, lastOffset) {
      // Only the very stretch that was due: an answer to an older fetch must not move the position over unread messages.
      if (firstOffset === expected) {
        expected = lastOffset + 1
      }
    },
  }
}

function planOf(batch: SealedBatch, taxonomy: NamedTaxonomy, fates: FateSettings): Plan {
  return {
    topicId: batch.topicId,
    first: batch.first,
    last: batch.last,
    taxonomyVersion: taxonomy.taxonomy.version,
    taxonomyHash: taxonomy.hash,
    fates,
    schemas: batch.gathered.schemas,
  }
}

function plannedTaxonomy(plan: Plan, deps: PartitionDeps): NamedTaxonomy {
  const found = deps.taxonomyOf(plan.taxonomyVersion)
  if (found.hash !== plan.taxonomyHash) {
    throw new PipelineError(
      `the unfinished batch ${plan.first}-${plan.last} was planned under taxonomy ${plan.taxonomyVersion} with hash ${plan.taxonomyHash}, this process has ${found.hash}: a released taxonomy was edited; put it back`,
      { code: 'plan_unreadable' },
    )
  }
  return found
}

/** A schema id means to a recovered batch what it meant when the batch was planned. */
function asPlanned(plan: Plan, schemaId: number, found: Reader | { fault: string }): Reader | { fault: string } {
  const fingerprint = plan.schemas[schemaId]
  if (fingerprint === undefined) {
    return 'fault' in found ? found : { fault: `id ${schemaId} is not registered` }
  }
  if ('fault' in found || found.schema.fingerprint !== fingerprint) {
    throw new PipelineError(
      `the unfinished batch ${plan.first}-${plan.last} was planned with schema ${schemaId} as ${fingerprint}, the registry now says ${'fault' in found ? found.fault : found.schema.fingerprint}; put the schema back`,
      { code: 'plan_unreadable' },
    )
  }
  return found
}
