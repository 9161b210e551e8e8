import type { FateSettings } from '../shared/domain/fate.ts'
import { mistake } from '../shared/domain/faults.ts'
import type { LogBound } from '../shared/domain/log-bound.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { migrate } from '../shared/io/migrations.ts'
import type { NamedTaxonomy } from '../shared/pipeline/partition.ts'
import { assertSameReplay, type Asked, type Definition } from './definition.ts'
import { replayDatabase, replayGroup } from './names.ts'
import { fixRanges, type PartitionRange } from './ranges.ts'
import { openReplayRecord } from './record.ts'
import type { ReplayLog } from './source.ts'

export interface PrepareOptions {
  readonly name: string
  /** The live classifiers' group. */
  readonly group: string
  readonly from: LogBound | undefined
  readonly to: LogBound | undefined
  readonly taxonomy: NamedTaxonomy
  readonly fates: FateSettings
  readonly codeVersion: string
  readonly dedupWindowBlocks: number
  readonly cluster: string | undefined
}

/**
 * Finds the replay of a name, or begins it: the range is fixed, the databases are made, the definition is written, in this
 * order, so that a range that the log does not have leaves nothing behind. Throws a mistake when the name is taken by another.
 */
export async function prepareReplay(
  options: PrepareOptions,
  deps: { clickHouse: ClickHouse; log: ReplayLog; nowMs: number },
): Promise<Definition> {
  const { name, taxonomy, fates, codeVersion, cluster } = options
  const { clickHouse, log } = deps
  const { topic } = log
  const database = replayDatabase(name)
  const record = openReplayRecord({ clickHouse, database })
  const asked: Asked = {
    ...{ replay: name, source: log.kind, topic, topicId: await log.topicId(topic), codeVersion },
    group: replayGroup(options.group, name),
    asked: { from: options.from?.text ?? '', to: options.to?.text ?? '' },
    taxonomy: { version: taxonomy.taxonomy.version, hash: taxonomy.hash },
    fates: { ...fates },
  }
  const known = await record.definition()
  if (known !== undefined) {
    assertSameReplay(known, asked)
    return known
  }
  const ranges = await askForRanges(options, log)
  await assertFree(clickHouse, database)
  await migrate(clickHouse, { database, dedupWindowBlocks: options.dedupWindowBlocks, cluster })
  const begun = await record.begin({ ...asked, ranges, startedAt: new Date(deps.nowMs).toISOString() }, cluster)
  // Another process may have begun it between our look and our word.
  assertSameReplay(begun, asked)
  return begun
}

async function askForRanges({ from, to, fates }: PrepareOptions, log: ReplayLog): Promise<PartitionRange[]> {
  const { topic, kind: source } = log
  const atTime = async (bound: LogBound | undefined) =>
    bound?.kind === 'time' ? await log.offsetsAt(topic, bound.timeMs) : new Map<number, number>()
  const [watermarks, fromTime, toTime] = [await log.watermarks(topic), await atTime(from), await atTime(to)]
  const { duplicateWindowOffsets } = fates
  const ranges = fixRanges({ topic, source, from, to, watermarks, fromTime, toTime, duplicateWindowOffsets })
  for (const { partition, first, end } of ranges.filter((range) => range.first < range.end)) {
    log.assertHolds(partition, Math.max(0, first - duplicateWindowOffsets), end)
  }
  return ranges
}

/** Rows without a definition are somebody else's, or what a drop that was cut off has left. */
async function assertFree(clickHouse: ClickHouse, database: string): Promise<void> {
  const [row] = await clickHouse.rows<{ tables: number }>(
    `SELECT count() AS tables FROM system.tables WHERE database = {database:String} AND name = 'ingest_batches' AND total_rows > 0`,
    { database },
  )
  if (row!.tables > 0) {
    throw mistake(`database ${database} holds rows and no record of a replay; drop it as steward or take another name`)
  }
}
