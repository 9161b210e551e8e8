import { recordOf, type LogRecord } from '../domain/log-record.ts'
import { readLogRange } from '../io/kafka-range.ts'
import { createReader } from './reader.ts'
import { rowTables } from './audit-rows.ts'
import { batchFull, createGatherer, type Gatherer } from './gather.ts'
import { batchInserts, type SealedBatch, type TableInsert } from './insert.ts'
import type { NamedTaxonomy } from './partition.ts'
import { rebuildMemory } from './position.ts'
import { rollupsOf } from './rollups.ts'
import type { RepairDeps } from './repair.ts'
import type { Held, LogRange } from './store.ts'
import { restoreMissing } from './verify.ts'

/** Returns why the range can't be restored, or undefined. */
export async function restoreRange(
  deps: RepairDeps,
  range: LogRange,
  wants: (table: string, month: number) => void,
): Promise<string | undefined> {
  const low = (await deps.admin.watermarks(deps.topic)).find((mark) => mark.partition === range.partition)?.low ?? 0
  if (range.first < low) {
    return `retention has deleted the log up to ${low - 1}`
  }
  const ledger = await ledgerRows(deps, range)
  const version = ledger[0]?.taxonomy_version || (await storedVersion(deps, range)) || deps.taxonomy.taxonomy.version
  const gathered = await gatherRange(deps, range, deps.taxonomyOf(version))
  if (gathered === undefined) {
    return 'it mixes more writer schemas than one batch may'
  }
  const { topicId, partition, first, last } = range
  const batch: SealedBatch = {
    ...{ topic: deps.topic, topicId, partition, first, last, taxonomyVersion: version, recovered: true, gathered },
  }
  const inserts = batchInserts(deps.stream, batch)
  const fates = rowTables(deps)
  const ledgerIsWrong = ledger.some((row) => fates.some(({ fate }) => !sameAs(row, gathered, fate)))
  if (ledgerIsWrong && !(await tablesAgree(deps, range, gathered))) {
    const say = (counts: Record<Fate, number>) =>
      `${counts.accepted} accepted, ${counts.duplicate} duplicate and ${counts.rejected} rejected events`
    return (
      `read again it has ${say(gathered.tally)}, the ledger says ${say(ledger[0]!)}: it was made under other settings ` +
      `(duplicate window, sizes, registry), so run repair under those`
    )
  }
  const rawIsWrong = !isSame(await deps.store.held(deps.stream.table, range), wantedOf(gathered, 'accepted'))
  if (rawIsWrong) {
    await wantMonths(deps, range, wants)
  }
  for (const { table, fate } of fates) {
    const fault = await restoreTable(deps, range, {
      ...{ table, wanted: wantedOf(gathered, fate), inserts: inserts.filter((insert) => insert.table === table) },
    })
    if (fault !== undefined) {
      return fault
    }
  }
  if (ledger.length !== 1 || ledgerIsWrong) {
    await deleteLedgerRows(deps, range)
    await restoreMissing(inserts.at(-1)!, range, restoring(deps))
  }
  if (rawIsWrong) {
    // Again, for the months that only the restored rows belong to.
    await wantMonths(deps, range, wants)
  }
  return undefined
}

type Fate = 'accepted' | 'duplicate' | 'rejected'
type LedgerSums = Record<Fate, number> & Record<`${Fate}_sum`, string> & { taxonomy_version: number }

const rangeParams = ({ topicId, partition, first, last }: LogRange) => ({ topic_id: topicId, partition, first, last })
const ofLedgerRange =
  'topic_id = {topic_id:UUID} AND partition = {partition:UInt32} AND first_offset = {first:UInt64} AND last_offset = {last:UInt64}'
const ofRange =
  'topic_id = {topic_id:UUID} AND partition = {partition:UInt32} AND kafka_offset BETWEEN {first:UInt64} AND {last:UInt64}'

function ledgerRows({ store }: RepairDeps, range: LogRange): Promise<LedgerSums[]> {
  return store.clickHouse.rows<LedgerSums>(
    `SELECT accepted, duplicate, rejected, toString(accepted_offset_sum) AS accepted_sum, taxonomy_version,
       toString(duplicate_offset_sum) AS duplicate_sum, toString(rejected_offset_sum) AS rejected_sum
     FROM ${store.database}.ingest_batches WHERE ${ofLedgerRange}`,
    rangeParams(range),
  )
}

