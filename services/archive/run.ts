import { PipelineError } from '../shared/domain/faults.ts'
import type { LogRecord } from '../shared/domain/log-record.ts'
import type { RangeManifest } from '../shared/io/archive-folder.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import type { FetchedLog, LogFetcher } from '../shared/io/kafka-fetch.ts'
import type { SchemaRegistry } from '../shared/io/schema-registry.ts'
import { outlast, type Outages } from '../shared/pipeline/outlast.ts'
import { fixBounds, type WantedBounds } from './bounds.ts'
import { holdArchive, type HeldArchive } from './folder.ts'
import {
  openRange,
  rangeFull,
  taken,
  writeExpiredRange,
  type ArchivedPartition,
  type RangeWriter,
} from './range-writer.ts'

/**
 * The log to files, each offset once. A range of offsets is put in place whole, and whoever comes after goes on behind the last
 * one: so a kill at any moment costs nothing but the range that was under way.
 */
export interface ArchiveRun extends WantedBounds {
  readonly dir: string
  readonly topic: string
  readonly limits: RangeLimits
  readonly kafka: { readonly admin: KafkaAdmin; readonly fetcher: LogFetcher }
  readonly registry: SchemaRegistry
  /** Aborted: what is read so far is put in place, then the run ends. */
  readonly signal: AbortSignal
  readonly outages: Omit<Outages, 'signal'>
  /** Offsets done and to be done, in all; the latter is Infinity where the log is followed. */
  onProgress(done: number, total: number): void
  /** What a person should know now. */
  say(line: string): void
}

/** When a range is finished. `ageMs` counts where the log is followed. */
export interface RangeLimits {
  readonly messages: number
  readonly bytes: number
  readonly ageMs: number
}

/** What one run added to a partition. */
export interface ArchivedNow {
  readonly partition: number
  readonly first: number
  next: number
  readonly ranges: RangeManifest[]
  /** One past the offset where it was to end. */
  end: number
}

export interface ArchiveReport {
  readonly topic: string
  readonly topicId: string
  readonly partitions: readonly ArchivedNow[]
  /** False when it was stopped before the end. */
  readonly finished: boolean
}

interface Position extends ArchivedNow {
  readonly owner: ArchivedPartition
  /** Where the range under way begins. */
  rangeFirst: number
  writer: RangeWriter | undefined
  openedAtMs: number
  /** Whether the end was fixed by the first answer: what is undecided then is not part of a closed range. */
  endIsFixed: boolean
}

const limits = { waitMs: 500, bytesMin: 1, partitionBytesMax: 4 * 1_048_576 }
/** How long a closed range may stand still before it is given up. */
const silenceMaxMs = 30_000

export async function runArchive(run: ArchiveRun): Promise<ArchiveReport> {
  const { admin } = run.kafka
  const log = { topic: run.topic, topicId: await admin.topicId(run.topic) }
  const bounds = await fixBounds(admin, run.topic, await admin.watermarks(run.topic), run)
  const archive = await holdArchive(run.dir, log, bounds, run.from)
  const positions = bounds.map(({ partition, end }): Position => {
    const next = archive.nexts.get(partition)!
    const owner = { dir: run.dir, ...log, partition }
    return {
      ...{ partition, owner, first: next, next, end, ranges: [], rangeFirst: next, writer: undefined, openedAtMs: 0 },
      endIsFixed: run.to !== undefined || run.follow,
    }
  })
  try {
    await readAll(run, archive, positions)
    await Promise.all(positions.map((position) => endRange(run, archive, position, position.next - 1)))
  } finally {
    await Promise.all(positions.flatMap(({ writer }) => (writer === undefined ? [] : [writer.abandon()])))
    archive.release()
  }
  const finished = run.follow || positions.every(({ next, end }) => next >= end)
  return { ...log, partitions: positions, finished }
}

async function readAll(run: ArchiveRun, archive: HeldArchive, positions: readonly Position[]): Promise<void> {
  const total = positions.reduce((sum, { next, end }) => sum + Math.max(0, end - next), 0)
  const begun = positions.map(({ next }) => next)
  let movedAtMs = performance.now()
  for (;;) {
    const open = positions.filter(({ next, end }) => next < end)
    if (open.length === 0 || run.signal.aborted) {
      return
    }
    const answers = await fetchAll(run, archive, open)
    const before = open.map(({ next }) => next)
    await Promise.all(answers.map((answer, index) => take(run, archive, open[index]!, answer)))
    if (open.some(({ next }, index) => next > before[index]!)) {
      movedAtMs = performance.now()
    } else if (!run.follow && performance.now() - movedAtMs > silenceMaxMs) {
      const { partition, next, end } = open[0]!
      throw new PipelineError(
        `partition ${partition} can't be read from offset ${next} to ${end - 1}: an open transaction holds it back, or ` +
          `Kafka does not answer; the same command goes on later`,
        { code: 'kafka_unreachable', retryable: true },
      )
    }
    run.onProgress(
      positions.reduce((sum, { next }, index) => sum + next - begun[index]!, 0),
      total,
    )
  }
}

