import type { FateSettings } from '../domain/fate.ts'
import { mistake } from '../domain/faults.ts'
import type { StreamDefinition } from '../domain/stream.ts'
import type { KafkaAdmin } from '../io/kafka-admin.ts'
import type { Kafka } from '../io/kafka.ts'
import type { Logger } from '../io/log.ts'
import { audit, readAuditedLog, type AuditReport, type Difference, type Looks } from './audit.ts'
import type { NamedTaxonomy } from './partition.ts'
import type { WriterSchema } from './reader.ts'
import { restoreRange } from './repair-range.ts'
import { rebuildMonth } from './repair-rollup.ts'
import type { LogRange, Store } from './store.ts'

export interface RepairDeps {
  readonly stream: StreamDefinition
  readonly topic: string
  readonly group: string
  readonly kafka: Kafka
  readonly admin: KafkaAdmin
  /** As user steward: it may delete rows and replace partitions. */
  readonly store: Store
  readonly fates: FateSettings
  readonly taxonomy: NamedTaxonomy
  taxonomyOf(version: number): NamedTaxonomy
  schema(id: number): Promise<WriterSchema | { fault: string }>
  readonly log: Logger
  onStep(step: string): void
  readonly looks?: Looks | undefined
}

export interface RepairReport {
  readonly before: AuditReport
  /** What was done (or, in a dry run, would be), one sentence each. */
  readonly steps: readonly string[]
  /** What can't be mended, and why. */
  readonly left: readonly string[]
  /** The audit afterwards; undefined in a dry run. */
  readonly after: AuditReport | undefined
}

/** Passes at most: an audit lists a bounded number of differences, so a wide damage takes several. */
const passesMax = 10

/**
 * Mends what `audit` found, with the classifiers stopped: rows of a wrong range are read again from the log and put in
 * place; ledger rows that are missing, wrong or stand twice are written anew; a roll-up month that differs is rebuilt from raw
 * and swapped in. Safe to run again after it was cut off.
 */
export async function repair(deps: RepairDeps, options: { dryRun: boolean }): Promise<RepairReport> {
  const members = await deps.admin.groupMembers(deps.group)
  if (members > 0) {
    const many = members > 1
    throw mistake(
      `${members} ${many ? 'classifiers' : 'classifier'} of group ${deps.group} ${many ? 'are' : 'is'} running; ` +
        `stop ${many ? 'them' : 'it'} first, repair changes what a classifier writes to`,
    )
  }
  await deps.store.readClock()
  const topicId = await deps.admin.topicId(deps.topic)
  const auditDeps = {
    clickHouse: deps.store.clickHouse,
    database: deps.store.database,
    stream: deps.stream,
    topic: deps.topic,
    looks: deps.looks,
    log: () => readAuditedLog(deps.admin, deps),
  }
  const before = await audit(auditDeps)
  const steps: string[] = []
  const left: string[] = []
  const step = (text: string) => {
    steps.push(text)
    deps.onStep(text)
  }
  let after = before
  for (let pass = 1; pass <= passesMax && !after.clean; pass++) {
    left.length = 0
    const seen = tell(after)
    await mendAll(deps, { report: after, topicId, dryRun: options.dryRun, step, left })
    if (options.dryRun) {
      return { before, steps, left, after: undefined }
    }
    after = await audit(auditDeps)
    if (tell(after) === seen) {
      break
    }
  }
  return { before, steps, left: after.clean ? [] : left, after: options.dryRun ? undefined : after }
}

const tell = (report: AuditReport): string =>
  report.differences.map(({ kind, where, found }) => `${kind} ${where} ${found}`).join('\n')

interface Mending {
  readonly report: AuditReport
  readonly topicId: string
  readonly dryRun: boolean
  readonly step: (text: string) => void
  readonly left: string[]
}

async function mendAll(deps: RepairDeps, { report, topicId, dryRun, step, left }: Mending): Promise<void> {
  const months = new Map<string, Set<number>>()
  const wants = (table: string, month: number) => months.set(table, (months.get(table) ?? new Set()).add(month))
  for (const { kind, where, range, rollup } of report.differences) {
    if (rollup !== undefined) {
      wants(rollup.table, rollup.month)
    } else if (range === undefined || range.topicId !== topicId) {
      left.push(`${kind} ${where}: no range of the present log can be read again for it`)
    }
  }
  for (const range of rangesOf(report.differences, topicId)) {
    const name = `${deps.topic}/${range.partition} ${range.first}-${range.last}`
    step(`read ${name} again and put its rows in place`)
    const fault = dryRun ? undefined : await restoreRange(deps, range, wants)
    if (fault !== undefined) {
      left.push(`${name}: ${fault}`)
    }
  }
  for (const [table, wanted] of months) {
    for (const month of [...wanted].sort((a, b) => a - b)) {
      step(`rebuild ${table} of ${String(month).slice(0, 4)}-${String(month).slice(4)} from raw`)
      if (!dryRun) {
        await rebuildMonth(deps, table, month)
      }
    }
  }
}

/** The distinct ranges of the present log that differ, in the order of their offsets: earlier ones feed the memory of later ones. */
function rangesOf(differences: readonly Difference[], topicId: string): LogRange[] {
  const ranges = new Map<string, LogRange>()
  for (const { range, kind } of differences) {
    if (range !== undefined && range.topicId === topicId) {
      for (const piece of unbounded.includes(kind) ? piecesOf(range) : [range]) {
        ranges.set(`${piece.partition}/${piece.first}-${piece.last}`, piece)
      }
    }
  }
  return [...ranges.values()].sort((a, b) => a.partition - b.partition || a.first - b.first)
}

/** A batch is bounded by its making; what has no ledger row may be any size, so it is restored piece by piece. */
const unbounded: readonly Difference['kind'][] = ['ledger_gap', 'rows_beyond_ledger']
const pieceOffsetsMax = 50_000

function piecesOf(range: LogRange): LogRange[] {
  const pieces: LogRange[] = []
  for (let first = range.first; first <= range.last; first += pieceOffsetsMax) {
    pieces.push({ ...range, first, last: Math.min(range.last, first + pieceOffsetsMax - 1) })
  }
  return pieces
}
