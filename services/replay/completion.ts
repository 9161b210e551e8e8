import type { StreamDefinition } from '../shared/domain/stream.ts'
import { emptyRow, ledgerInsert } from '../shared/pipeline/insert.ts'
import { expiredFault } from '../shared/pipeline/position.ts'
import type { Store } from '../shared/pipeline/store.ts'
import { restoreMissing } from '../shared/pipeline/verify.ts'
import type { Logger } from '../shared/io/log.ts'
import type { Definition } from './definition.ts'
import type { PartitionRange } from './ranges.ts'
import type { ReplayLog } from './source.ts'

/** How far a replay has come, all its processes together. */
export interface ReplayProgress {
  /** Offsets that its ledger holds, of those in its range. */
  readonly done: number
  readonly total: number
  /** Partitions whose range is not complete. */
  readonly open: ReadonlySet<number>
}

export interface CompletionDeps {
  readonly definition: Definition
  readonly source: Pick<ReplayLog, 'peek' | 'watermarks'>
  readonly store: Store
  readonly stream: StreamDefinition
  readonly log: Logger
  leaseEndsMs(): number
}

export async function readProgress(
  store: Pick<Store, 'ledgerEnds'>,
  { topicId, ranges }: Pick<Definition, 'topicId' | 'ranges'>,
): Promise<{ progress: ReplayProgress; ends: ReadonlyMap<number, number> }> {
  const stored = await store.ledgerEnds(topicId)
  // A range without offsets has no ledger.
  const ends = new Map(ranges.map(({ partition, first }) => [partition, Math.max(stored.get(partition) ?? 0, first)]))
  const doneOf = ({ partition, first }: PartitionRange) => ends.get(partition)! - first
  const open = ranges.filter(({ partition, end }) => ends.get(partition)! < end)
  return {
    ends,
    progress: {
      done: ranges.reduce((sum, range) => sum + doneOf(range), 0),
      total: ranges.reduce((sum, { first, end }) => sum + end - first, 0),
      open: new Set(open.map(({ partition }) => partition)),
    },
  }
}

/**
 * Looks how far the ledger has come, and closes a range whose rest holds no message: a batch ends at its last message, so
 * markers and aborted records at the very end of a range belong to none. Nobody can have planned them, so any process may
 * write their row, under one token.
 */
export function createCompletion(deps: CompletionDeps): { look(): Promise<ReplayProgress> } {
  const { definition, source, store, stream } = deps
  let before: ReadonlyMap<number, number> = new Map()

  async function closeRest({ partition, end }: PartitionRange, first: number): Promise<void> {
    const { topic, topicId } = definition
    const insert = ledgerInsert(
      emptyRow({ stream: stream.name, topic, topicId, partition, first, last: end - 1 }, 'no_message'),
    )
    await store.readClock()
    await store.insert(insert, deps.leaseEndsMs())
    if ((await store.ledgerRows(insert.token)) === 0) {
      // Lost behind a success answer (exactly-once hole 1).
      await restoreMissing(insert, { topicId, partition, first, last: end - 1 }, deps)
    }
  }

  /** A member that is given no more messages never learns that retention has deleted what it waits for. */
  async function assertThere({ partition }: PartitionRange, first: number): Promise<void> {
    const low = (await source.watermarks(definition.topic)).find((mark) => mark.partition === partition)?.low ?? 0
    if (first < low) {
      throw expiredFault(`${definition.topic}/${partition}`, { first, low })
    }
  }

  async function isEmpty({ partition, end }: PartitionRange, first: number): Promise<boolean> {
    for (let at = first; at < end;) {
      const { firstOffset, emptyTo } = await source.peek(partition, at)
      if (firstOffset !== undefined) {
        return firstOffset >= end
      }
      if (emptyTo <= at) {
        // The broker has no more for now: an open transaction stands here.
        return false
      }
      at = emptyTo
    }
    return true
  }

  return {
    async look() {
      const { progress, ends } = await readProgress(store, definition)
      // Only when nothing was settled since the last look: a replay that moves is not at its end, and a look costs its own speed.
      if ([...ends].every(([partition, at]) => before.get(partition) === at)) {
        for (const range of definition.ranges.filter(({ partition }) => progress.open.has(partition))) {
          const at = ends.get(range.partition)!
          await assertThere(range, at)
          if (await isEmpty(range, at)) {
            await closeRest(range, at)
          }
        }
      }
      before = ends
      return progress
    },
  }
}