/** Waits for a Kafka that is away. Offsets that retention has deleted are put down as a range, and said. */
async function fetchAll(run: ArchiveRun, archive: HeldArchive, open: readonly Position[]): Promise<FetchedLog[]> {
  const places = open.map(({ partition, next }) => ({ partition, offset: next }))
  try {
    return await outlasting(run, `reading ${run.topic}`, () => run.kafka.fetcher.fetch(places, limits))
  } catch (thrown) {
    if (run.signal.aborted) {
      return []
    }
    if (!(thrown instanceof PipelineError) || thrown.code !== 'log_expired') {
      throw thrown
    }
    await skipExpired(run, archive, open)
    return []
  }
}

async function skipExpired(run: ArchiveRun, archive: HeldArchive, open: readonly Position[]): Promise<void> {
  const marks = await outlasting(run, `asking for the ends of ${run.topic}`, () =>
    run.kafka.admin.watermarks(run.topic),
  )
  await assertSameLog(run, open[0]!)
  for (const position of open) {
    const { partition, next } = position
    const mark = marks.find((one) => one.partition === partition)
    if (mark === undefined || next > mark.high) {
      throw new PipelineError(
        `partition ${partition} ends at offset ${mark?.high ?? 0}, and the archive goes on at ${next}: the log is not the ` +
          `one that was archived`,
        { code: 'archive_damaged' },
      )
    }
    if (next < mark.low) {
      await endRange(run, archive, position, next - 1)
      const last = Math.min(mark.low, position.end) - 1
      position.ranges.push(await writeExpiredRange(position.owner, next, last))
      await moveOn(archive, position, last + 1)
      run.say(
        `partition ${partition}: retention has deleted offsets ${next} to ${last} before they were archived; the archive ` +
          `has a gap there, which its manifest says`,
      )
    }
  }
}

async function take(run: ArchiveRun, archive: HeldArchive, position: Position, answer: FetchedLog): Promise<void> {
  if (!answer.isCommitted) {
    throw new PipelineError('this Kafka is older than 2.3: aborted records can not be told from committed ones', {
      code: 'kafka_refused',
    })
  }
  if (!position.endIsFixed) {
    position.end = Math.min(position.end, answer.stable)
    position.endIsFixed = true
  }
  const upTo = Math.min(answer.next, position.end)
  const { records } = answer
  // No await where a message is just taken: it would cost more than all else that is done with it.
  while (upTo > position.next && records.next() && records.record.offset < upTo) {
    let writer = position.writer ?? (await openWriter(position))
    if (writer.add(records.record) !== taken) {
      writer = await takeElse(run, archive, position, records.record)
    }
    if (writer.messages >= run.limits.messages || writer.bytes >= run.limits.bytes) {
      await endRange(run, archive, position, records.record.offset)
    }
  }
  if (upTo > position.next) {
    position.next = upTo
  }
  if (position.next > position.rangeFirst) {
    await (await openWriter(position)).written()
  }
  if (run.follow && position.writer !== undefined && Date.now() - position.openedAtMs >= run.limits.ageMs) {
    await endRange(run, archive, position, position.next - 1)
  }
}

/** Takes a message that wants a schema, or a range of its own, first. Returns the range that has it. */
async function takeElse(
  run: ArchiveRun,
  archive: HeldArchive,
  position: Position,
  record: LogRecord,
): Promise<RangeWriter> {
  for (;;) {
    const writer = await openWriter(position)
    const wanted = writer.add(record)
    if (wanted === taken) {
      return writer
    }
    if (wanted === rangeFull) {
      await endRange(run, archive, position, record.offset - 1)
    } else {
      const schema = await outlasting(run, `asking for schema ${wanted}`, () => run.registry.schema(wanted))
      writer.resolve(wanted, schema)
    }
  }
}

async function openWriter(position: Position): Promise<RangeWriter> {
  if (position.writer === undefined) {
    position.writer = await openRange(position.owner, position.rangeFirst)
    position.openedAtMs = Date.now()
  }
  return position.writer
}

/** Puts the range under way in place, up to `last`. */
async function endRange(run: ArchiveRun, archive: HeldArchive, position: Position, last: number): Promise<void> {
  const { writer } = position
  if (writer === undefined) {
    return
  }
  // A topic that was made anew has the same offsets with other messages.
  await assertSameLog(run, position)
  position.ranges.push(await writer.finish(last))
  position.writer = undefined
  await moveOn(archive, position, last + 1)
}

async function moveOn(archive: HeldArchive, position: Position, next: number): Promise<void> {
  position.rangeFirst = next
  position.next = Math.max(position.next, next)
  await archive.advance(position.partition, next)
}

async function assertSameLog(run: ArchiveRun, { owner }: Position): Promise<void> {
  const topicId = await outlasting(run, `asking for the id of ${run.topic}`, () => run.kafka.admin.topicId(run.topic))
  if (topicId !== owner.topicId) {
    throw new PipelineError(
      `topic ${run.topic} was made anew (${topicId}): the archive ${owner.dir} is of the one before (${owner.topicId}), so ` +
        `choose another folder`,
      { code: 'archive_damaged' },
    )
  }
}

function outlasting<T>(run: ArchiveRun, doing: string, work: () => Promise<T>): Promise<T> {
  return outlast(doing, work, () => undefined, { ...run.outages, signal: run.signal })
}
