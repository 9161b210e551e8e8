/** How far the classifiers have come, as their ledger says: what the harness waits for, and never what it judges by. */
import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { waitFor } from '../support/wait-for.ts'
import type { Manifest } from './manifest.ts'

/** The last offset in the ledger, by partition. */
export type LedgerEnds = ReadonlyMap<number, number>

export interface Progress {
  ends(): Promise<LedgerEnds>
  /** Resolves when every partition has newer rows in the ledger: the whole group works again. */
  goneOn(since: LedgerEnds): Promise<void>
  /** `goneOn` from now. */
  goesOn(): Promise<void>
  /** Resolves when the ledger has reached the last acknowledged message of each partition. */
  drained(): Promise<void>
}

const recoveryMaxMs = 120_000
const drainMaxMs = 180_000

export function createProgress(options: { clickHouse: ClickHouse; database: string; manifest: Manifest }): Progress {
  const { clickHouse, database, manifest } = options

  async function readEnds(): Promise<LedgerEnds> {
    const rows = await clickHouse.rows<{ partition: number; last: number }>(
      `SELECT partition, max(last_offset) AS last FROM ${database}.ingest_batches GROUP BY partition`,
    )
    return new Map(rows.map(({ partition, last }) => [partition, last]))
  }
  const ends = () => waitFor('ClickHouse to answer', readEnds)

  async function untilEach(what: string, timeoutMs: number, reached: (partition: number, end: number) => boolean) {
    await waitFor(
      what,
      async () => {
        const found = await readEnds()
        return manifest.partitions.every((_, partition) => reached(partition, found.get(partition) ?? -1))
      },
      { timeoutMs },
    )
  }
  const goneOn = (since: LedgerEnds) =>
    untilEach('every partition to go on', recoveryMaxMs, (partition, end) => end > (since.get(partition) ?? -1))

  return {
    ends,
    goneOn,
    goesOn: async () => goneOn(await ends()),
    drained: () =>
      untilEach('the classifiers to drain the log', drainMaxMs, (partition, end) => {
        return BigInt(end + 1) >= manifest.messages(partition)
      }),
  }
}
