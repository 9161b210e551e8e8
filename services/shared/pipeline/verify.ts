import { randomUUID } from 'node:crypto'

import { messageOf, PipelineError } from '../domain/faults.ts'
import type { Logger } from '../io/log.ts'
import { insertSettings, insertSql, type SealedBatch, type TableInsert } from './insert.ts'
import type { LogRange, Store } from './store.ts'

export interface VerifyDeps {
  readonly store: Store
  readonly log: Logger
  leaseEndsMs(): number
  /** Throws when this process no longer owns the partition: another may be restoring the same rows. */
  assertMember?(doing: string): void
  /** So many rows were put back. */
  onRestored?(rows: number): void
}

/**
 * Counts what the tables hold of a batch whose inserts had an unknown outcome, and restores what is missing.
 *
 * ClickHouse without replication writes its deduplication record before the part is there; killed in between, it answers a
 * retry with success and the rows are gone. Missing rows go through a staging table and MOVE PARTITION, which fires no
 * view: the roll-ups got their share by the retry, or miss it for the same reason, which `audit` shows and `repair` mends.
 */
export async function verifyBatch(
  batch: SealedBatch,
  inserts: readonly TableInsert[],
  deps: VerifyDeps,
): Promise<void> {
  const { topicId, partition, first, last } = batch
  const range: LogRange = { topicId, partition, first, last }
  const tables = new Map<string, TableInsert[]>()
  for (const insert of inserts) {
    tables.set(insert.table, [...(tables.get(insert.table) ?? []), insert])
  }
  for (const [table, parts] of tables) {
    const wanted = parts.reduce((sum, part) => sum + part.rows, 0)
    const count = async () =>
      table === 'ingest_batches'
        ? await deps.store.ledgerRows(parts[0]!.token)
        : (await deps.store.held(table, range)).rows
    const found = await count()
    if (found > wanted) {
      throw new PipelineError(
        `${table} holds ${found} rows of ${topicId}/${partition} ${first}-${last} where the log has ${wanted}: stop the classifiers and run \`npx intent-ledger repair\``,
        { code: 'ledger_disagrees' },
      )
    }
    if (found < wanted) {
      for (const part of parts) {
        await restoreMissing(part, range, deps)
      }
      const now = await count()
      deps.onRestored?.(now - found)
      deps.log.warn(
        { table, partition, first, last, missing: wanted - found, now },
        'rows lost behind a success answer were restored',
      )
      if (now !== wanted) {
        throw new PipelineError(
          `${table} holds ${now} rows of ${topicId}/${partition} ${first}-${last} after restoring, where the log has ${wanted}`,
          { code: 'ledger_disagrees' },
        )
      }
    }
  }
}

/**
 * Staging tables have a database of their own: MOVE PARTITION needs the right to delete where it takes from, and ATTACH
 * PARTITION where it puts to, and the pipeline's user may delete nothing from the tables of a stream.
 */
const stagingDatabase = 'intent_ledger_staging'

/** Puts into a table the rows of an insert that it does not hold. Safe to repeat. */
export async function restoreMissing(insert: TableInsert, range: LogRange, deps: VerifyDeps): Promise<void> {
  const { clickHouse, database } = deps.store
  const staging = `${insert.table}_${randomUUID().replaceAll('-', '')}`
  const isLedger = insert.table === 'ingest_batches'
  const drop = () => clickHouse.command(`DROP TABLE IF EXISTS ${stagingDatabase}.${staging}`)
  await clickHouse.command(`CREATE DATABASE IF NOT EXISTS ${stagingDatabase}`)
  await clickHouse.command(`CREATE TABLE ${stagingDatabase}.${staging} AS ${database}.${insert.table}`)
  try {
    const held = isLedger
      ? `token NOT IN (SELECT token FROM ${database}.ingest_batches WHERE token = {range_token:String})`
      : `kafka_offset NOT IN (SELECT kafka_offset FROM ${database}.${insert.table} WHERE topic_id = {range_topic:UUID}
         AND partition = {range_partition:UInt32} AND kafka_offset BETWEEN {range_first:UInt64} AND {range_last:UInt64})`
    const params = {
      ...insert.params,
      lease_ends_ms: Math.floor(deps.leaseEndsMs()),
      range_token: insert.token,
      range_topic: range.topicId,
      range_partition: range.partition,
      range_first: range.first,
      range_last: range.last,
    }
    await clickHouse.insert(
      insertSql(insert, { database: stagingDatabase, table: staging, where: held }),
      insert.body,
      {
        params,
        settings: insertSettings(`staging/${staging}`),
      },
    )
    deps.assertMember?.(`restoring rows of ${insert.table}`)
    await moveAll(clickHouse, staging, `${database}.${insert.table}`).catch((thrown: unknown) => {
      if (!(thrown instanceof PipelineError) || !thrown.retryable) {
        throw thrown
      }
      // It may still be under way: whoever counts at once, and restores again, would have the rows twice.
      throw new PipelineError(`restoring rows of ${insert.table}: ${messageOf(thrown)}`, {
        code: 'membership_lost',
        retryable: true,
        cause: thrown,
      })
    })
  } finally {
    // The table is in nobody's way; a failure to drop it must not stand in for what happened before.
    await drop().catch((fault: unknown) => deps.log.warn({ staging, err: fault }, 'staging table left'))
  }
}

/** Moves every partition of a staging table into a table of the same shape. Fires no materialised view. */
async function moveAll(clickHouse: Store['clickHouse'], staging: string, target: string): Promise<void> {
  const partitions = await clickHouse.rows<{ partition_id: string }>(
    'SELECT DISTINCT partition_id FROM system.parts WHERE active AND database = {database:String} AND table = {table:String}',
    { database: stagingDatabase, table: staging },
  )
  for (const { partition_id } of partitions) {
    await clickHouse.command(
      `ALTER TABLE ${stagingDatabase}.${staging} MOVE PARTITION ID '${partition_id}' TO TABLE ${target}`,
    )
  }
}
