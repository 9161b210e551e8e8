import { messageOf, PipelineError } from '../shared/domain/faults.ts'
import { readArchive } from '../shared/io/archive-reader.ts'
import type { BatchHandle, LogConsumer } from '../shared/io/kafka-consumer.ts'
import type { Store } from '../shared/pipeline/store.ts'
import type { ArchiveLog } from './archive-log.ts'
import type { Definition } from './definition.ts'
import type { PartitionRange } from './ranges.ts'
import type { ReplayRecord } from './record.ts'
import type { ConsumerEvents, ReplaySource } from './source.ts'

export interface ArchiveSourceOptions {
  readonly archive: ArchiveLog
  readonly definition: Definition
  readonly record: Pick<ReplayRecord, 'plan' | 'plans'>
  readonly store: Pick<Store, 'ledgerEnd'>
  /** Which of how many members reads, from 0; each has partitions of its own. */
  readonly member: { readonly index: number; readonly of: number }
}

/** As many as a consumer of Kafka works on at a time: while one waits for ClickHouse, another is decided upon. */
const partitionsInFlight = 2

/**
 * The log in an archive. There is no consumer group, so plans stand in the replay's own database, each written once: whoever
 * comes to an offset stores what was planned there first. Two members on one partition store the same batches under the same
 * tokens, of which ClickHouse keeps one.
 *
 * A plan grants its lease only where the ledger has not passed it: a process that slept while others went on inserts nothing
 * whose token may be forgotten.
 */
export function openArchiveSource(options: ArchiveSourceOptions): ReplaySource {
  const { archive, definition, record, store, member } = options
  const mine = definition.ranges.filter(({ first, end }, index) => first < end && index % member.of === member.index)

  async function commit(partition: number, offset: number, metadata: string): Promise<void> {
    if (metadata === '') {
      // The ledger has said so before.
      return
    }
    const stands = await record.plan(partition, offset, metadata)
    if (stands !== metadata) {
      throw overtaken(partition, offset, 'another process has planned a batch there')
    }
    const end = await store.ledgerEnd(definition.topicId, partition)
    if (end > offset) {
      throw overtaken(partition, offset, `another process has stored it up to ${end}`)
    }
  }

  return {
    topicId: (topic) => archive.topicId(topic),
    watermarks: (topic) => archive.watermarks(topic),
    committed: () => record.plans(),
    async startConsumer(events) {
      const plans = await record.plans()
      const starts = mine.map((range) => ({ ...range, from: plans.get(range.partition)?.offset ?? range.first }))
      return startConsumer(starts, { archive, events, commit })
    },
  }
}

function overtaken(partition: number, offset: number, why: string): PipelineError {
  return new PipelineError(`partition ${partition} at offset ${offset}: ${why}`, {
    code: 'membership_lost',
    retryable: true,
  })
}

interface Reading {
  readonly archive: ArchiveLog
  readonly events: ConsumerEvents
  readonly commit: (partition: number, offset: number, metadata: string) => Promise<void>
}

type Start = PartitionRange & { readonly from: number }

function startConsumer(starts: readonly Start[], { archive, events, commit }: Reading): LogConsumer {
  let over = false
  const { promise: ended, resolve: end } = Promise.withResolvers<PipelineError | undefined>()
  const seeks = new Map<number, number>()

  async function read({ partition, from, end: upTo }: Start): Promise<void> {
    const at: { next: number | undefined; paused: boolean } = { next: from, paused: false }
    const handle: BatchHandle = {
      commit: (offset, metadata) => commit(partition, offset, metadata),
      heartbeat: () => Promise.resolve(),
      resolve: (last) => void (at.next = last + 1),
      seek: (offset) => void seeks.set(partition, offset),
      pause: () => void (at.paused = true),
      isCurrent: () => !over && !seeks.has(partition),
    }
    while (at.next !== undefined && at.next < upTo && !at.paused && !over) {
      const wanted = { partition, first: at.next, last: upTo - 1 }
      for await (const { first, last, records } of readArchive(archive.dir, archive.index, wanted)) {
        if (!handle.isCurrent()) {
          break
        }
        events.onHeard()
        // What is neither resolved nor sought anew is no longer wanted: the pipeline takes nothing any more.
        at.next = undefined
        const highWatermark = upTo
        await events.onBatch({ partition, fetchedOffset: first, records, highWatermark, lastOffset: last }, handle)
        if (at.paused || at.next === undefined) {
          break
        }
      }
      at.next = seeks.get(partition) ?? at.next
      seeks.delete(partition)
    }
  }

  function fail(thrown: unknown): void {
    over = true
    const { dir } = archive
    end(
      thrown instanceof PipelineError
        ? thrown
        : new PipelineError(`reading ${dir}: ${messageOf(thrown)}`, { code: 'ledger_disagrees', cause: thrown }),
    )
  }

  async function readInTurn(waiting: Start[]): Promise<void> {
    try {
      for (let start = waiting.shift(); start !== undefined && !over; start = waiting.shift()) {
        await read(start)
      }
    } catch (thrown) {
      fail(thrown)
    }
  }

  events.onJoin(
    starts.map(({ partition }) => partition),
    (partition, offset) => void seeks.set(partition, offset),
  )
  const waiting = [...starts]
  const reading = Promise.all(Array.from({ length: partitionsInFlight }, () => readInTurn(waiting)))
  return {
    ended,
    pause: () => void (over = true),
    async stop() {
      over = true
      await reading
      end(undefined)
    },
  }
}
