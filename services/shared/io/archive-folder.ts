import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { messageOf, PipelineError } from '../domain/faults.ts'
import { unfinishedPrefix, writeFileWhole } from './whole-file.ts'

/**
 * An archive of a topic: a folder with `archive.json`, a folder for each partition, and in it a folder for each range of offsets.
 * A range's folder holds its Avro containers and `manifest.json`, and gets its name when all of it is written: so a range is
 * there whole or not at all.
 *
 * Both JSON documents carry the SHA-256 of their own content, so that a changed byte shows in them, too.
 */
const offset = z.int().min(0)
const fileFormat = z.strictObject({
  name: z.string().regex(/^(schema-\d+|other)\.avro$/),
  /** Null for messages that are no event under a known schema. */
  schemaId: z.int().min(0).nullable(),
  fingerprint: z.string().nullable(),
  codec: z.enum(['null', 'deflate']),
  messages: z.int().min(1),
  first: offset,
  last: offset,
  bytes: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

const manifestFormat = z.strictObject({
  format: z.literal(1),
  topic: z.string(),
  topicId: z.string(),
  partition: z.int().min(0),
  first: offset,
  last: offset,
  messages: z.int().min(0),
  /** Offsets that hold none: transaction markers, aborted records, what compaction removed. */
  noMessage: z.int().min(0),
  /** Offsets that retention deleted before they were archived. */
  expired: z.int().min(0),
  /** Kafka's timestamps of the range's messages, milliseconds since 1970-01-01 UTC. */
  timestampLowMs: z.number().nullable(),
  timestampHighMs: z.number().nullable(),
  files: z.array(fileFormat),
})

const archiveFormat = z.strictObject({
  format: z.literal(1),
  topic: z.string(),
  topicId: z.string(),
  /** From where each partition is archived, and one past its last whole range (or past the one before: see `writeArchive`). */
  partitions: z.array(z.strictObject({ partition: z.int().min(0), start: offset, next: offset })),
})

export type ArchivedFile = z.output<typeof fileFormat>
export type RangeManifest = z.output<typeof manifestFormat>
export type ArchiveState = z.output<typeof archiveFormat>

export const archiveFile = 'archive.json'
export const manifestFile = 'manifest.json'

export interface RangePlace {
  readonly partition: number
  readonly first: number
  readonly last: number
}

export const partitionFolder = (partition: number) => `partition-${partition}`

/** Offsets have 20 digits, as in the names of Kafka's own files, so that names sort as offsets do. */
export function rangeFolder({ partition, first, last }: RangePlace): string {
  const digits = (value: number) => String(value).padStart(20, '0')
  return join(partitionFolder(partition), `${digits(first)}-${digits(last)}`)
}

export function damaged(where: string, what: string): PipelineError {
  return new PipelineError(`${where}: ${what}`, { code: 'archive_damaged' })
}

/** Undefined when the folder has no `archive.json`. */
export async function readArchiveState(dir: string): Promise<ArchiveState | undefined> {
  const text = await readText(join(dir, archiveFile))
  return text === undefined ? undefined : unseal(text, archiveFormat, join(dir, archiveFile))
}

/** Written after each range got its name: killed in between, the next process finds one range more than this says. */
export function writeArchiveState(dir: string, state: ArchiveState): Promise<void> {
  return writeFileWhole(join(dir, archiveFile), seal(state))
}

export async function readManifest(dir: string, place: RangePlace): Promise<RangeManifest> {
  const path = join(dir, rangeFolder(place), manifestFile)
  const text = await readText(path)
  if (text === undefined) {
    throw damaged(path, `it is missing, so offsets ${place.first} to ${place.last} can't be read`)
  }
  const manifest = unseal(text, manifestFormat, path)
  const { partition, first, last } = manifest
  if (partition !== place.partition || first !== place.first || last !== place.last) {
    throw damaged(path, `it is the manifest of partition ${partition}, offsets ${first} to ${last}, in another's place`)
  }
  return manifest
}

/** The ranges of a partition by the names of their folders, in rising order; `strange` are names that are no range's. */
export async function listRanges(
  dir: string,
  partition: number,
): Promise<{ places: RangePlace[]; strange: string[]; unfinished: string[] }> {
  const folder = join(dir, partitionFolder(partition))
  const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') {
      return []
    }
    throw thrown
  })
  const found = names.sort().map((name) => {
    const [, first, last] = /^(\d{20})-(\d{20})$/.exec(name) ?? []
    return { name, place: first === undefined ? undefined : { partition, first: Number(first), last: Number(last) } }
  })
  const others = found.filter(({ place }) => place === undefined).map(({ name }) => join(folder, name))
  return {
    places: found.flatMap(({ place }) => place ?? []),
    strange: others.filter((path) => !isUnfinished(path)),
    unfinished: others.filter(isUnfinished),
  }
}

const isUnfinished = (path: string) => path.split('/').at(-1)!.startsWith(unfinishedPrefix)

/** The document with the SHA-256 of itself as its last field. */
export function seal(document: object): string {
  const sha256 = createHash('sha256').update(JSON.stringify(document)).digest('hex')
  return `${JSON.stringify({ ...document, sha256 }, null, 2)}\n`
}

function unseal<T>(text: string, format: z.ZodType<T>, path: string): T {
  try {
    const document = JSON.parse(text) as { sha256?: unknown }
    delete document.sha256
    if (seal(document) !== text) {
      throw new Error('its content is not what its own SHA-256 says')
    }
    return format.parse(document)
  } catch (thrown) {
    throw damaged(path, thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown))
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined
    }
    throw damaged(path, messageOf(thrown))
  }
}
