import { mistake } from '../shared/domain/faults.ts'
import type { LogBound } from '../shared/domain/log-bound.ts'
import type { Watermarks } from '../shared/io/kafka-admin.ts'
import type { SourceKind } from './source.ts'

/** A replay's part of one partition: `end` is one past its last offset. */
export interface PartitionRange {
  readonly partition: number
  readonly first: number
  readonly end: number
}

export interface RangeQuestion {
  readonly topic: string
  readonly source: SourceKind
  readonly from: LogBound | undefined
  readonly to: LogBound | undefined
  readonly watermarks: readonly Watermarks[]
  /** The first offset at or after the time of a bound, by partition; the log's end where there is none. */
  readonly fromTime: ReadonlyMap<number, number>
  readonly toTime: ReadonlyMap<number, number>
  /** Offsets before the range that decide whether its first events are copies. */
  readonly duplicateWindowOffsets: number
}

/**
 * The range of each partition, fixed once. Without `from` it begins as early as fates can be known: where the log begins
 * at 0 there, else a window of duplicates later. Without `to` it ends where the log does now.
 *
 * Throws a mistake for a range that the log does not have, and for one whose events retention has deleted in part: those of
 * the range, or those before it that a copy is known by.
 */
export function fixRanges(question: RangeQuestion): PartitionRange[] {
  const { topic, from, to, watermarks } = question
  for (const [flag, bound] of [
    ['--from', from],
    ['--to', to],
  ] as const) {
    assertNamesAll(topic, flag, bound, watermarks)
  }
  const ranges = watermarks.map((mark) => rangeOf(mark, question))
  if (ranges.every(({ first, end }) => first === end)) {
    throw mistake(`the range holds no offsets of ${topic}: give an earlier --from or a later --to`)
  }
  return ranges
}

function rangeOf({ partition, low, high }: Watermarks, question: RangeQuestion): PartitionRange {
  const { topic, source, from, to, duplicateWindowOffsets } = question
  const earliest = low === 0 ? 0 : low + duplicateWindowOffsets
  const end = boundAt(to, question.toTime, partition) ?? high
  const first = boundAt(from, question.fromTime, partition) ?? Math.min(earliest, end)
  const place = `${topic}/${partition}`
  if (end > high) {
    throw mistake(`--to: ${place} ends at ${high}, ${end} is beyond it`)
  }
  if (first > end) {
    throw mistake(`--from: ${place} would begin at ${first}, after its end ${end}`)
  }
  const needed = Math.max(0, first - duplicateWindowOffsets)
  if (first < end && needed < low) {
    const why =
      first < low
        ? `this range begins at ${first}`
        : `this range begins at ${first} and whether its events are copies is decided by the ${duplicateWindowOffsets} offsets before it`
    const { has, before, instead } = holdings[source]
    throw mistake(
      `${place} ${has} only from offset ${low} on${before}, and ${why}; begin at ${low + duplicateWindowOffsets} or later${instead}`,
    )
  }
  return { partition, first, end }
}

const holdings: Record<SourceKind, { has: string; before: string; instead: string }> = {
  kafka: {
    has: 'has events',
    before: ', retention has deleted those before',
    instead: ', or replay from an archive (`--source archive DIR`)',
  },
  archive: { has: 'was archived', before: '', instead: '' },
}

function boundAt(
  bound: LogBound | undefined,
  atTime: ReadonlyMap<number, number>,
  partition: number,
): number | undefined {
  return bound?.kind === 'time' ? atTime.get(partition) : bound?.offsets.get(partition)
}

/** A partition that is not named could be meant whole or not at all. */
function assertNamesAll(
  topic: string,
  flag: string,
  bound: LogBound | undefined,
  watermarks: readonly Watermarks[],
): void {
  if (bound?.kind !== 'offsets') {
    return
  }
  const there = watermarks.map(({ partition }) => partition)
  const missing = there.filter((partition) => !bound.offsets.has(partition))
  const unknown = [...bound.offsets.keys()].filter((partition) => !there.includes(partition))
  if (missing.length > 0 || unknown.length > 0) {
    const what = unknown.length > 0 ? `names ${unknown.join(', ')}` : `leaves out ${missing.join(', ')}`
    throw mistake(`${flag} ${bound.text} ${what}; ${topic} has partitions ${there.join(', ')}, give an offset for each`)
  }
}

export function offsetsIn(ranges: readonly PartitionRange[]): number {
  return ranges.reduce((sum, { first, end }) => sum + end - first, 0)
}
