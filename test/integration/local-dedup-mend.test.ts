/**
 * Hole 1 of the exactly-once protocol on a real server: killed between the deduplication record and the part's rename,
 * ClickHouse answers a retry with 200 and has lost the rows. Each way of making that state runs without the mend, which must
 * show the hole (an upgrade that closes or turns it is noticed here), and with it.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { askClickHouse } from '../../services/local/clickhouse-ask.ts'
import { findEngine, startClickHouse } from '../../services/local/clickhouse-server.ts'
import { choosePort } from '../../services/local/ports.ts'
import { loadSecrets } from '../../services/local/secrets.ts'

type Counts = { raw: number; rollUp: number }

/** Three inserts of two rows each, one row for each of two partitions. */
const exact: Counts = { raw: 6, rollUp: 6 }
const database = 'intent_ledger_t_mend'
const skipStrace = findStrace()

for (const table of ['raw', 'rollUp'] as const) {
  const lossy = { ...exact, [table]: 5 }
  test(`${table}: a part put back by hand is answered and gone without the mend`, async (t) => {
    assert.deepEqual(await putBackByHand(t, { table, mendDeduplication: false }), lossy)
  })
  test(`${table}: a part put back by hand is inserted by the retry with the mend`, async (t) => {
    assert.deepEqual(await putBackByHand(t, { table, mendDeduplication: true }), exact)
  })
}

// One insert into two partitions renames four parts: two of raw, then two of the roll-up.
for (const [index, table] of (['raw', 'raw', 'rollUp', 'rollUp'] as const).entries()) {
  const renameIndex = index + 1
  test(
    `killed at rename ${renameIndex} (${table}): one row is gone without the mend`,
    { skip: skipStrace },
    async (t) => {
      assert.deepEqual(await killAtRename(t, { renameIndex, mendDeduplication: false }), { ...exact, [table]: 5 })
    },
  )
  test(`killed at rename ${renameIndex} (${table}): exact with the mend`, { skip: skipStrace }, async (t) => {
    assert.deepEqual(await killAtRename(t, { renameIndex, mendDeduplication: true }), exact)
  })
}

test('a month swapped for a rebuilt one keeps its notes: a late retry does not count twice', async (t) => {
  const server = await startServer(t, { mendDeduplication: true })
  await server.insert('second')
  await server.ask(`CREATE TABLE ${database}.rebuilt AS ${database}.rollUp`)
  await server.ask(`INSERT INTO ${database}.rebuilt SELECT shard, count() FROM ${database}.raw GROUP BY shard`)
  for (const shard of [1, 2]) {
    await server.ask(`ALTER TABLE ${database}.rollUp REPLACE PARTITION ${shard} FROM ${database}.rebuilt`)
  }
  await server.clickhouse.restart()
  await server.insert('second')
  assert.deepEqual(await server.counts(), { raw: 4, rollUp: 4 })
})

async function putBackByHand(
  t: TestContext,
  options: { table: keyof Counts; mendDeduplication: boolean },
): Promise<Counts> {
  const server = await startServer(t, options)
  await server.insert('second')
  await server.insert('third')
  const paths = await server.ask(
    `SELECT data_paths[1] FROM system.tables WHERE database = '${database}' AND name = '${options.table}'`,
  )
  await server.clickhouse.kill()
  await unrenameLastPart(paths.trim())
  await server.clickhouse.start()
  await server.insert('third')
  return server.counts()
}

async function killAtRename(
  t: TestContext,
  options: { renameIndex: number; mendDeduplication: boolean },
): Promise<Counts> {
  const server = await startServer(t, options)
  await server.insert('second')
  const tracer = await killAtNextRenames(t, server.clickhouse.pid, options.renameIndex)
  await assert.rejects(server.insert('third'), Error, 'the insert was answered: no rename was caught')
  await tracer.ended
  await server.clickhouse.kill()
  await server.clickhouse.start()
  await server.insert('third')
  return server.counts()
}

