import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { messageOf, PipelineError } from '../shared/domain/faults.ts'
import { checkArchivedFile } from '../shared/io/archive-container.ts'
import { damaged, manifestFile, rangeFolder, type RangeManifest, type RangePlace } from '../shared/io/archive-folder.ts'
import {
  readArchiveIndex,
  readCheckedRange,
  readRangeManifest,
  type ArchiveIndex,
} from '../shared/io/archive-reader.ts'

export interface VerifiedPartition {
  readonly partition: number
  readonly start: number
  readonly next: number
  readonly ranges: number
  messages: number
  noMessage: number
  expired: number
  bytes: number
}

export interface VerifyReport {
  readonly dir: string
  readonly topic: string
  readonly topicId: string
  readonly partitions: readonly VerifiedPartition[]
  /** One sentence each, with file and offsets. */
  readonly faults: readonly string[]
}

/**
 * Reads a whole archive again: every file against its SHA-256, every message of it against the counts, every range against the
 * one before. Collects what is wrong; throws only when the folder is no archive.
 */
export async function verifyArchive(
  dir: string,
  { onProgress }: { onProgress: (done: number, total: number) => void },
): Promise<VerifyReport> {
  const index = await readArchiveIndex(dir)
  const faults: string[] = []
  const total = index.partitions.reduce((sum, { ranges }) => sum + ranges.length, 0)
  let done = 0
  const partitions: VerifiedPartition[] = []
  for (const { partition, start, next, ranges, faults: found } of index.partitions) {
    faults.push(...found.map(messageOf))
    const counts = { partition, start, next, ranges: ranges.length, messages: 0, noMessage: 0, expired: 0, bytes: 0 }
    partitions.push(counts)
    for (const place of ranges) {
      try {
        const manifest = await verifyRange(dir, index, place, faults)
        counts.messages += manifest.messages
        counts.noMessage += manifest.noMessage
        counts.expired += manifest.expired
        counts.bytes += manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)
      } catch (thrown) {
        faults.push(faultOf(thrown))
      }
      onProgress(++done, total)
    }
  }
  const { topic, topicId } = index.state
  return { dir, topic, topicId, partitions, faults }
}

async function verifyRange(
  dir: string,
  index: ArchiveIndex,
  place: RangePlace,
  faults: string[],
): Promise<RangeManifest> {
  const manifest = await readRangeManifest(dir, index.state, place)
  const before = faults.length
  const names = new Set([manifestFile, ...manifest.files.map(({ name }) => name)])
  for (const name of await readdir(join(dir, rangeFolder(place)))) {
    if (!names.has(name)) {
      faults.push(messageOf(damaged(join(dir, rangeFolder(place), name), 'its manifest does not know it')))
    }
  }
  // Each file by itself, so that two damaged ones are both told.
  for (const file of manifest.files) {
    await checkArchivedFile(dir, place, file).catch((thrown: unknown) => faults.push(faultOf(thrown)))
  }
  if (faults.length > before || manifest.expired > 0) {
    return manifest
  }
  let messages = 0
  let low = Infinity
  let high = -Infinity
  for await (const { records } of readCheckedRange(dir, manifest, place)) {
    while (records.next()) {
      messages += 1
      low = Math.min(low, records.record.timestampMs)
      high = Math.max(high, records.record.timestampMs)
    }
  }
  const times = messages === 0 ? [null, null] : [low, high]
  if (messages !== manifest.messages || times[0] !== manifest.timestampLowMs || times[1] !== manifest.timestampHighMs) {
    throw damaged(
      join(dir, rangeFolder(place)),
      `read, it has ${messages} messages and other times than its manifest says (offsets ${place.first} to ${place.last})`,
    )
  }
  return manifest
}

function faultOf(thrown: unknown): string {
  if (thrown instanceof PipelineError) {
    return thrown.message
  }
  throw thrown
}
