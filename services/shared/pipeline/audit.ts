import { setTimeout as sleep } from 'node:timers/promises'

import type { StreamDefinition } from '../domain/stream.ts'
import type { KafkaAdmin, Watermarks } from '../io/kafka-admin.ts'
import type { ClickHouse } from '../io/clickhouse.ts'
import { findCreditFaults } from './audit-credits.ts'
import { findLedgerFaults } from './audit-ledger.ts'
import { findRedriveFaults, type AuditedRedrives } from './audit-redriven.ts'
import { findRollupFaults } from './audit-rollups.ts'
import { findRowFaults } from './audit-rows.ts'
import { readCommittedPlan } from './committed-plan.ts'

/** One thing that does not add up. Every one is printed, and any makes `audit` exit with 1. */
export interface Difference {
  readonly kind:
    | 'ledger_gap'
    | 'ledger_overlap'
    | 'ledger_beyond_log'
    | 'expired_unrecorded'
    | 'rows_differ'
    | 'rows_outside_ledger'
    | 'rows_beyond_ledger'
    | 'rollup_differs'
    | 'redriven_twice'
    | 'redriven_not_rejected'
    | 'redriven_fate'
    | 'credit_differs'
  /** Where it is: a log range, or a roll-up and its key. */
  readonly where: string
  readonly expected: string
  readonly found: string
  /** The log range it concerns, when it has one, for `repair`. */
  readonly range?: {
    readonly topicId: string
    readonly partition: number
    readonly first: number
    readonly last: number
  }
  /** The roll-up and month (YYYYMM) it concerns, when it has one. */
  readonly rollup?: { readonly table: string; readonly month: number }
}

/** One partition of the log beside what the ledger says of it. */
export interface AuditedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly batches: number
  readonly first: number
  /** One past the last offset that the ledger holds. */
  readonly end: number
  /** Kafka's own marks; undefined for a topic that no longer exists under this id. */
  readonly low: number | undefined
  readonly high: number | undefined
  /** Offsets of the log that no batch has read yet. */
  readonly unread: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: number
  readonly erased: number
  readonly noMessage: number
  readonly expired: number
  /** Sums of offsets modulo 2^64, as text: accepted, duplicate, rejected. */
  readonly offsetSums: readonly [string, string, string]
}

export interface AuditReport {
  readonly clean: boolean
  readonly differences: readonly Difference[]
  readonly partitions: readonly AuditedPartition[]
  readonly redriven: AuditedRedrives
}

export interface AuditDeps {
  readonly clickHouse: ClickHouse
  readonly database: string
  readonly stream: StreamDefinition
  readonly topic: string
  /** What Kafka says, asked before the tables are. */
  log(): Promise<AuditedLog>
  readonly looks?: Looks | undefined
}

export interface AuditedLog {
  readonly topicId: string
  readonly watermarks: readonly Watermarks[]
  /** Last offset of the batch that the group has planned and not closed, by partition: its rows may stand before their ledger row. */
  readonly plannedLast: ReadonlyMap<number, number>
  /** Where the ledger of a partition must begin; 0 where nothing is said. */
  readonly firsts?: ReadonlyMap<number, number>
}

export async function readAuditedLog(admin: KafkaAdmin, names: { topic: string; group: string }): Promise<AuditedLog> {
  const [topicId, watermarks, committed] = await Promise.all([
    admin.topicId(names.topic),
    admin.watermarks(names.topic),
    admin.committed(names.group, names.topic),
  ])
  const plannedLast = new Map<number, number>()
  for (const [partition, { metadata }] of committed) {
    const plan = readCommittedPlan(metadata, { ...names, partition })
    if (plan !== undefined && plan.topicId === topicId) {
      plannedLast.set(partition, plan.last)
    }
  }
  return { topicId, watermarks, plannedLast }
}

/** So many looks at most, so long apart: a difference that an insert under way makes is gone in the next. */
export interface Looks {
  readonly max: number
  readonly pauseMs: number
}

const besideClassifiers: Looks = { max: 4, pauseMs: 1_500 }

/**
 * Proves from Kafka's watermarks, the ledger and the tables that every offset of the log was accounted for exactly once:
 * ranges contiguous and without overlap, counts and offset sums of accepted, duplicate and rejected rows equal to the
 * ledger's, every roll-up equal to raw per day, the credits of every order its margin, every copy that `redrive` sent the only one of a rejected message. Safe beside
 * running classifiers: what is not in the ledger yet is left out, and a difference counts only when it stands in several looks.
 */
export async function audit(deps: AuditDeps): Promise<AuditReport> {
  const { max, pauseMs } = deps.looks ?? besideClassifiers
  let report = await look(deps)
  for (let looks = 1; looks < max && !report.clean; looks++) {
    await sleep(pauseMs)
    const before = new Set(report.differences.map((difference) => `${difference.kind} ${difference.where}`))
    const again = await look(deps)
    const standing = again.differences.filter((difference) => before.has(`${difference.kind} ${difference.where}`))
    report = { ...again, differences: standing, clean: standing.length === 0 }
  }
  return report
}

async function look(deps: AuditDeps): Promise<AuditReport> {
  const log = await deps.log()
  const { partitions, differences } = await findLedgerFaults(deps, log)
  differences.push(
    ...(await findRowFaults(deps, partitions, { log, ledgerFaults: [...differences] })),
    ...(await findRollupFaults(deps)),
    ...(deps.stream.table === 'ecosystem_orders' ? await findCreditFaults(deps) : []),
  )
  const redrives = await findRedriveFaults(deps)
  differences.push(...redrives.differences)
  return { clean: differences.length === 0, differences, partitions, redriven: redrives.redriven }
}
