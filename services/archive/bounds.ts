import { mistake } from '../shared/domain/faults.ts'
import type { LogBound } from '../shared/domain/log-bound.ts'
import type { KafkaAdmin, Watermarks } from '../shared/io/kafka-admin.ts'

/** Offsets of one partition to archive: from `start`, before `end`. */
export interface PartitionBounds {
  readonly partition: number
  readonly start: number
  readonly end: number
}

export interface WantedBounds {
  readonly from: LogBound | undefined
  readonly to: LogBound | undefined
  readonly follow: boolean
}

/** What a partition of an archive holds already. */
export interface HeldOffsets {
  readonly start: number
  readonly next: number
}

/** Turns times into offsets and fixes the end: what is sent from now on is not part of it, unless it is followed. */
export async function fixBounds(
  admin: Pick<KafkaAdmin, 'offsetsAt'>,
  topic: string,
  marks: readonly Watermarks[],
  { from, to, follow }: WantedBounds,
): Promise<PartitionBounds[]> {
  const offsetsOf = async (bound: LogBound | undefined) =>
    bound?.kind === 'time' ? admin.offsetsAt(topic, bound.timeMs) : (bound?.offsets ?? new Map<number, number>())
  const [starts, ends] = [await offsetsOf(from), await offsetsOf(to)]
  for (const [partition] of [...starts, ...ends]) {
    if (!marks.some((mark) => mark.partition === partition)) {
      throw mistake(`topic ${topic} has no partition ${partition}`)
    }
  }
  return marks.map(({ partition, high }) => {
    const end = follow ? Infinity : (ends.get(partition) ?? high)
    if (!follow && end > high) {
      throw mistake(`partition ${partition} ends at offset ${high}, before --to ${partition}:${end}`)
    }
    return { partition, start: starts.get(partition) ?? 0, end }
  })
}

/**
 * Where a partition goes on: after what the archive holds of it, else at the start that was asked for. Ranges of a partition are
 * one run without a gap, so an archive grows at its end alone; throws a mistake for any other wish.
 */
export function goOnAt(wanted: PartitionBounds, held: HeldOffsets | undefined, from: LogBound | undefined): number {
  const { partition, start } = wanted
  if (held === undefined) {
    return start
  }
  if (from !== undefined && start < held.start) {
    throw mistake(
      `--from begins at offset ${start} of partition ${partition}, the archive at ${held.start}: an archive grows at its ` +
        `end alone, so take another folder for what lies before`,
    )
  }
  if (from?.kind === 'offsets' && start > held.next) {
    throw mistake(
      `--from begins at offset ${start} of partition ${partition}, the archive ends before ${held.next}: that would leave ` +
        `a gap, so leave --from out or take another folder`,
    )
  }
  return held.next
}
