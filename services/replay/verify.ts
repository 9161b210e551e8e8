import { mistake, PipelineError } from '../shared/domain/faults.ts'
import type { StreamDefinition } from '../shared/domain/stream.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { audit, type AuditReport } from '../shared/pipeline/audit.ts'
import type { Store } from '../shared/pipeline/store.ts'
import { readProgress } from './completion.ts'
import type { Definition } from './definition.ts'
import { digestRollups, type DigestSource } from './digest.ts'
import { differingTables, findIn, type Findings, type Manifest } from './manifest.ts'
import { replayDatabase } from './names.ts'
import type { ReplayRecord } from './record.ts'

export interface VerifyDeps {
  readonly clickHouse: ClickHouse
  /** Of the replay, or the live one. */
  readonly database: string
  readonly stream: StreamDefinition
  readonly store: Pick<Store, 'ledgerEnds'>
}

/** What a check found. No faults: what stands in the tables is what the manifest says. */
export interface Verification {
  readonly replay: string
  /** `live`, or the replay itself. */
  readonly checked: string
  readonly expectedDigest: string
  readonly found: Findings
  /** One sentence each. */
  readonly faults: readonly string[]
}

/** Audits a complete replay, works out its manifest and writes it; a replay that has one keeps it. */
export async function finishReplay(
  definition: Definition,
  deps: VerifyDeps & { record: ReplayRecord; nowMs: () => number },
): Promise<Manifest> {
  const known = await deps.record.manifest()
  if (known !== undefined) {
    return known
  }
  const report = await auditReplay(definition, deps)
  if (!report.clean) {
    throw new PipelineError(
      `replay ${definition.replay} does not add up, so it gets no manifest; drop it and run it again:\n${auditFaults(report).join('\n')}`,
      { code: 'ledger_disagrees' },
    )
  }
  const schemas = Object.fromEntries(await deps.record.schemas())
  const findings = await findIn(deps, definition)
  const finishedAt = new Date(deps.nowMs()).toISOString()
  return deps.record.finish({ ...definition, schemas, finishedAt, ...findings })
}

/** Works out anew what a replay's tables hold, and compares it with its manifest, its ledger and its roll-ups. */
export async function verifyReplay(manifest: Manifest, deps: VerifyDeps): Promise<Verification> {
  const found = await findIn(deps, manifest)
  const report = await auditReplay(manifest, deps)
  const faults = [...tableFaults(manifest, found), ...auditFaults(report), ...(await rollupFaults(deps, found))]
  return { replay: manifest.replay, checked: manifest.replay, expectedDigest: manifest.digest, found, faults }
}

/** The same over the live tables: what the live run made of the very range that was replayed. */
export async function verifyLive(manifest: Manifest, deps: VerifyDeps): Promise<Verification> {
  await assertLiveHasRead(manifest, deps)
  const found = await findIn(deps, manifest)
  return {
    ...{ replay: manifest.replay, checked: 'live', expectedDigest: manifest.digest, found },
    faults: tableFaults(manifest, found),
  }
}

/**
 * Throws a mistake where the live run is not through the range yet. A batch ends at a message, so where only markers follow, live
 * may never come to the very end: it must have come to the last message that the replay found.
 */
export async function assertLiveHasRead(definition: Definition, { clickHouse, store }: VerifyDeps): Promise<void> {
  const { topic, topicId, replay, ranges } = definition
  const { ends } = await readProgress(store, { topicId, ranges })
  const database = replayDatabase(replay)
  const rows = await clickHouse.rows<{ partition: number; last: number }>(
    `SELECT partition, max(last_offset) AS last FROM ${database}.ingest_batches
     WHERE topic_id = {topic_id:UUID} AND accepted + duplicate + rejected > 0 GROUP BY partition ORDER BY partition`,
    { topic_id: topicId },
  )
  const behind = rows.find(({ partition, last }) => ends.get(partition)! <= last)
  if (behind !== undefined) {
    throw mistake(
      `the live tables hold ${topic}/${behind.partition} only up to ${ends.get(behind.partition)}, the range goes to ${behind.last + 1}; wait until the classifiers have come so far`,
    )
  }
}

function auditReplay(definition: Definition, deps: VerifyDeps): Promise<AuditReport> {
  const used = definition.ranges.filter(({ first, end }) => first < end)
  const log = {
    topicId: definition.topicId,
    watermarks: used.map(({ partition, first, end }) => ({ partition, low: first, high: end })),
    plannedLast: new Map<number, number>(),
    firsts: new Map(used.map(({ partition, first }) => [partition, first])),
  }
  return audit({ ...deps, topic: definition.topic, log: () => Promise.resolve(log) })
}

function auditFaults({ differences, partitions }: AuditReport): string[] {
  return [
    ...differences.map(({ kind, where, expected, found }) => `${kind}: ${where}: expected ${expected}, found ${found}`),
    ...partitions
      .filter(({ unread }) => unread > 0)
      .map(
        ({ topic, partition, unread }) => `${topic}/${partition}: ${unread} offsets of the range are not in the ledger`,
      ),
  ]
}

function tableFaults(expected: Findings, found: Findings): string[] {
  return differingTables(expected, found).map(({ table, expectedRows, foundRows }) =>
    expectedRows === foundRows
      ? `${table} differs: ${foundRows} rows, with other contents`
      : `${table} differs: ${expectedRows} rows in the manifest, ${foundRows} now`,
  )
}

async function rollupFaults(source: DigestSource, found: Findings): Promise<string[]> {
  const rollups = await digestRollups(source)
  return rollups
    .filter(({ table, digest }) => found.tables.find((one) => one.table === table)?.digest !== digest)
    .map(({ table }) => `${table} does not hold what its rows add up to`)
}
