import type { AuditDeps, Difference } from './audit.ts'
import { listedMax } from './audit-ledger.ts'
import { creditedOrders, creditMethods, creditSettings, type CreditMethod, type CreditQuestion } from './credit-sql.ts'

/**
 * Checks that every line of an order, of every currency, is credited once, and that its credits with the uncredited remainder are its
 * margin to the micro-unit under each method. By day with sums alone; where a day differs, its orders.
 *
 * @param statement another one in place of `creditedOrders`, for the test that shows that a broken one is found
 */
export async function findCreditFaults(
  deps: Pick<AuditDeps, 'clickHouse' | 'database' | 'topic'>,
  statement = creditedOrders(deps.database),
): Promise<Difference[]> {
  const { clickHouse, database } = deps
  const differences: Difference[] = []
  const questions = await clickHouse.rows<CreditQuestion>(
    `SELECT currency, toString(toDate(min(occurred_at))) AS from, toString(toDate(max(occurred_at))) AS to
     FROM ${database}.ecosystem_orders GROUP BY currency ORDER BY currency`,
  )
  for (const question of questions) {
    for (const day of await findDays(deps, statement, question)) {
      differences.push(...(await findOrders(deps, statement, { ...question, day })))
      if (differences.length >= listedMax) {
        return differences.slice(0, listedMax)
      }
    }
  }
  return differences
}

/** The sum of hashes of what was read and of what is credited tells them apart where counts are equal. */
async function findDays(
  { clickHouse, database }: Pick<AuditDeps, 'clickHouse' | 'database'>,
  statement: string,
  question: CreditQuestion,
): Promise<string[]> {
  const rows = await clickHouse.rows<{ day: string }>(
    `SELECT toString(day) AS day FROM (
       SELECT toDate(occurred_at) AS day, 1 AS side, event_id, margin_micros, ${creditSums()} FROM (${statement})
       UNION ALL
       SELECT toDate(occurred_at) AS day, -1 AS side, event_id, margin_micros,
         ${creditMethods.map((method) => `toInt128(margin_micros) AS ${method}_sum`).join(', ')}
       FROM ${database}.ecosystem_orders WHERE currency = {currency:String})
     GROUP BY day
     HAVING sum(side) != 0 OR sum(side * toInt128(cityHash64(event_id, margin_micros))) != 0
       OR countIf(${creditMethods.map((method) => `${method}_sum != margin_micros`).join(' OR ')}) > 0
     ORDER BY day LIMIT {limit:UInt32}`,
    { ...question, limit: listedMax },
    creditSettings,
  )
  return rows.map(({ day }) => day)
}

async function findOrders(
  { clickHouse, database, topic }: Pick<AuditDeps, 'clickHouse' | 'database' | 'topic'>,
  statement: string,
  question: CreditQuestion & { readonly day: string },
): Promise<Difference[]> {
  const rows = await clickHouse.rows<
    Record<'partition' | 'offset' | 'times', number> & Record<'margin' | CreditMethod, string>
  >(
    `SELECT partition, offset, times, toString(raw.margin_micros) AS margin,
       ${creditMethods.map((method) => `toString(${method}_total) AS ${method}`).join(', ')}
     FROM (
       SELECT event_id, margin_micros, partition, kafka_offset AS offset FROM ${database}.ecosystem_orders
       WHERE currency = {currency:String} AND toDate(occurred_at) = {day:Date}) AS raw
     LEFT JOIN (
       SELECT event_id, count() AS times, ${creditMethods.map((method) => `sum(${method}_sum) AS ${method}_total`).join(', ')}
       FROM (SELECT event_id, ${creditSums()} FROM (${statement}) WHERE toDate(occurred_at) = {day:Date})
       GROUP BY event_id) AS credited USING (event_id)
     WHERE times != 1 OR ${creditMethods.map((method) => `${method}_total != raw.margin_micros`).join(' OR ')}
     ORDER BY partition, offset LIMIT {limit:UInt32}`,
    { ...question, limit: listedMax },
    creditSettings,
  )
  return rows.map((row) => ({
    kind: 'credit_differs',
    where: `${topic}/${row.partition}:${row.offset}`,
    expected: `credits of ${row.margin} micros of ${question.currency}, the margin of the order, by each method`,
    found:
      row.times === 0
        ? 'none'
        : `${row.times === 1 ? '' : `${row.times} times `}${creditMethods.map((method) => `${method} ${row[method]}`).join(', ')}`,
  }))
}

/** Of products and of what is uncredited, together. */
function creditSums(): string {
  return creditMethods
    .map((method) => `arraySum(credit -> toInt128(credit), ${method}_micros) AS ${method}_sum`)
    .join(', ')
}
