import type { AuditedPartition, AuditReport } from '../shared/pipeline/audit.ts'
import type { RepairReport } from '../shared/pipeline/repair.ts'
import { formatNumber, renderCsv, renderJson, renderTable, type Cell, type Format } from '../shared/io/render.ts'

/** One line a partition, each difference on a line of its own, then one line that sums up. */
export function printAudit(report: AuditReport, format: Format = 'table'): string {
  if (format === 'json') {
    return renderJson({ report: 'audit', ...report, totals: totalsOf(report) })
  }
  if (format === 'csv') {
    return printCsv(report)
  }
  const topicIds = new Set(report.partitions.map(({ topicId }) => topicId))
  const table = renderTable(
    [
      { head: 'partition', align: 'left' },
      { head: 'batches', align: 'right' },
      { head: 'read up to', align: 'right' },
      { head: 'accepted', align: 'right' },
      { head: 'duplicate', align: 'right' },
      { head: 'rejected', align: 'right' },
      { head: 'no message', align: 'right' },
      { head: 'expired', align: 'right' },
      { head: 'unread', align: 'right' },
    ],
    report.partitions.map((one): Cell[] => [
      `${one.topic}/${one.partition}${topicIds.size > 1 && one.high === undefined ? ' (earlier topic)' : ''}`,
      ...[one.batches, one.end, one.accepted, one.duplicate, one.rejected, one.noMessage, one.expired, one.unread],
    ]),
  )
  const differences = report.differences.map(
    ({ kind, where, expected, found }) => `${kind}: ${where}: expected ${expected}, found ${found}\n`,
  )
  return `${table}\n${differences.join('')}${redrivenLine(report)}${auditLine(report)}\n`
}

/** `audit: clean — 303,009 offsets: 298,500 accepted, 3,009 duplicate, …`. */
export function auditLine(report: AuditReport): string {
  const totals = totalsOf(report)
  const n = formatNumber
  const count = report.differences.length
  return (
    `audit: ${report.clean ? 'clean' : `${n(count)} ${count === 1 ? 'difference' : 'differences'}`} — ` +
    `${n(totals.offsets)} offsets: ${n(totals.accepted)} accepted, ${n(totals.duplicate)} duplicate, ` +
    `${n(totals.rejected)} rejected, ${totals.erased > 0 ? `${n(totals.erased)} erased, ` : ''}` +
    `${n(totals.noMessage)} without a message, ${n(totals.expired)} expired; ${n(totals.unread)} not yet read`
  )
}

/** Nothing where nothing was redriven. */
function redrivenLine({ redriven }: AuditReport): string {
  const n = formatNumber
  return redriven.sent + redriven.unknown === 0
    ? ''
    : `redriven: ${n(redriven.sent)} of the rejected messages: ${n(redriven.accepted)} accepted, ${n(redriven.duplicate)} duplicate, ` +
        `${n(redriven.rejected)} rejected again, ${n(redriven.waiting)} not yet read; ${n(redriven.unknown)} not known\n`
}

export function printRepair({ steps, left, after }: RepairReport): string {
  const lines = [
    ...(steps.length === 0 ? ['nothing to repair'] : []),
    ...(after === undefined ? steps.map((step) => `would ${step}`) : steps.map((step) => `done: ${step}`)),
    ...left.map((text) => `left as it is: ${text}`),
  ]
  return `${lines.join('\n')}\n${after === undefined ? '' : printAudit(after)}`
}

function totalsOf({ partitions }: AuditReport) {
  const sum = (of: (partition: AuditedPartition) => number) => partitions.reduce((total, one) => total + of(one), 0)
  return {
    offsets: sum(({ end }) => end),
    accepted: sum(({ accepted }) => accepted),
    duplicate: sum(({ duplicate }) => duplicate),
    rejected: sum(({ rejected }) => rejected),
    erased: sum(({ erased }) => erased),
    noMessage: sum(({ noMessage }) => noMessage),
    expired: sum(({ expired }) => expired),
    unread: sum(({ unread }) => unread),
  }
}

/** Partitions, what was redriven and differences in one file, told apart by the first field. Of redriven messages those that wait are unread. */
function printCsv({ partitions, differences, redriven }: AuditReport): string {
  const counts = [
    'batches',
    'end',
    'accepted',
    'duplicate',
    'rejected',
    'erased',
    'noMessage',
    'expired',
    'unread',
  ] as const
  return renderCsv(
    [
      'record',
      'where',
      'topic_id',
      ...counts.map((name) => (name === 'noMessage' ? 'no_message' : name)),
      'expected',
      'found',
    ],
    [
      ...partitions.map((one): Cell[] => [
        ...['partition', `${one.topic}/${one.partition}`, one.topicId],
        ...counts.map((name) => one[name]),
        ...[null, null],
      ]),
      ...(redriven.sent === 0
        ? []
        : [
            [
              ...['redriven', '', null],
              ...counts.map((name) =>
                name === 'unread' ? redriven.waiting : name in redriven ? redriven[name as 'accepted'] : null,
              ),
              ...[null, null],
            ],
          ]),
      ...differences.map(({ kind, where, range, expected, found }): Cell[] => [
        ...[kind, where, range?.topicId ?? null],
        ...counts.map(() => null),
        ...[expected, found],
      ]),
    ],
  )
}
