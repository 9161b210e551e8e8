import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { mistake } from '../shared/domain/faults.ts'
import {
  archiveFile,
  listRanges,
  partitionFolder,
  readArchiveState,
  writeArchiveState,
  type ArchiveState,
} from '../shared/io/archive-folder.ts'
import { readArchiveIndex } from '../shared/io/archive-reader.ts'
import { holdFolder } from '../shared/io/folder-hold.ts'
import { syncFolder, unfinishedPrefix } from '../shared/io/whole-file.ts'
import { goOnAt, type PartitionBounds, type WantedBounds } from './bounds.ts'

/** An archive that this process alone writes to. */
export interface HeldArchive {
  /** From where each partition goes on. */
  readonly nexts: ReadonlyMap<number, number>
  /** Notes that a partition is archived up to there. */
  advance(partition: number, next: number): Promise<void>
  release(): void
}

/**
 * Takes a folder for this process and makes it an archive of the topic, or goes on with the one it is. What a killed process left
 * unfinished is removed. Throws a mistake for a folder in use, of something else, or of another topic, and the first fault of an
 * archive whose ranges do not follow each other.
 */
export async function holdArchive(
  dir: string,
  log: { topic: string; topicId: string },
  bounds: readonly PartitionBounds[],
  from: WantedBounds['from'],
): Promise<HeldArchive> {
  await mkdir(dir, { recursive: true })
  const hold = await holdFolder(dir)
  if (hold === undefined) {
    throw mistake(`another process writes to the archive ${dir}: stop that one or choose another folder`)
  }
  try {
    const known = await knownState(dir, log)
    const held = new Map(known.map((one) => [one.partition, one]))
    const nexts = new Map(bounds.map((one) => [one.partition, goOnAt(one, held.get(one.partition), from)]))
    for (const { partition, start } of bounds) {
      await mkdir(join(dir, partitionFolder(partition)), { recursive: true })
      for (const path of (await listRanges(dir, partition)).unfinished) {
        await rm(path, { recursive: true })
      }
      held.set(partition, held.get(partition) ?? { partition, start, next: start })
    }
    await syncFolder(dir)
    // The starts are put down before the first range, so that whoever comes after a kill begins where this one did.
    const write = () => writeArchiveState(dir, { format: 1, ...log, partitions: [...held.values()] })
    await write()
    let writing: Promise<void> = Promise.resolve()
    return {
      nexts,
      advance(partition, next) {
        held.set(partition, { partition, start: held.get(partition)!.start, next })
        return (writing = writing.then(write))
      },
      release: () => hold.release(),
    }
  } catch (thrown) {
    hold.release()
    throw thrown
  }
}

async function knownState(
  dir: string,
  { topic, topicId }: { topic: string; topicId: string },
): Promise<ArchiveState['partitions']> {
  const state = await readArchiveState(dir)
  if (state === undefined) {
    // A process that was killed before it wrote its first file leaves empty folders, no more.
    const names = await readdir(dir, { recursive: true })
    const strange = names.find((name) => !/^partition-\d+$/.test(name) && name !== `${unfinishedPrefix}${archiveFile}`)
    if (strange !== undefined) {
      throw mistake(`${dir} has no ${archiveFile}, but it has ${strange}: choose a new folder`)
    }
    return []
  }
  if (state.topic !== topic || state.topicId !== topicId) {
    throw mistake(
      `${dir} is the archive of topic ${state.topic} with the id ${state.topicId}, and Kafka has ${topic} with the id ` +
        `${topicId}: choose another folder`,
    )
  }
  const { partitions } = await readArchiveIndex(dir)
  const [fault] = partitions.flatMap(({ faults }) => faults)
  if (fault !== undefined) {
    throw fault
  }
  return partitions.map(({ partition, start, next }) => ({ partition, start, next }))
}
