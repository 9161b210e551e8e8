import type { ClickHouse } from '../shared/io/clickhouse.ts'

/**
 * How often the rule that most dashboards have would have paged: a country's broad share outside the mean of the 7 days before
 * plus or minus 2 standard deviations, counted when it leaves that band.
 */
export async function countPlainPages(
  { clickHouse, database }: { clickHouse: ClickHouse; database: string },
  range: { firstDay: string; lastDay: string },
): Promise<number> {
  const [row] = await clickHouse.rows<{ pages: number }>(
    `WITH daily AS
       (SELECT country, day, sumIf(requests, value_class IN ('direct', 'assisted', 'entitlement')) / sum(requests) AS share
        FROM ${database}.usage_by_cohort_daily WHERE value_class != 'not_a_request' GROUP BY country, day),
     bands AS
       (SELECT country, day, share, avg(share) OVER week AS mean, stddevSamp(share) OVER week AS deviation, count() OVER week AS before
        FROM daily WINDOW week AS (PARTITION BY country ORDER BY day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING)),
     flags AS
       (SELECT country, day, before = 7 AND abs(share - mean) > 2 * deviation AS outside,
          lagInFrame(outside) OVER (PARTITION BY country ORDER BY day) AS was_outside FROM bands)
     SELECT countIf(outside AND NOT was_outside) AS pages FROM flags WHERE day BETWEEN {from:Date} AND {to:Date}`,
    { from: range.firstDay, to: range.lastDay },
  )
  return row!.pages
}
