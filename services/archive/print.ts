import { formatNumber, renderJson, renderTable, type TableOrJson } from '../shared/io/render.ts'
import type { ArchiveReport } from './run.ts'
import type { VerifyReport } from './verify.ts'

interface Line {
  readonly partition: number
  readonly first: number
  readonly next: number
  readonly ranges: number
  readonly messages: number
  readonly noMessage: number
  readonly expired: number
  readonly bytes: number
}

/** What a run added. */
export function printRun(report: ArchiveReport, dir: string, format: TableOrJson): string {
  const { topic, topicId, finished } = report
  const partitions = report.partitions.map(({ partition, first, next, ranges }): Line => {
    const sum = (of: (range: (typeof ranges)[number]) => number) => ranges.reduce((total, one) => total + of(one), 0)
    return {
      ...{ partition, first, next, ranges: ranges.length, messages: sum((one) => one.messages) },
      ...{ noMessage: sum((one) => one.noMessage), expired: sum((one) => one.expired) },
      bytes: sum((one) => one.files.reduce((total, { bytes }) => total + bytes, 0)),
    }
  })
  if (format === 'json') {
    return renderJson({ report: 'archive_run', dir, topic, topicId, finished, partitions })
  }
  const how = finished ? '' : '; stopped before the end, the same command goes on'
  return `${table(partitions)}\n${sentence(partitions)} added to ${dir}${how}\n`
}

export function printVerify(report: VerifyReport, format: TableOrJson): string {
  const { dir, topic, faults } = report
  if (format === 'json') {
    return renderJson({ report: 'archive_verify', whole: faults.length === 0, ...report })
  }
  const lines = report.partitions.map((one) => ({ ...one, first: one.start }))
  const count = faults.length
  const verdict = count === 0 ? 'whole' : `${formatNumber(count)} ${count === 1 ? 'fault' : 'faults'}`
  const told = faults.map((fault) => `${fault}\n`).join('')
  return `${table(lines)}\n${told}archive ${dir} of ${topic}: ${verdict} — ${sentence(lines)}\n`
}

function table(lines: readonly Line[]): string {
  const heads = ['from', 'before', 'ranges', 'messages', 'no message', 'expired', 'MB']
  return renderTable(
    [{ head: 'partition', align: 'left' }, ...heads.map((head) => ({ head, align: 'right' as const }))],
    lines.map(({ partition, first, next, ranges, messages, noMessage, expired, bytes }) => [
      ...[String(partition), first, next, ranges, messages, noMessage, expired, megabytes(bytes)],
    ]),
  )
}

function sentence(lines: readonly Line[]): string {
  const sum = (of: (line: Line) => number) => formatNumber(lines.reduce((total, line) => total + of(line), 0))
  const bytes = lines.reduce((total, line) => total + line.bytes, 0)
  return (
    `${sum((line) => line.next - line.first)} offsets: ${sum((line) => line.messages)} messages, ` +
    `${sum((line) => line.noMessage)} without a message, ${sum((line) => line.expired)} expired; ${megabytes(bytes)} MB`
  )
}

const megabytes = (bytes: number) => (bytes / 1_048_576).toFixed(1)
