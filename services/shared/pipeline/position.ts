import { createDuplicateMemory, type DuplicateMemory } from '../domain/duplicate-memory.ts'
import { PipelineError } from '../domain/faults.ts'
import type { FateSettings } from '../domain/fate.ts'
import type { Plan } from '../domain/plan.ts'
import type { StreamDefinition } from '../domain/stream.ts'
import type { KafkaAdmin } from '../io/kafka-admin.ts'
import type { Logger } from '../io/log.ts'
import { readCommittedPlan } from './committed-plan.ts'
import { emptyRow, ledgerInsert } from './insert.ts'
import type { Store } from './store.ts'

/** A closed part of one partition's log, which a replay reads as if there were no other. `end` is one past its last offset. */
export interface ReplayedRange {
  readonly first: number
  readonly end: number
}

/** Where a partition stands when this process takes it over. */
export interface Position {
  /** The next offset to store; with a plan, the plan's first. */
  readonly offset: number
  /** Where reading starts: below `offset` where the memory of ids is filled from the log and not from the tables. */
  readonly readFrom: number
  /** A batch that somebody planned and did not close: it must be finished exactly as planned. */
  readonly plan: Plan | undefined
}

export interface PositionDeps {
  readonly stream: StreamDefinition
  readonly store: Store
  readonly admin: Pick<KafkaAdmin, 'committed' | 'topicId' | 'watermarks'>
  readonly group: string
  readonly topic: string
  readonly topicId: string
  /** Under which a partition without a plan goes on. */
  readonly fates: FateSettings
  readonly log: Logger
  /** The end of the lease under which an expired range may be written. */
  leaseEndsMs(): number
  /** So many offsets were deleted by retention before they were read, which the ledger says now. */
  onExpired?(offsets: number): void
  /** A replay's part of the log; all of it when left out. */
  rangeOf?(partition: number): ReplayedRange
}

/**
 * Finds where to go on. The plan in Kafka's metadata comes first; without one the ledger decides, never the bare offset: a
 * committed offset can be reset or expire (exactly-once hole 4), and then says nothing about what the tables hold.
 *
 * Offsets that retention deleted before they were read are written to the ledger as expired.
 */
export async function findPosition(partition: number, deps: PositionDeps): Promise<Position> {
  const { admin, group, topic, topicId, store } = deps
  const range = deps.rangeOf?.(partition)
  // The plan is asked for before the ledger: where two processes work on a partition (an archive has no group that keeps them apart),
  // a plan that is newer than the ledger's end would look like a gap.
  const committed = await admin.committed(group, topic)
  const [watermarks, stored] = await Promise.all([admin.watermarks(topic), store.ledgerEnd(topicId, partition)])
  const ledgerEnd = Math.max(stored, range?.first ?? 0)
  const low = watermarks.find((mark) => mark.partition === partition)?.low ?? 0
  const plan = readPlan(partition, committed.get(partition)?.metadata, deps)
  if (plan !== undefined && plan.first >= ledgerEnd) {
    assertContiguous(partition, plan.first, ledgerEnd, deps)
    if (range === undefined && plan.first < low) {
      return abandonPlan(partition, plan, low, deps)
    }
    return { offset: plan.first, readFrom: readFrom(partition, plan.first, { low, fates: plan.fates, deps }), plan }
  }
  if (plan !== undefined && plan.last >= ledgerEnd) {
    throw disagreement(partition, `its plan ${plan.first}-${plan.last} and the ledger's end ${ledgerEnd} overlap`)
  }
  // A plan below the ledger's end was finished, only its DONE is missing: the next PLAN overwrites it.
  await assertNothingBeyond(partition, { ledgerEnd, plan }, deps)
  if (range === undefined && ledgerEnd < low) {
    await writeExpired(partition, ledgerEnd, low - 1, deps)
    return { offset: low, readFrom: low, plan: undefined }
  }
  return {
    offset: ledgerEnd,
    readFrom: readFrom(partition, ledgerEnd, { low, fates: deps.fates, deps }),
    plan: undefined,
  }
}

/**
 * Where reading starts, so that the fates from `offset` on are those of the live run. What a replay's tables lack of the window of
 * duplicates stands only in the log: a replay reads it there and stores nothing of it. It records no loss and leaves nothing out,
 * or it would be a replay of something else.
 */
function readFrom(
  partition: number,
  offset: number,
  { low, fates, deps }: { low: number; fates: FateSettings; deps: PositionDeps },
): number {
  const range = deps.rangeOf?.(partition)
  if (range === undefined || offset >= range.end) {
    return offset
  }
  const from = windowStart(offset, fates)
  const start = from < range.first ? from : offset
  if (start < low) {
    throw expiredFault(`${deps.topic}/${partition}`, { first: start, low })
  }
  return start
}

