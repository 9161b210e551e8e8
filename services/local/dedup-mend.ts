/**
 * Mends what a kill can leave in a stopped ClickHouse' deduplication logs (hole 1 of the exactly-once protocol).
 *
 * A table that is not replicated notes an inserted block in `deduplication_logs/` first and renames the block's part into
 * place second (26.7). Killed between the two, it comes back without the rows and with the note: a retry with the same token
 * is answered 200, and the rows are gone for good. The mend appends the record that takes the note back, so the retry inserts.
 *
 * What makes a note a dangling one, all of it needed:
 * - it is the last record of its partition in the table's log: a table commits its parts one after the other;
 * - its part is not there, and no part that is there covers it, as a merged one would;
 * - a `tmp_insert_…` folder of the partition is there: the part that was not renamed. ClickHouse removes such folders when it
 *   starts, so this runs before each start. Without this condition a partition that REPLACE PARTITION swapped out (a rebuilt
 *   roll-up month), whose notes stay valid, would lose its last one, and a late retry would count twice.
 */
import { appendFile, glob, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export type DedupRecord = {
  operation: 'add' | 'drop'
  part: string
  blockId: string
}

/** Mends every table under a data folder that no server has open. Returns how many notes it took back. */
export async function mendDeduplicationLogs(dataFolder: string): Promise<number> {
  let mended = 0
  for await (const logFolder of glob('store/*/*/deduplication_logs', { cwd: dataFolder })) {
    mended += await mendTable(join(dataFolder, logFolder))
  }
  return mended
}

/** The records whose rows never arrived, given the names of a table's subfolders. */
export function findDanglingRecords(records: DedupRecord[], folderNames: string[]): DedupRecord[] {
  const parts = folderNames.map(parsePartName).filter((part) => part !== undefined)
  const unfinishedPartitions = new Set(
    folderNames
      .filter((name) => name.startsWith(unfinishedPrefix))
      .map((name) => parsePartName(name.slice(unfinishedPrefix.length))?.partition),
  )
  const lastByPartition = new Map<string, DedupRecord>()
  for (const record of records) {
    const partition = parsePartName(record.part)?.partition
    if (partition !== undefined) lastByPartition.set(partition, record)
  }
  return [...lastByPartition].flatMap(([partition, last]) => {
    const noted = parsePartName(last.part)!
    const arrived = parts.some((part) => covers(part, noted))
    return last.operation === 'add' && !arrived && unfinishedPartitions.has(partition) ? [last] : []
  })
}

/** One record a line: operation (1 add, 2 drop), part, block id, with tabs. A last line without its end is not a record. */
export function parseDedupLog(text: string): DedupRecord[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [operation, part, blockId] = line.split('\t')
      if ((operation !== '1' && operation !== '2') || part === undefined || blockId === undefined) {
        throw new Error(`a line of a deduplication log is not "1|2, part, block id": ${JSON.stringify(line)}`)
      }
      return { operation: operation === '1' ? 'add' : 'drop', part, blockId }
    })
}

const unfinishedPrefix = 'tmp_insert_'

async function mendTable(logFolder: string): Promise<number> {
  const logNames = (await readdir(logFolder))
    .filter((name) => /^deduplication_log_\d+\.txt$/.test(name))
    .sort((a, b) => logNumber(a) - logNumber(b))
  const newest = logNames.at(-1)
  if (newest === undefined) return 0
  const texts = await Promise.all(logNames.map((name) => readFile(join(logFolder, name), 'utf8')))
  const dangling = findDanglingRecords(parseDedupLog(texts.join('')), await readdir(join(logFolder, '..')))
  const drops = dangling.map((record) => `2\t${record.part}\t${record.blockId}\n`)
  if (drops.length > 0) await appendFile(join(logFolder, newest), drops.join(''), { flush: true })
  return drops.length
}

function logNumber(name: string): number {
  return Number(/\d+/.exec(name)?.[0])
}

type PartInfo = { partition: string; minBlock: number; maxBlock: number; level: number }

/** `partition_min_max_level`, with `_mutation` after it once a part has been mutated. Undefined for any other folder. */
function parsePartName(name: string): PartInfo | undefined {
  const match = /^([^_]+)_(\d+)_(\d+)_(\d+)(?:_\d+)?$/.exec(name)
  if (match === null) return undefined
  const [, partition, minBlock, maxBlock, level] = match
  return { partition: partition!, minBlock: Number(minBlock), maxBlock: Number(maxBlock), level: Number(level) }
}

function covers(part: PartInfo, noted: PartInfo): boolean {
  return (
    part.partition === noted.partition &&
    part.minBlock <= noted.minBlock &&
    part.maxBlock >= noted.maxBlock &&
    part.level >= noted.level
  )
}
