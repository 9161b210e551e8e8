import { randomUUID } from 'node:crypto'

import type { RepairDeps } from './repair.ts'
import { rollupsOf } from './rollups.ts'

/** Builds a roll-up's month beside it, by its own view's SELECT, and swaps it in: readers see the old month or the new one. */
export async function rebuildMonth(
  deps: Pick<RepairDeps, 'store' | 'stream'>,
  table: string,
  month: number,
): Promise<void> {
  const { clickHouse, database } = deps.store
  const rollup = rollupsOf(deps.stream).find((known) => known.table === table)!
  const [view] = await clickHouse.rows<{ as_select: string }>(
    'SELECT as_select FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    { database, name: rollup.feed },
  )
  const staging = `staging_${table}_${randomUUID().replaceAll('-', '')}`
  const raw = `${database}.${deps.stream.table}`
  const select = view!.as_select.replace(
    `FROM ${raw}`,
    `FROM (SELECT * FROM ${raw} WHERE toYYYYMM(occurred_at) = ${month}) AS one_month`,
  )
  if (select === view!.as_select) {
    throw new Error(`${rollup.feed} does not read from ${raw}; rebuilding ${table} needs its definition`)
  }
  await clickHouse.command(`CREATE TABLE ${database}.${staging} AS ${database}.${table}`)
  try {
    await clickHouse.command(
      `INSERT INTO ${database}.${staging} ${select}`,
      {},
      { max_partitions_per_insert_block: '0' },
    )
    const [filled] = await clickHouse.rows<{ rows: number }>(`SELECT count() AS rows FROM ${database}.${staging}`)
    await clickHouse.command(
      filled!.rows === 0
        ? `ALTER TABLE ${database}.${table} DROP PARTITION ID '${month}'`
        : `ALTER TABLE ${database}.${table} REPLACE PARTITION ID '${month}' FROM ${database}.${staging}`,
    )
  } finally {
    await clickHouse.command(`DROP TABLE IF EXISTS ${database}.${staging}`)
  }
}