export function expiredFault(place: string, { first, low }: { first: number; low: number }): PipelineError {
  return new PipelineError(
    `retention has deleted offsets ${first}-${low - 1} of ${place}, which this replay still has to read: Kafka has events from ${low} on. Replay from there on under another name, or from an archive (\`archive\`)`,
    { code: 'log_expired' },
  )
}

/** The first offset whose id can make the one at `offset` a duplicate. */
export function windowStart(offset: number, fates: FateSettings): number {
  return Math.max(0, offset - fates.duplicateWindowOffsets)
}

/**
 * Fills the memory of ids from what the tables hold of the window before `offset`; rows at or after it are not looked at. Where
 * reading starts before `offset`, the log fills it.
 */
export async function rebuildMemory(
  partition: number,
  { offset, readFrom }: Pick<Position, 'offset' | 'readFrom'>,
  fates: FateSettings,
  deps: Pick<PositionDeps, 'store' | 'topicId'>,
): Promise<DuplicateMemory> {
  const memory = createDuplicateMemory(fates.duplicateWindowOffsets)
  if (readFrom === offset && offset > 0) {
    const first = windowStart(offset, fates)
    const rows = await deps.store.idsInRange({ topicId: deps.topicId, partition, first, last: offset - 1 })
    for (let at = 0; at < rows.length; at += 24) {
      memory.seenBefore(rows, at, Number(rows.readBigUInt64LE(at + 16)))
    }
  }
  return memory
}

function readPlan(partition: number, metadata: string | null | undefined, deps: PositionDeps): Plan | undefined {
  const plan = readCommittedPlan(metadata, { topic: deps.topic, group: deps.group, partition })
  if (plan !== undefined && plan.topicId !== deps.topicId) {
    deps.log.warn(
      { partition, planned: plan.topicId, found: deps.topicId },
      'plan of an earlier topic of this name ignored',
    )
    return undefined
  }
  return plan
}

function assertContiguous(partition: number, first: number, ledgerEnd: number, deps: PositionDeps): void {
  if (first > ledgerEnd) {
    throw disagreement(partition, `its plan starts at ${first} but the ledger of ${deps.topic} ends at ${ledgerEnd}`)
  }
}

interface Seen {
  readonly ledgerEnd: number
  readonly plan: Plan | undefined
}

/** Rows after the ledger's end without a plan: their ledger row or plan was lost, and reading on would store them twice. */
async function assertNothingBeyond(partition: number, seen: Seen, deps: PositionDeps): Promise<void> {
  const { ledgerEnd } = seen
  const range = { topicId: deps.topicId, partition, first: ledgerEnd, last: Number.MAX_SAFE_INTEGER }
  for (const table of [deps.stream.table, 'duplicate_events', 'rejected_events']) {
    const held = await deps.store.held(table, range)
    if (held.rows > 0) {
      await assertNotOvertaken(partition, seen, deps)
      throw disagreement(
        partition,
        `${table} holds ${held.rows} rows after the ledger's end ${ledgerEnd}, and no plan explains them`,
      )
    }
  }
}

/** Another process may have planned and stored since the plan was asked for: its rows are explained by now. */
async function assertNotOvertaken(
  partition: number,
  { ledgerEnd, plan: known }: Seen,
  deps: PositionDeps,
): Promise<void> {
  const committed = await deps.admin.committed(deps.group, deps.topic)
  const plan = readPlan(partition, committed.get(partition)?.metadata, deps)
  if (plan !== undefined && plan.first >= ledgerEnd && plan.first !== known?.first) {
    throw new PipelineError(`partition ${partition}: another process goes on from offset ${plan.first}`, {
      code: 'membership_lost',
      retryable: true,
    })
  }
}

/** Retention deleted the start of a planned range. When nothing of it was inserted yet, the plan is dropped and the loss recorded. */
async function abandonPlan(partition: number, plan: Plan, low: number, deps: PositionDeps): Promise<Position> {
  await assertNothingBeyond(partition, { ledgerEnd: plan.first, plan }, deps)
  await writeExpired(partition, plan.first, low - 1, deps)
  return { offset: low, readFrom: low, plan: undefined }
}

async function writeExpired(partition: number, first: number, last: number, deps: PositionDeps): Promise<void> {
  const row = emptyRow(
    { stream: deps.stream.name, topic: deps.topic, topicId: deps.topicId, partition, first, last },
    'expired',
  )
  await deps.store.insert(ledgerInsert(row), deps.leaseEndsMs())
  deps.onExpired?.(row.expired)
  deps.log.error(
    { partition, first, last, offsets: row.expired },
    'offsets were deleted by retention before they were read',
  )
}

function disagreement(partition: number, what: string): PipelineError {
  return new PipelineError(
    `partition ${partition}: ${what}; stop the classifiers and run \`npx intent-ledger repair\``,
    { code: 'ledger_disagrees' },
  )
}
