/** What people and `audit` wait for over a large history: rows made inside ClickHouse, so that only its own time is measured. */
import { randomUUID } from 'node:crypto'

import { createRandom } from '../../services/producer/random.ts'
import type { ShareDimension } from '../../services/shared/io/flag-kinds.ts'
import { queryShare } from '../../services/report/share.ts'
import type { Window } from '../../services/report/window.ts'
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import { createClickHouse, type ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { audit } from '../../services/shared/pipeline/audit.ts'
import { ledgerInsert, type LedgerRow } from '../../services/shared/pipeline/insert.ts'
import { rollupsOf } from '../../services/shared/pipeline/rollups.ts'
import { createStore } from '../../services/shared/pipeline/store.ts'
import { print, say, withServers, type BenchServers } from './bench-servers.ts'
import { partitions } from './fill.ts'
import { madeRows, type History } from './made-rows.ts'
import { readCounts } from './options.ts'
import { dedupWindowBlocks } from './run.ts'
import { waitUntilQuiet } from './servers.ts'
import { quantile, spreadOf } from './summary.ts'

const help = `npm run bench -- queries [--events <n>] [--rounds <n>]

Makes so many accepted events (default 100000000) of 90 days in 2,000 cohorts inside ClickHouse, with roll-ups and ledger,
and asks as user analyst for \`usage_share\` of a month without rows (planning alone), of one cohort, of one product and of all
cohorts: alone, so many times each (default 30), and all but the last from 8 clients at once. Then \`audit\`, three times. 100000000 events take about 10 minutes and
15 GB of disk.
`
const topic = 'bench-queries'
const database = 'intent_ledger_bench_queries'
const batchRows = 250_000
const history: Omit<History, 'events'> = { firstDay: '2026-01-01', days: 90 }
const everyDay = { from: '2026-01-01', to: '2026-03-31', days: history.days, note: '' }
const clientsAtOnce = 8

export async function measureQueries(args: string[]): Promise<void> {
  const options = readCounts(args, { events: [batchRows, 1_000_000_000, 100_000_000], rounds: [1, 1_000, 30] })
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  await withServers((servers) => measure(options, servers))
}

async function measure({ events, rounds }: { events: number; rounds: number }, servers: BenchServers): Promise<void> {
  const { stack, pipeline, admin } = servers
  await admin.ensureTopic({ topic, partitions, replicas: 1, configs: {} })
  await migrate(pipeline, { database, dedupWindowBlocks })
  await fill(pipeline, events)
  await waitUntilQuiet(pipeline)
  await mergePastMonths(pipeline)
  await sayDisk(pipeline, events)
  const login = { url: stack.clickhouseUrl, user: 'analyst', password: stack.secrets.analystPassword }
  const analysts = Array.from({ length: clientsAtOnce }, () => createClickHouse(login))
  try {
    for (const question of questions) {
      const alone = await ask(analysts.slice(0, 1), rounds, question)
      const together = question.alone ? [] : await ask(analysts, rounds, question)
      report(question.title, { alone, together })
    }
  } finally {
    await Promise.all(analysts.map((client) => client.close()))
  }
  const seconds: number[] = []
  for (let round = 0; round < 3; round++) {
    seconds.push(await timeAudit(servers))
  }
  const { median, low, high } = spreadOf(seconds)
  print(`audit: ${median.toFixed(1)} s (${low.toFixed(1)} to ${high.toFixed(1)})`)
}

/** Batches of the ledger, as a classifier would have stored them: each a range of one partition with its rows. */
async function fill(pipeline: ClickHouse, events: number): Promise<void> {
  // Another topic id than the topic's own: a log that was read and is gone, so `audit` holds only tables against the ledger.
  const topicId = randomUUID()
  const store = createStore({ clickHouse: pipeline, database, stream: assistantIntents })
  const started = performance.now()
  for (let first = 0; first < events; first += batchRows) {
    const rows = Math.min(batchRows, events - first)
    const batch = Math.floor(first / batchRows)
    const place = { topicId, partition: batch % partitions, offset: Math.floor(batch / partitions) * batchRows }
    await pipeline.command(madeRows(database, { ...history, events }), { ...place, first, rows })
    await store.insert(ledgerInsert(ledgerRow(place, rows)), Date.now() + 3_600_000)
    if ((batch + 1) % 40 === 0) {
      say(`${first + rows} events after ${((performance.now() - started) / 1_000).toFixed(0)} s`)
    }
  }
}

function ledgerRow(place: { topicId: string; partition: number; offset: number }, rows: number): LedgerRow {
  const { topicId, partition, offset } = place
  const last = offset + rows - 1
  const offsetSum = (BigInt(offset + last) * BigInt(rows)) / 2n
  return {
    ...{
      stream: assistantIntents.name,
      topic,
      topic_id: topicId,
      partition,
      first_offset: offset,
      last_offset: last,
      accepted: rows,
    },
    ...{ duplicate: 0, rejected: 0, no_message: 0, expired: 0, accepted_offset_sum: String(offsetSum) },
    ...{ duplicate_offset_sum: '0', rejected_offset_sum: '0', taxonomy_version: 1 },
    ...{ event_low: null, event_high: null, record_low: null, record_high: null },
    token: `${topicId}/${partition}/${offset}-${last}`,
  }
}

/** What the server does by itself a day after a month's last row: merges each roll-up of every month but the last whole. */
async function mergePastMonths(pipeline: ClickHouse): Promise<void> {
  const months = await pipeline.rows<{ table: string; partition_id: string }>(
    `SELECT DISTINCT table, partition_id FROM system.parts
     WHERE active AND database = {database:String} AND has({tables:Array(String)}, table) AND partition_id < {last:String}`,
    {
      database,
      tables: rollupsOf(assistantIntents).map(({ table }) => table),
      last: everyDay.to.slice(0, 7).replace('-', ''),
    },
  )
  for (const { table, partition_id } of months) {
    await pipeline.command(`OPTIMIZE TABLE ${database}.${table} PARTITION ID '${partition_id}' FINAL`, {})
  }
}

async function sayDisk(pipeline: ClickHouse, events: number): Promise<void> {
  const rows = await pipeline.rows<{ table: string; rows: number; bytes: number; parts: number }>(
    `SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts
     WHERE active AND database = {database:String} GROUP BY table ORDER BY bytes DESC`,
    { database },
  )
  const all = rows.reduce((sum, { bytes }) => sum + bytes, 0)
  rows.forEach((row) =>
    say(`${row.table}: ${row.rows} rows, ${(row.bytes / events).toFixed(1)} bytes an event, ${row.parts} parts`),
  )
  print(`disk, all tables: ${(all / events).toFixed(1)} bytes an event`)
}

interface Question {
  readonly title: string
  readonly by: readonly ShareDimension[]
  /** Asked by one client only. */
  readonly alone?: true
  /** Its window, where it is not the whole history; one without rows shows what planning alone takes. */
  readonly window?: Window
  readonly filters: (pick: (below: number) => number) => { product?: string; cohort?: string; country?: string }
}

const noDay = { from: '2020-01-01', to: '2020-01-31', days: 31, note: '' }

const questions: readonly Question[] = [
  {
    title: 'usage_share of a month without rows, planning alone',
    by: [],
    window: noDay,
    filters: (pick) => ({ product: `product_${pick(4)}` }),
  },
  {
    title: 'usage_share of one cohort',
    by: [],
    filters: (pick) => ({ product: `product_${pick(4)}`, cohort: month(pick(25)), country: `C${pick(20)}` }),
  },
  { title: 'usage_share of one product', by: [], filters: (pick) => ({ product: `product_${pick(4)}` }) },
  {
    title: 'usage_share of all 2,000 cohorts',
    by: ['product', 'cohort_month', 'country'],
    alone: true,
    filters: () => ({}),
  },
]

function month(index: number): string {
  return `${2023 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`
}

/** Milliseconds of each answer, `rounds` from each client, ascending. */
async function ask(
  clients: readonly ClickHouse[],
  rounds: number,
  { by, filters, window = everyDay }: Question,
): Promise<number[]> {
  let answered = 0
  const times = await Promise.all(
    clients.map(async (client, number) => {
      const random = createRandom(7, number)
      const own: number[] = []
      for (let round = 0; round < rounds; round++) {
        const asked = filters((below) => random.integer(0, below - 1))
        const started = performance.now()
        const { rows } = await queryShare(client, database, {
          window,
          parameters: { by, product: '', cohort: '', country: '', plans: 'any', ...asked },
        })
        own.push(performance.now() - started)
        answered += rows.length
      }
      return own
    }),
  )
  if ((answered === 0) !== (window === noDay)) {
    throw new Error(`usage_share gave ${answered} rows`)
  }
  return times.flat().sort((left, right) => left - right)
}

function report(title: string, { alone, together }: { alone: number[]; together: number[] }): void {
  const at = (times: number[], share: number) => `${Math.round(quantile(times, share))} ms`
  const many =
    together.length === 0 ? '' : `; ${clientsAtOnce} at once p50 ${at(together, 0.5)}, p99 ${at(together, 0.99)}`
  print(`${title}: p50 ${at(alone, 0.5)}, p99 ${at(alone, 0.99)}${many}`)
}

async function timeAudit({ pipeline, admin }: BenchServers): Promise<number> {
  const [topicId, watermarks] = await Promise.all([admin.topicId(topic), admin.watermarks(topic)])
  const started = performance.now()
  const { clean, differences } = await audit({
    ...{ clickHouse: pipeline, database, stream: assistantIntents, topic },
    log: () => Promise.resolve({ topicId, watermarks, plannedLast: new Map() }),
  })
  if (!clean) {
    throw new Error(`the audit is not clean: ${JSON.stringify(differences.slice(0, 3))}`)
  }
  return (performance.now() - started) / 1_000
}
