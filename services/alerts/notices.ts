import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { AlertNotice } from './notice.ts'

/** Resolved alerts are told of for so long at most: a receiver that was away for longer hears of nothing that is long over. */
const resolvedForMs = 7 * 86_400_000

/**
 * What is to be told now: every alert that fires, and of those resolved lately both that they fired and that they are resolved.
 * Made from the recorded transitions alone. An alert of a rule that is no more counts as resolved.
 */
export async function readNotices(
  { clickHouse, database }: { clickHouse: ClickHouse; database: string },
  rules: ReadonlySet<string>,
  nowMs: number,
): Promise<AlertNotice[]> {
  const rows = await clickHouse.rows<Row>(
    `SELECT fingerprint, any(rule) AS rule, toUnixTimestamp64Milli(assumeNotNull(starts_at)) AS starts,
       toUnixTimestamp64Milli(maxIf(window_end, to_status = 'resolved')) AS ends, countIf(to_status = 'resolved') AS resolved,
       argMin(labels, window_end) AS labels,
       argMinIf(annotations, window_end, to_status = 'firing') AS fired, argMaxIf(annotations, window_end, to_status = 'resolved') AS over
     FROM ${database}.alert_transitions
     WHERE starts_at IS NOT NULL AND to_status IN ('firing', 'resolved')
     GROUP BY fingerprint, starts_at
     HAVING resolved = 0 OR ends > {since:Int64}
     ORDER BY starts, fingerprint`,
    { since: nowMs - resolvedForMs },
  )
  return rows.flatMap(({ fingerprint, rule, starts, ends, resolved, labels, fired, over }): AlertNotice[] => {
    const alert = { fingerprint, startsAtMs: starts, labels }
    const firing: AlertNotice = { ...alert, status: 'firing', endsAtMs: null, annotations: fired }
    if (resolved > 0) {
      return [firing, { ...alert, status: 'resolved', endsAtMs: ends, annotations: over }]
    }
    return rules.has(rule) ? [firing] : [firing, { ...alert, status: 'resolved', endsAtMs: nowMs, annotations: fired }]
  })
}

interface Row {
  readonly fingerprint: string
  readonly rule: string
  readonly starts: number
  readonly ends: number
  readonly resolved: number
  readonly labels: Record<string, string>
  readonly fired: Record<string, string>
  readonly over: Record<string, string>
}
