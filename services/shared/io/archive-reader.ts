import { mergeBlocks, type ArchivedBlock } from '../domain/archived-message.ts'
import { mistake, PipelineError } from '../domain/faults.ts'
import type { RecordCursor } from '../domain/log-record.ts'
import { checkArchivedFile, openArchivedContainer, type ArchivedContainer } from './archive-container.ts'
import {
  archiveFile,
  damaged,
  listRanges,
  partitionFolder,
  rangeFolder,
  readArchiveState,
  readManifest,
  type ArchiveState,
  type RangeManifest,
  type RangePlace,
} from './archive-folder.ts'

/** A run of offsets with the messages among them: `records` goes over them once, before the next chunk is asked for. */
export interface ArchiveChunk {
  readonly first: number
  readonly last: number
  readonly records: RecordCursor
}

/** What an archive says it holds, by the names of its folders; nothing of their content was looked at yet. */
export interface ArchiveIndex {
  readonly state: ArchiveState
  readonly partitions: readonly {
    readonly partition: number
    readonly start: number
    /** One past the last offset that was archived. */
    readonly next: number
    readonly ranges: readonly RangePlace[]
    /** Where the ranges do not follow each other, and folders that are none of them. */
    readonly faults: readonly PipelineError[]
  }[]
}

/** Throws a mistake when the folder is no archive. */
export async function readArchiveIndex(dir: string): Promise<ArchiveIndex> {
  const state = await readArchiveState(dir)
  if (state === undefined) {
    throw mistake(`${dir} is no archive: it has no ${archiveFile}`)
  }
  const partitions = []
  for (const known of state.partitions) {
    const { places, strange } = await listRanges(dir, known.partition)
    const next = Math.max(known.next, (places.at(-1)?.last ?? -1) + 1)
    const faults = [
      ...rangeFaults(dir, known, places),
      ...strange.map((path) => damaged(path, 'it is no range of offsets')),
    ]
    partitions.push({ partition: known.partition, start: known.start, next, ranges: places, faults })
  }
  return { state, partitions }
}

function rangeFaults(
  dir: string,
  known: ArchiveState['partitions'][number],
  places: readonly RangePlace[],
): PipelineError[] {
  const { partition, start } = known
  const faults: PipelineError[] = []
  const missing = (first: number, last: number) =>
    damaged(
      `${dir}/${partitionFolder(partition)}`,
      `the range with offsets ${first} to ${last} of partition ${partition} is missing`,
    )
  let next = start
  for (const place of places) {
    if (place.first > next) {
      faults.push(missing(next, place.first - 1))
    }
    if (place.first < next || place.last < place.first) {
      faults.push(damaged(`${dir}/${rangeFolder(place)}`, `it overlaps what stands before offset ${next}`))
    }
    next = Math.max(next, place.last + 1)
  }
  if (next < known.next) {
    faults.push(missing(next, known.next - 1))
  }
  return faults
}

/**
 * The messages of a run of offsets, in rising order, with offset, timestamp, key and value as they were in Kafka. Chunks follow
 * each other without a gap from `first` to `last`.
 *
 * Throws `archive_damaged`, with file and offsets: before anything is handed out where a range is missing, and before anything of a
 * range where a file of it is not as it was written. Throws `log_expired` for offsets that retention had deleted before they were archived.
 */
export async function* readArchive(
  dir: string,
  index: ArchiveIndex,
  wanted: RangePlace,
): AsyncGenerator<ArchiveChunk, void, void> {
  let next = wanted.first
  for (const place of placesOf(dir, index, wanted)) {
    const manifest = await readRangeManifest(dir, index.state, place)
    if (manifest.expired > 0) {
      throw new PipelineError(
        `${dir}/${rangeFolder(place)}: offsets ${place.first} to ${place.last} of partition ${place.partition} were ` +
          `deleted by retention before they were archived`,
        { code: 'log_expired' },
      )
    }
    const last = Math.min(place.last, wanted.last)
    for (const file of manifest.files) {
      await checkArchivedFile(dir, manifest, file)
    }
    yield* readCheckedRange(dir, manifest, { first: next, last })
    next = last + 1
  }
}

/** The ranges that hold a run of offsets. Throws `archive_damaged` where one of them is missing; their files are not looked at. */
export function placesOf(dir: string, index: ArchiveIndex, wanted: RangePlace): readonly RangePlace[] {
  const known = index.partitions.find(({ partition }) => partition === wanted.partition)
  const inside = known?.ranges.filter(({ first, last }) => last >= wanted.first && first <= wanted.last) ?? []
  let next = wanted.first
  for (const place of inside) {
    if (place.first > next) {
      throw notHeld(dir, { ...wanted, first: next, last: place.first - 1 })
    }
    next = place.last + 1
  }
  if (next <= wanted.last) {
    throw notHeld(dir, { ...wanted, first: next })
  }
  return inside
}

function notHeld(dir: string, { partition, first, last }: RangePlace): PipelineError {
  return damaged(dir, `it does not hold offsets ${first} to ${last} of partition ${partition}`)
}

/** The manifest of a range, checked against the archive and against itself. */
export async function readRangeManifest(dir: string, state: ArchiveState, place: RangePlace): Promise<RangeManifest> {
  const manifest = await readManifest(dir, place)
  const where = `${dir}/${rangeFolder(place)}`
  if (manifest.topic !== state.topic || manifest.topicId !== state.topicId) {
    throw damaged(where, `it is of topic ${manifest.topic} (${manifest.topicId}), the archive of ${state.topic}`)
  }
  const held = manifest.files.reduce((sum, { messages }) => sum + messages, 0)
  const { messages, noMessage, expired } = manifest
  if (held !== messages || messages + noMessage + expired !== place.last - place.first + 1) {
    throw damaged(where, `its counts do not add up to offsets ${place.first} to ${place.last}`)
  }
  return manifest
}

/** As `readArchive`, of one range whose files `checkArchivedFile` found as they were written. */
export async function* readCheckedRange(
  dir: string,
  manifest: RangeManifest,
  { first, last }: { first: number; last: number },
): AsyncGenerator<ArchiveChunk, void, void> {
  const containers: ArchivedContainer[] = []
  try {
    for (const file of manifest.files) {
      containers.push(await openArchivedContainer(dir, manifest, file))
    }
    /** What is read of each container and not handed out yet; undefined at its end. */
    const blocks: (ArchivedBlock | undefined)[] = []
    for (let next = manifest.first; next <= manifest.last;) {
      for (const [index, container] of containers.entries()) {
        const block = blocks[index]
        if (!(index in blocks) || (block !== undefined && block.offsets.at(-1)! < next)) {
          blocks[index] = await container.nextBlock()
        }
      }
      const open = blocks.filter((block) => block !== undefined)
      // Up to here all containers are read. What comes after a block's last offset stands in its container's next block.
      const upTo = Math.min(manifest.last, ...open.map(({ offsets }) => offsets.at(-1)!))
      const chunk = { first: Math.max(first, next), last: Math.min(last, upTo) }
      if (chunk.first <= chunk.last) {
        yield { ...chunk, records: mergeBlocks(open, chunk.first, chunk.last) }
      }
      next = upTo + 1
    }
    for (const container of containers) {
      // Its end is where its counts are compared.
      while ((await container.nextBlock()) !== undefined);
    }
  } finally {
    await Promise.all(containers.map((container) => container.close()))
  }
}
