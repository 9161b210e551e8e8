import type { SealedBatch, TableInsert } from './insert.ts'
import type { Store } from './store.ts'

/**
 * Whether the table holds an insert's rows already, before it is repeated: the server then drops it by its token. ClickHouse's
 * answer does not tell (it counts rows it dropped as written), so it is counted.
 *
 * Known or not, the insert is repeated: its first try may have reached the table and not yet the roll-ups.
 */
export async function storedBefore(
  insert: TableInsert,
  batch: SealedBatch,
  options: { inserts: readonly TableInsert[]; store: Store },
): Promise<boolean> {
  const { inserts, store } = options
  if (insert.table === 'ingest_batches') {
    return (await store.ledgerRows(insert.token)) > 0
  }
  // Accepted rows come in one insert a writer schema, one after the other: those before this one are there for certain.
  const upToThis = inserts.slice(0, inserts.indexOf(insert) + 1).filter(({ table }) => table === insert.table)
  const wanted = upToThis.reduce((rows, part) => rows + part.rows, 0)
  return (await store.held(insert.table, batch)).rows >= wanted
}
