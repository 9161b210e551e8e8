import { isDeepStrictEqual } from 'node:util'

import type { AuditDeps, Difference } from './audit.ts'
import { listedMax } from './audit-ledger.ts'
import { rollupsOf, type Rollup } from './rollups.ts'

/**
 * Compares every roll-up with raw per day, in one statement that reads raw once: what a classifier stores meanwhile changes
 * neither side of it. On a difference it goes down to the roll-up's own keys (cohort and bucket, intent, currency), so that it
 * says which cell is wrong.
 */
export async function findRollupFaults(deps: AuditDeps): Promise<Difference[]> {
  const rollups = rollupsOf(deps.stream)
  const differences: Difference[] = []
  for (const { rollup, ofDay } of rollups.length === 0 ? [] : await findDays(deps, rollups)) {
    const cells = await findCells(deps, rollup, ofDay.key['day']!)
    differences.push(...(cells.length > 0 ? cells : [ofDay]).map((cell) => toDifference(rollup, cell)))
    if (differences.length >= listedMax) {
      break
    }
  }
  return differences
}

interface Cell {
  readonly key: Record<string, string>
  readonly raw: Record<string, string>
  readonly rollup: Record<string, string>
}

/** The days on which a roll-up differs from raw. */
async function findDays(deps: AuditDeps, rollups: readonly Rollup[]): Promise<{ rollup: Rollup; ofDay: Cell }[]> {
  const measures = rollups.flatMap((rollup) =>
    Object.entries(rollup.measures).map(([name, added]) => ({ rollup, name, added })),
  )
  const rawSums = measures.map(({ rollup: { where }, added }) =>
    where === undefined ? `toInt64(sum(${added}))` : `toInt64(sumIf(${added}, ${where}))`,
  )
  const none = `arrayWithConstant(${measures.length}, toInt64(0))`
  const sides = [
    `SELECT toDate(occurred_at) AS day, [${rawSums.join(', ')}] AS raw, ${none} AS rolled
     FROM ${deps.database}.${deps.stream.table} GROUP BY day`,
    ...rollups.map((rollup) => {
      const sums = measures.map((measure) =>
        measure.rollup === rollup ? `toInt64(sum(${measure.name}))` : 'toInt64(0)',
      )
      return `SELECT day, ${none} AS raw, [${sums.join(', ')}] AS rolled FROM ${deps.database}.${rollup.table} GROUP BY day`
    }),
  ]
  const rows = await deps.clickHouse.rows<{ at: string; raws: string[]; rolleds: string[] }>(
    `SELECT toString(day) AS at, arrayMap(x -> toString(x), sumForEach(raw)) AS raws,
       arrayMap(x -> toString(x), sumForEach(rolled)) AS rolleds
     FROM (${sides.join(' UNION ALL ')}) GROUP BY day HAVING raws != rolleds ORDER BY day LIMIT {limit:UInt32}`,
    { limit: listedMax },
  )
  return rollups.flatMap((rollup) =>
    rows.flatMap(({ at, raws, rolleds }) => {
      const ofThis = (sums: readonly string[]) =>
        Object.fromEntries(
          measures.flatMap((measure, index) => (measure.rollup === rollup ? [[measure.name, sums[index]!]] : [])),
        )
      const ofDay = { key: { day: at }, raw: ofThis(raws), rollup: ofThis(rolleds) }
      return isDeepStrictEqual(ofDay.raw, ofDay.rollup) ? [] : [{ rollup, ofDay }]
    }),
  )
}

/** The cells of a day, by all keys of the roll-up, in which it differs from raw. */
async function findCells(deps: AuditDeps, rollup: Rollup, day: string): Promise<Cell[]> {
  const { keys, measures, where = 'true' } = rollup
  const names = Object.keys(measures)
  const rawKeys = keys.map((key) => `toString(${rollup.keySql[key] ?? key}) AS key_${key}`).join(', ')
  const rawSums = names.map((name) => `sum(${measures[name]!}) AS raw_${name}`).join(', ')
  const rolledKeys = keys.map((key) => `toString(${key}) AS key_${key}`).join(', ')
  const rolledSums = names.map((name) => `sum(${name}) AS rollup_${name}`).join(', ')
  const using = keys.map((key) => `key_${key}`).join(', ')
  const rows = await deps.clickHouse.rows<Record<string, string>>(
    `SELECT ${using}, ${names.map((name) => `toString(raw_${name}) AS r_${name}, toString(rollup_${name}) AS u_${name}`).join(', ')}
     FROM (SELECT ${rawKeys}, ${rawSums} FROM ${deps.database}.${deps.stream.table}
       WHERE ${where} AND toDate(occurred_at) = {day:Date} GROUP BY ${using}) AS raw
     FULL OUTER JOIN (SELECT ${rolledKeys}, ${rolledSums} FROM ${deps.database}.${rollup.table}
       WHERE day = {day:Date} GROUP BY ${using}) AS rolled USING (${using})
     WHERE ${names.map((name) => `raw_${name} != rollup_${name}`).join(' OR ')}
     ORDER BY ${using} LIMIT {limit:UInt32}`,
    { limit: listedMax, day },
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
