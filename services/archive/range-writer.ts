import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import {
  createBodyCheck,
  eventRowSchema,
  otherRowSchema,
  writeEventRow,
  writeOtherRow,
  type OtherReason,
} from '../shared/domain/archived-message.ts'
import { PipelineError } from '../shared/domain/faults.ts'
import type { LogRecord } from '../shared/domain/log-record.ts'
import { schemaIdOf } from '../shared/domain/wire.ts'
import {
  manifestFile,
  partitionFolder,
  rangeFolder,
  seal,
  type RangeManifest,
  type RangePlace,
} from '../shared/io/archive-folder.ts'
import type { RegisteredSchema } from '../shared/io/schema-registry.ts'
import { syncFolder, unfinishedPrefix, writeFileWhole } from '../shared/io/whole-file.ts'
import { createBlockFile, type BlockFile } from './block-file.ts'

/** What a range belongs to. */
export interface ArchivedPartition {
  readonly dir: string
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

/** `add` took the message. */
export const taken = -1
/** The range has as many files as it may: finish it and add the message to the next one. */
export const rangeFull = -2

/** A range of offsets on its way to the archive. Nothing of it is there until `finish`, then all of it is. */
export interface RangeWriter {
  readonly messages: number
  /** Of its messages' rows, before they are packed. */
  readonly bytes: number
  /** Returns `taken`, `rangeFull`, or the id of a schema that is to be resolved first. Copies the message. */
  add(record: LogRecord): number
  resolve(schemaId: number, answer: RegisteredSchema | { fault: string }): void
  /** Waits until what was added is on its way to the disk, so that memory stays bounded. */
  written(): Promise<void>
  finish(last: number): Promise<RangeManifest>
  /** Removes what was written. Does nothing after `finish`. */
  abandon(): Promise<void>
}

/** Files of one range: as many writer schemas as one batch of the classifier may mix, and what is none of theirs. */
const filesMax = 17

interface EventFile {
  readonly file: BlockFile
  readonly check: ReturnType<typeof createBodyCheck>
}

export async function openRange(owner: ArchivedPartition, first: number): Promise<RangeWriter> {
  const folder = join(owner.dir, partitionFolder(owner.partition), `${unfinishedPrefix}${first}`)
  await mkdir(folder)
  const files = new Map<string, BlockFile>()
  const events = new Map<number, EventFile | undefined>()
  let messages = 0
  let bytes = 0
  let timestampLowMs: number | null = null
  let timestampHighMs: number | null = null

  function openFile(name: string, options: { schema: unknown; schemaId: number | null; fingerprint: string | null }) {
    const { topic, topicId, partition } = owner
    const place = { topic, topicId, partition: String(partition), rangeFirst: String(first) }
    const entries = Object.entries(place).map(([key, value]) => [`intent-ledger.${key}`, value] as const)
    const file = createBlockFile({ folder, name, ...options, place: Object.fromEntries(entries) })
    files.set(name, file)
    return file
  }

  function otherFile(): BlockFile {
    const schema = { schema: otherRowSchema, schemaId: null, fingerprint: null }
    return files.get(otherName) ?? openFile(otherName, schema)
  }

  function put(file: BlockFile, record: LogRecord, write: () => void): number {
    const before = file.sink.length
    write()
    bytes += file.sink.length - before
    messages += 1
    timestampLowMs = Math.min(timestampLowMs ?? Infinity, record.timestampMs)
    timestampHighMs = Math.max(timestampHighMs ?? -Infinity, record.timestampMs)
    file.endRow(record.offset)
    return taken
  }

  function putOther(record: LogRecord, reason: OtherReason): number {
    const file = otherFile()
    return put(file, record, () => writeOtherRow(file.sink, record, reason))
  }

  async function closeFiles(): Promise<void> {
    await Promise.all([...files.values()].map((file) => file.close()))
  }

  return {
    get messages() {
      return messages
    },
    get bytes() {
      return bytes
    },
    add(record) {
      if (record.valueStart < 0) {
        return putOther(record, 'no_value')
      }
      const schemaId = schemaIdOf(record.bytes, record.valueStart, record.valueEnd)
      if (schemaId < 0) {
        return putOther(record, 'not_framed')
      }
      if (!events.has(schemaId)) {
        return files.size >= filesMax ? rangeFull : schemaId
      }
      const event = events.get(schemaId)
      if (event === undefined) {
        return putOther(record, 'schema_unknown')
      }
      const fault = event.check(record)
      return fault === undefined
        ? put(event.file, record, () => writeEventRow(event.file.sink, record))
        : putOther(record, fault)
    },
    resolve(schemaId, answer) {
      if ('fault' in answer || answer.node.kind !== 'record') {
        events.set(schemaId, undefined)
        return
      }
      const { json, fingerprint, node } = answer
      const schema = eventRowSchema(json)
      const file = openFile(`schema-${schemaId}.avro`, { schema, schemaId, fingerprint })
      events.set(schemaId, { file, check: createBodyCheck(node) })
    },
    async written() {
      await Promise.all([...files.values()].map((file) => file.written()))
    },
    async finish(last) {
      const written = await Promise.all([...files.values()].map((file) => file.finish()))
      await closeFiles()
      const kept = written.filter((file) => file.messages > 0)
      for (const empty of written.filter((file) => file.messages === 0)) {
        await rm(join(folder, empty.name))
      }
      const manifest: RangeManifest = {
        ...rangeOf(owner, first, last),
        ...{ messages, noMessage: last - first + 1 - messages, expired: 0, timestampLowMs, timestampHighMs },
        files: kept.sort((a, b) => (a.name < b.name ? -1 : 1)),
      }
      await publish(owner, folder, manifest)
      return manifest
    },
    async abandon() {
      await closeFiles()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const otherName = 'other.avro'

/** Puts down that retention deleted these offsets before they were archived. */
export async function writeExpiredRange(owner: ArchivedPartition, first: number, last: number): Promise<RangeManifest> {
  const folder = join(owner.dir, partitionFolder(owner.partition), `${unfinishedPrefix}${first}`)
  await mkdir(folder)
  const manifest: RangeManifest = {
    ...rangeOf(owner, first, last),
    ...{ messages: 0, noMessage: 0, expired: last - first + 1, timestampLowMs: null, timestampHighMs: null, files: [] },
  }
  await publish(owner, folder, manifest)
  return manifest
}

function rangeOf({ topic, topicId, partition }: ArchivedPartition, first: number, last: number) {
  return { format: 1, topic, topicId, partition, first, last } as const
}

/** Gives a range's folder its name, in the order in which a loss of power may cut it off. */
async function publish({ dir }: ArchivedPartition, folder: string, manifest: RangeManifest): Promise<void> {
  await writeFileWhole(join(folder, manifestFile), seal(manifest))
  const place: RangePlace = manifest
  const named = join(dir, rangeFolder(place))
  try {
    await rename(folder, named)
  } catch (thrown) {
    throw new PipelineError(`${named} can't be put in place: is another process at work in the archive?`, {
      ...{ code: 'archive_damaged', cause: thrown },
    })
  }
  await syncFolder(join(dir, partitionFolder(place.partition)))
}