/** The highest block of partition 2, as the kill would have left it. */
async function unrenameLastPart(tableFolder: string): Promise<void> {
  const blocks = (await readdir(tableFolder))
    .filter((name) => /^2_\d+_\d+_\d+$/.test(name))
    .map((name) => name.split('_').map(Number))
  const last = blocks.sort((a, b) => a[2]! - b[2]!).at(-1)!
  assert.equal(last[1], last[2], 'the last part was merged: merges should have been stopped')
  await rename(join(tableFolder, last.join('_')), join(tableFolder, `tmp_insert_${last.join('_')}`))
}

/** Resolves when strace is attached. From then on the n-th rename is not done and kills the process, which ends strace too. */
async function killAtNextRenames(
  t: TestContext,
  pid: number,
  renameIndex: number,
): Promise<{ ended: Promise<unknown> }> {
  const renames = 'rename,renameat,renameat2'
  const inject = `inject=${renames}:error=EIO:signal=SIGKILL:when=${renameIndex}`
  const tracer = spawn('strace', ['-f', '-p', String(pid), '-o', '/dev/null', '-e', `trace=${renames}`, '-e', inject], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(() => tracer.kill())
  const ended = once(tracer, 'exit')
  const [line] = (await once(createInterface({ input: tracer.stderr }), 'line')) as [string]
  assert.match(line, /attached/)
  return { ended }
}

/** False, or why the variants with strace are skipped; REQUIRE_STRACE=1 runs them all the same. */
function findStrace(): string | false {
  if (process.env['REQUIRE_STRACE'] === '1') return false
  return spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0
    ? false
    : 'strace is not installed, or may not trace here'
}

/** A ClickHouse of the test's own (no Kafka), with a raw table, a roll-up by a view, and one insert done. */
async function startServer(t: TestContext, options: { mendDeduplication: boolean }) {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-mend-'))
  const secrets = await loadSecrets(folder)
  const httpPort = await choosePort({ taken: new Set() })
  const clickhouse = await startClickHouse({
    engine: findEngine(),
    folder: join(folder, 'clickhouse'),
    logFile: join(folder, 'clickhouse.log'),
    httpPort,
    secrets,
    mendDeduplication: options.mendDeduplication,
    onLog: (line) => t.diagnostic(line),
    onDeath: () => t.diagnostic('ClickHouse was killed'),
  })
  t.after(async () => {
    await clickhouse.stop()
    await rm(folder, { recursive: true })
  })

  const login = { httpPort, user: 'steward', password: secrets.stewardPassword, timeoutMs: 30_000 }
  const ask = (statement: string, settings?: Record<string, string>) => askClickHouse(login, statement, settings)
  const insert = (token: string) =>
    ask(`INSERT INTO ${database}.raw VALUES (1, 0), (2, 0)`, {
      insert_deduplication_token: token,
      deduplicate_blocks_in_dependent_materialized_views: '1',
      async_insert: '0',
    })
  const numberOf = async (query: string) => Number(await ask(query))
  const counts = async (): Promise<Counts> => ({
    raw: await numberOf(`SELECT count() FROM ${database}.raw`),
    rollUp: await numberOf(`SELECT sum(requests) FROM ${database}.rollUp`),
  })

  // No merges: they rename parts too, and would merge away the last one.
  const settings = 'SETTINGS non_replicated_deduplication_window = 100, max_bytes_to_merge_at_max_space_in_pool = 1'
  await ask(`CREATE DATABASE ${database}`)
  await ask(
    `CREATE TABLE ${database}.raw (shard UInt8, x UInt8) ENGINE MergeTree PARTITION BY shard ORDER BY x ${settings}`,
  )
  await ask(
    `CREATE TABLE ${database}.rollUp (shard UInt8, requests SimpleAggregateFunction(sum, UInt64)) ENGINE AggregatingMergeTree PARTITION BY shard ORDER BY shard ${settings}`,
  )
  await ask(
    `CREATE MATERIALIZED VIEW ${database}.view TO ${database}.rollUp AS SELECT shard, count() AS requests FROM ${database}.raw GROUP BY shard`,
  )
  await insert('first')
  return { clickhouse, ask, insert, counts }
}
