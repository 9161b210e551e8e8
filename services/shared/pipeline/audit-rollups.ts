import type { AuditDeps, Difference } from './audit.ts'
import { listedMax } from './audit-ledger.ts'
import { rollupsOf, type Rollup } from './rollups.ts'

/**
 * Compares every roll-up with raw per day; on a difference it goes down to the roll-up's own keys (cohort and bucket, intent,
 * currency), so that it says which cell is wrong.
 */
export async function findRollupFaults(deps: AuditDeps): Promise<Difference[]> {
  const differences: Difference[] = []
  for (const rollup of rollupsOf(deps.stream)) {
    const days = await compare(deps, rollup, ['day'], undefined)
    for (const { key } of days) {
      const cells = await compare(deps, rollup, rollup.keys, key['day'])
      const shown = cells.length > 0 ? cells : days.filter((found) => found.key === key)
      differences.push(...shown.map((cell) => toDifference(rollup, cell)))
      if (differences.length >= listedMax) {
        return differences
      }
    }
  }
  return differences
}

interface Cell {
  readonly key: Record<string, string>
  readonly raw: Record<string, string>
  readonly rollup: Record<string, string>
}

async function compare(
  deps: AuditDeps,
  rollup: Rollup,
  keys: readonly string[],
  day: string | undefined,
): Promise<Cell[]> {
  const names = Object.keys(rollup.measures)
  const sums = (side: 'raw' | 'rollup') =>
    names
      .map((name) => (side === 'raw' ? `${rollup.measures[name]!} AS raw_${name}` : `sum(${name}) AS rollup_${name}`))
      .join(', ')
  const keyText = keys.map((key) => `toString(${rollup.keySql[key] ?? key}) AS key_${key}`).join(', ')
  const rollupKeyText = keys.map((key) => `toString(${key}) AS key_${key}`).join(', ')
  const using = keys.map((key) => `key_${key}`).join(', ')
  const where = [rollup.where, day === undefined ? undefined : `toDate(occurred_at) = {day:Date}`].filter(
    (part) => part !== undefined,
  )
  const rows = await deps.clickHouse.rows<Record<string, string>>(
    `SELECT ${using}, ${names.map((name) => `toString(raw_${name}) AS r_${name}, toString(rollup_${name}) AS u_${name}`).join(', ')}
     FROM (SELECT ${keyText}, ${sums('raw')} FROM ${deps.database}.${deps.stream.table}
       ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`} GROUP BY ${using}) AS raw
     FULL OUTER JOIN (SELECT ${rollupKeyText}, ${sums('rollup')} FROM ${deps.database}.${rollup.table}
       ${day === undefined ? '' : 'WHERE day = {day:Date}'} GROUP BY ${using}) AS rolled USING (${using})
     WHERE ${names.map((name) => `raw_${name} != rollup_${name}`).join(' OR ')}
     ORDER BY ${using} LIMIT {limit:UInt32}`,
    { limit: listedMax, ...(day === undefined ? {} : { day }) },
  )
  const pick = (row: Record<string, string>, prefix: string, of: readonly string[]) =>
    Object.fromEntries(of.map((name) => [name, row[`${prefix}_${name}`] ?? '']))
  return rows.map((row) => ({ key: pick(row, 'key', keys), raw: pick(row, 'r', names), rollup: pick(row, 'u', names) }))
}

function toDifference(rollup: Rollup, cell: Cell): Difference {
  const say = (values: Record<string, string>) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  const day = cell.key['day'] ?? ''
  return {
    kind: 'rollup_differs',
    where: `${rollup.table} ${Object.entries(cell.key)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    expected: `${say(cell.raw)} as in raw`,
    found: say(cell.rollup),
    rollup: { table: rollup.table, month: Number(day.slice(0, 4) + day.slice(5, 7)) },
  }
}