/** The taxonomy version that the range's rows carry, where its ledger row is lost; undefined without rows. */
async function storedVersion({ store, stream }: RepairDeps, range: LogRange): Promise<number | undefined> {
  if (!stream.isClassed) {
    return undefined
  }
  const [row] = await store.clickHouse.rows<{ version: number }>(
    `SELECT max(taxonomy_version) AS version FROM ${store.database}.${stream.table} WHERE ${ofRange}`,
    rangeParams(range),
  )
  return row?.version
}

function wantedOf({ tally }: Gatherer, fate: Fate): Held {
  const offsetSum = BigInt(tally[fate]) * BigInt(tally.base) + BigInt(tally[`${fate}Offsets`])
  return { rows: tally[fate], offsetSum: BigInt.asUintN(64, offsetSum).toString() }
}

function sameAs(row: LedgerSums, gathered: Gatherer, fate: Fate): boolean {
  const wanted = wantedOf(gathered, fate)
  return row[fate] === wanted.rows && row[`${fate}_sum`] === wanted.offsetSum
}

const isSame = (a: Held, b: Held) => a.rows === b.rows && a.offsetSum === b.offsetSum

/** Whether log and tables say the same, so that it is the ledger that is wrong, and not the settings of this repair. */
async function tablesAgree(deps: RepairDeps, range: LogRange, gathered: Gatherer): Promise<boolean> {
  const held = await Promise.all(
    rowTables(deps).map(async ({ table, fate }) =>
      isSame(await deps.store.held(table, range), wantedOf(gathered, fate)),
    ),
  )
  return held.every((same) => same)
}

const restoring = ({ store, log }: RepairDeps) => ({
  ...{ store, log, leaseEndsMs: () => store.serverNowMs() + 600_000 },
})

/** Adds what is missing; only where that is not enough (rows that stand twice, rows of nothing) is the range emptied first. */
async function restoreTable(
  deps: RepairDeps,
  range: LogRange,
  { table, wanted, inserts }: { table: string; wanted: Held; inserts: readonly TableInsert[] },
): Promise<string | undefined> {
  const { store } = deps
  for (const attempt of ['look', 'add', 'replace'] as const) {
    if (attempt === 'replace') {
      await store.clickHouse.command(
        `ALTER TABLE ${store.database}.${table} DELETE WHERE ${ofRange}`,
        rangeParams(range),
        { mutations_sync: '2' },
      )
    }
    if (attempt !== 'look') {
      for (const insert of inserts) {
        await restoreMissing(insert, range, restoring(deps))
      }
    }
    if (isSame(await store.held(table, range), wanted)) {
      return undefined
    }
  }
  return `${table} still does not hold its ${wanted.rows} rows`
}

async function deleteLedgerRows({ store }: RepairDeps, range: LogRange): Promise<void> {
  await store.clickHouse.command(
    `ALTER TABLE ${store.database}.ingest_batches DELETE WHERE ${ofLedgerRange}`,
    rangeParams(range),
    { mutations_sync: '2' },
  )
}

async function gatherRange(deps: RepairDeps, range: LogRange, taxonomy: NamedTaxonomy): Promise<Gatherer | undefined> {
  const { topicId, partition, first } = range
  const memory = await rebuildMemory(partition, { offset: first, readFrom: first }, deps.fates, { ...deps, topicId })
  const gatherer = createGatherer({ stream: deps.stream, fates: deps.fates, memory })
  const messages: LogRecord[] = []
  await readLogRange(deps.kafka, { topic: deps.topic, ...range }, (found) => {
    for (const { offset, timestamp, key, value } of found) {
      messages.push(recordOf({ offset: Number(offset), timestampMs: Number(timestamp), key, value }))
    }
  })
  for (const message of messages) {
    let answer = gatherer.add(message)
    for (; answer >= 0; answer = gatherer.add(message)) {
      const schema = await deps.schema(answer)
      gatherer.resolve(answer, 'fault' in schema ? schema : createReader(deps.stream, schema, taxonomy.taxonomy))
    }
    if (answer === batchFull) {
      return undefined
    }
  }
  return gatherer
}

/** Rows are put in place without the views and deleted without them: the roll-ups of their months must be rebuilt. */
async function wantMonths(
  deps: RepairDeps,
  range: LogRange,
  wants: (table: string, month: number) => void,
): Promise<void> {
  const months = await deps.store.clickHouse.rows<{ month: number }>(
    `SELECT DISTINCT toYYYYMM(occurred_at) AS month FROM ${deps.store.database}.${deps.stream.table} WHERE ${ofRange}`,
    rangeParams(range),
  )
  for (const { month } of months) {
    for (const rollup of rollupsOf(deps.stream)) {
      wants(rollup.table, month)
    }
  }
}
