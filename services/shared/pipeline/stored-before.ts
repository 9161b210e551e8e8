import type { SealedBatch, TableInsert } from './insert.ts'
import type { Store } from './store.ts'

/**
 * Whether the table holds an insert's rows already, before it is repeated: the server then drops it by its token. ClickHouse's
 * answer does not tell (it counts rows it dropped as written), so it is counted.
 *
 * Known or not, the insert is repeated: its first try may have reached the table and not yet the roll-ups.
 */
export async function storedBefore(insert: TableInsert, batch: SealedBatch, store: Store): Promise<boolean> {
  if (insert.table === 'ingest_batches') {
    return (await store.ledgerRows(insert.token)) > 0
  }
  return (await store.held(insert.table, batch)).rows >= insert.rows
}
