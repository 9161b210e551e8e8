import { formatNumber, renderJson, renderTable, type Cell, type TableOrJson } from '../shared/io/render.ts'
import type { RedriveReport } from './run.ts'

export function printRedrive(
  report: RedriveReport,
  {
    reason,
    from = null,
    to = null,
  }: { reason: string; from?: string | null | undefined; to?: string | null | undefined },
  format: TableOrJson,
): string {
  if (format === 'json') {
    const { dryRun, ...rest } = report
    return renderJson({ report: 'redrive', parameters: { reason, from, to, dryRun }, ...rest })
  }
  const { rows, dryRun } = report
  const table = renderTable(
    [
      { head: 'rejected for', align: 'left' },
      { head: 'messages', align: 'right' },
      { head: 'now', align: 'left' },
      { head: 'because', align: 'left' },
    ],
    rows.map((row): Cell[] => [
      `${reason}: ${row.detail}`,
      row.messages,
      row.reason !== null ? 'stay' : dryRun ? 'would be sent' : 'sent',
      row.reason === null ? '' : `${row.reason}: ${row.reasonDetail}`,
    ]),
  )
  return `${rows.length === 0 ? '' : `${table}\n`}${sentences(report).join('\n')}\n`
}

function sentences({ finished, dryRun, sent, stay, before, settled }: RedriveReport): string[] {
  const n = formatNumber
  const earlier = settled.sent + settled.not_sent + settled.unknown
  return [
    `redrive: ${n(sent)} ${dryRun ? 'would be sent' : 'sent'}, ${n(stay)} would be rejected again and stay; ` +
      `${n(before)} were redriven before`,
    ...(earlier === 0
      ? []
      : [
          `an earlier run was cut off: of the messages that it had planned ${n(settled.sent)} stood in the log, ` +
            `${n(settled.not_sent)} did not`,
        ]),
    ...(settled.unknown === 0
      ? []
      : [
          `of ${n(settled.unknown)} nobody can know, because the log from then is gone: they are never sent again, ` +
            'so that none is sent twice',
        ]),
    ...(finished ? [] : ['stopped before the end; the same command goes on']),
  ]
}
