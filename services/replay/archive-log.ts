import type { RangeManifest, RangePlace } from '../shared/io/archive-folder.ts'
import {
  placesOf,
  readArchive,
  readArchiveIndex,
  readRangeManifest,
  type ArchiveIndex,
} from '../shared/io/archive-reader.ts'
import type { Watermarks } from '../shared/io/kafka-admin.ts'
import type { Peeked } from '../shared/io/kafka-peek.ts'
import type { ReplayLog } from './source.ts'

/** The log in an archive, as it was when it was opened. */
export interface ArchiveLog extends ReplayLog {
  readonly dir: string
  readonly index: ArchiveIndex
}

/** Throws a mistake where the folder is no archive. */
export async function openArchiveLog(dir: string): Promise<ArchiveLog> {
  const index = await readArchiveIndex(dir)
  const { topic, topicId } = index.state
  const watermarks = await Promise.all(index.partitions.map((partition) => watermarksOf(dir, index, partition)))
  const peeked = new Map<string, Peeked>()
  const endOf = (partition: number) => watermarks.find((mark) => mark.partition === partition)!.high

  async function look(partition: number, offset: number): Promise<Peeked> {
    const high = endOf(partition)
    for await (const { records } of readArchive(dir, index, { partition, first: offset, last: high - 1 })) {
      if (records.next()) {
        const { record } = records
        return { high, firstOffset: record.offset, firstTimeMs: record.timestampMs, emptyTo: offset }
      }
    }
    return { high, firstOffset: undefined, firstTimeMs: undefined, emptyTo: high }
  }

  return {
    ...{ kind: 'archive', dir, topic, index },
    topicId: () => Promise.resolve(topicId),
    watermarks: () => Promise.resolve(watermarks),
    async offsetsAt(_topic, timeMs) {
      const offsets = new Map<number, number>()
      for (const { partition, ranges } of index.partitions) {
        offsets.set(partition, (await firstOffsetAt(timeMs, { dir, index, ranges })) ?? endOf(partition))
      }
      return offsets
    },
    async peek(partition, offset) {
      // Files do not change, and a look reads them against their hashes: once for each place.
      const place = `${partition}/${offset}`
      const found = peeked.get(place) ?? (await look(partition, offset))
      peeked.set(place, found)
      return found
    },
    assertHolds: (partition, first, end) => void placesOf(dir, index, { partition, first, last: end - 1 }),
    close: () => Promise.resolve(),
  }
}

/** What retention had deleted before the first event was archived is not there to be read. */
async function watermarksOf(
  dir: string,
  index: ArchiveIndex,
  { partition, start, next, ranges }: ArchiveIndex['partitions'][number],
): Promise<Watermarks> {
  let low = start
  for (const place of ranges) {
    if (place.first !== low || (await readRangeManifest(dir, index.state, place)).expired === 0) {
      break
    }
    low = place.last + 1
  }
  return { partition, low, high: next }
}

async function firstOffsetAt(
  timeMs: number,
  { dir, index, ranges }: { dir: string; index: ArchiveIndex; ranges: readonly RangePlace[] },
): Promise<number | undefined> {
  for (const place of ranges) {
    const { timestampHighMs }: RangeManifest = await readRangeManifest(dir, index.state, place)
    if (timestampHighMs === null || timestampHighMs < timeMs) {
      continue
    }
    for await (const { records } of readArchive(dir, index, place)) {
      while (records.next()) {
        if (records.record.timestampMs >= timeMs) {
          return records.record.offset
        }
      }
    }
  }
  return undefined
}
