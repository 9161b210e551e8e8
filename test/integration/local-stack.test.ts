/** The embedded stack over its life: started, used, refused a second time, killed with its owner, died, gone on with. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { askClickHouse } from '../../services/local/clickhouse-ask.ts'
import { aliveProcess, processMark } from '../../services/local/process-mark.ts'
import { startStack, type LocalStack } from '../../services/local/stack.ts'
import { ownStack } from '../support/stack.ts'

const stackModule = join(import.meta.dirname, '..', '..', 'services', 'local', 'stack.ts')

test('a second start on the folder goes on with data, secrets and ports', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-stack-'))
  t.after(() => rm(folder, { recursive: true }))

  const first = await startStack({ dataDir: folder })
  t.after(() => first.stop())
  await ask(first, 'pipeline', 'CREATE DATABASE intent_ledger')
  await ask(first, 'pipeline', 'CREATE TABLE intent_ledger.kept (x UInt8) ENGINE MergeTree ORDER BY x')
  await ask(first, 'pipeline', 'INSERT INTO intent_ledger.kept VALUES (42)')
  await createTopic(first, 'kept')
  assert.equal((await stat(join(folder, 'secrets.json'))).mode & 0o777, 0o600)

  await assert.rejects(startStack({ dataDir: folder }), {
    message: `the data folder ${folder} is in use by process ${process.pid}: stop that one or choose another folder`,
  })
  await first.stop()

  const second = await startStack({ dataDir: folder })
  t.after(() => second.stop())
  assert.deepEqual(second.secrets, first.secrets)
  assert.equal(second.clickhouseUrl, first.clickhouseUrl)
  assert.deepEqual(second.kafkaBrokers, first.kafkaBrokers)
  assert.equal(await ask(second, 'pipeline', 'SELECT x FROM intent_ledger.kept'), '42\n')
  assert.deepEqual(await topics(second), ['kept'])
})

test('servers killed on purpose start again on their ports with their data; a death unasked is told with the log', async (t) => {
  const stack = await ownStack(t)
  await ask(stack, 'pipeline', 'CREATE DATABASE intent_ledger')
  await ask(stack, 'pipeline', 'CREATE TABLE intent_ledger.kept (x UInt8) ENGINE MergeTree ORDER BY x')
  await ask(stack, 'pipeline', 'INSERT INTO intent_ledger.kept VALUES (42)')
  await createTopic(stack, 'kept')

  await Promise.all([stack.clickhouse.kill('SIGKILL'), stack.kafka.kill('SIGKILL')])
  assert.throws(() => stack.kafka.pid, /Kafka is not running/)
  await Promise.all([stack.clickhouse.start(), stack.kafka.start()])
  assert.equal(await ask(stack, 'pipeline', 'SELECT x FROM intent_ledger.kept'), '42\n')
  assert.deepEqual(await topics(stack), ['kept'])

  process.kill(stack.kafka.pid, 'SIGKILL')
  const death = await stack.died
  assert.match(
    death.message,
    /^Kafka ended unexpectedly \(signal SIGKILL\); the last lines of .*kafka\.log:\n.*Kafka Server started/s,
  )
})

test('both servers end when their owner is killed, and the folder is free at once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-stack-'))
  t.after(() => rm(folder, { recursive: true }))
  const script = `
    const { startStack } = await import(${JSON.stringify(stackModule)})
    const stack = await startStack({ dataDir: ${JSON.stringify(folder)} })
    console.log(stack.kafka.pid, stack.clickhouse.pid)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => owner.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: owner.stdout }), 'line')) as [string]
  const servers = line.split(' ').map((pid) => processMark(Number(pid)))
  assert.ok(servers.every(aliveProcess))

  owner.kill('SIGKILL')
  const again = await startStack({ dataDir: folder })
  assert.deepEqual(servers.filter(aliveProcess), [])
  await again.stop()
})

test('a server that cannot start says so with its log, and leaves nothing running', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-stack-'))
  t.after(() => rm(folder, { recursive: true }))
  await assert.rejects(
    startStack({ dataDir: folder, kafka: { overrides: { 'num.io.threads': 'many' } } }),
    /^PipelineError: .*num\.io\.threads/s,
  )
  const again = await startStack({ dataDir: folder })
  await again.stop()
})

test('each user of ClickHouse may do its own work and no more', async (t) => {
  const stack = await ownStack(t)
  const denied = /ACCESS_DENIED/
  await ask(stack, 'pipeline', 'CREATE DATABASE intent_ledger')
  await ask(stack, 'pipeline', 'CREATE DATABASE intent_ledger_views')
  await ask(
    stack,
    'pipeline',
    'CREATE TABLE intent_ledger.raw (x UInt32, y String) ENGINE MergeTree ORDER BY x PARTITION BY x % 2',
  )
  await ask(
    stack,
    'pipeline',
    "INSERT INTO intent_ledger.raw SELECT x, y FROM input('x UInt32, y String') WHERE throwIf(now64(3) > '2100-01-01') = 0 FORMAT CSV\n1,a\n2,b\n",
  )
  await ask(
    stack,
    'pipeline',
    `CREATE VIEW intent_ledger_views.counted DEFINER = pipeline SQL SECURITY DEFINER AS
     SELECT count() AS n FROM intent_ledger.raw WHERE x >= {from:UInt32}`,
  )

  await t.test('default, whom anyone on this machine can be, reads no table, no file and no URL', async () => {
    for (const statement of [
      'SELECT * FROM intent_ledger.raw',
      'SELECT * FROM intent_ledger_views.counted(from=0)',
      'SELECT * FROM system.processes',
      "SELECT * FROM file('/etc/passwd', LineAsString)",
      "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
      'CREATE TABLE intent_ledger.mine (x UInt8) ENGINE MergeTree ORDER BY x',
    ]) {
      await assert.rejects(ask(stack, 'default', statement), denied, statement)
    }
  })

  await t.test('the analyst reads the views and nothing else', async () => {
    assert.equal(await ask(stack, 'analyst', 'SELECT n FROM intent_ledger_views.counted(from=2)'), '1\n')
    assert.equal(
      await ask(stack, 'analyst', 'SELECT n FROM intent_ledger_views.counted(from={f:UInt32})', { param_f: '1' }),
      '2\n',
    )
    for (const statement of [
      'SELECT * FROM intent_ledger.raw',
      'INSERT INTO intent_ledger_views.counted VALUES (1)',
      'SELECT * FROM system.processes',
      'SELECT * FROM system.parts',
      "SELECT * FROM file('/etc/passwd', LineAsString)",
      "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
      "KILL QUERY WHERE user = ''",
    ]) {
      await assert.rejects(ask(stack, 'analyst', statement), /ACCESS_DENIED|READONLY/, statement)
    }
  })

  await t.test('the analyst can set what clients set, and lift no limit', async () => {
    assert.equal(await ask(stack, 'analyst', 'SELECT 1', { enable_http_compression: '1', max_threads: '2' }), '1\n')
    for (const [setting, value] of [
      ['readonly', '0'],
      ['max_memory_usage', '0'],
      ['max_memory_usage', '1000000001'],
      ['max_memory_usage_for_user', '0'],
      ['max_execution_time', '0'],
      ['max_execution_time', '31'],
      ['max_threads', '5'],
      ['max_concurrent_queries_for_user', '0'],
    ] as const) {
      const refused = /SETTING_CONSTRAINT_VIOLATION|READONLY/
      await assert.rejects(ask(stack, 'analyst', 'SELECT 1', { [setting]: value }), refused, `${setting}=${value}`)
    }
    const large = 'SELECT length(groupArray(number)) FROM numbers(400000000)'
    await assert.rejects(ask(stack, 'analyst', large), /MEMORY_LIMIT_EXCEEDED/)
  })

  await t.test('the pipeline neither changes nor deletes rows, nor leaves its databases', async () => {
    for (const statement of [
      'ALTER TABLE intent_ledger.raw DELETE WHERE x = 1',
      "ALTER TABLE intent_ledger.raw UPDATE y = 'c' WHERE x = 1",
      'ALTER TABLE intent_ledger.raw DROP PARTITION 1',
      'TRUNCATE TABLE intent_ledger.raw',
      'DROP DATABASE intent_ledger',
      'CREATE DATABASE elsewhere',
      "SELECT * FROM file('/etc/passwd', LineAsString)",
      'CREATE USER mallory',
    ]) {
      await assert.rejects(ask(stack, 'pipeline', statement), denied, statement)
    }
    assert.equal(
      await ask(stack, 'pipeline', "SELECT sum(rows) FROM system.parts WHERE active AND database = 'intent_ledger'"),
      '2\n',
    )
  })

  await t.test('the steward repairs: stages, attaches, replaces, deletes, drops, within the databases', async () => {
    for (const statement of [
      'CREATE TABLE intent_ledger.staged AS intent_ledger.raw',
      "INSERT INTO intent_ledger.staged VALUES (3, 'c')",
      "ALTER TABLE intent_ledger.raw ATTACH PARTITION ID '1' FROM intent_ledger.staged",
      "ALTER TABLE intent_ledger.raw REPLACE PARTITION ID '1' FROM intent_ledger.staged",
      'ALTER TABLE intent_ledger.raw DELETE WHERE x = 3 SETTINGS mutations_sync = 2',
      'TRUNCATE TABLE intent_ledger.staged',
      `CREATE OR REPLACE VIEW intent_ledger_views.counted DEFINER = pipeline SQL SECURITY DEFINER AS SELECT 7 AS n`,
      'DROP DATABASE intent_ledger',
    ]) {
      await ask(stack, 'steward', statement)
    }
    await assert.rejects(ask(stack, 'steward', 'CREATE DATABASE elsewhere'), denied)
    await assert.rejects(ask(stack, 'steward', 'CREATE USER mallory'), denied)
  })

  await t.test('no password stands in a file of the server', async () => {
    const { pipelinePassword, stewardPassword, analystPassword } = stack.secrets
    for (const file of ['clickhouse.log', 'kafka.log', 'clickhouse/etc/config.xml', 'stack.json', 'ports.json']) {
      const text = await readFile(join(stack.dataDir, file), 'utf8')
      for (const password of [pipelinePassword, stewardPassword, analystPassword])
        assert.ok(!text.includes(password), file)
    }
  })
})

/** Rejects with the server's error text. `default` has an empty password. */
function ask(
  stack: LocalStack,
  user: 'pipeline' | 'steward' | 'analyst' | 'default',
  statement: string,
  settings?: Record<string, string>,
): Promise<string> {
  const password = user === 'default' ? '' : stack.secrets[`${user}Password`]
  const httpPort = Number(new URL(stack.clickhouseUrl).port)
  return askClickHouse({ httpPort, user, password, timeoutMs: 60_000 }, statement, settings)
}

async function createTopic(stack: LocalStack, topic: string): Promise<void> {
  const admin = await connectAdmin(stack)
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 2 }] })
  await admin.disconnect()
}

async function topics(stack: LocalStack): Promise<string[]> {
  const admin = await connectAdmin(stack)
  const names = await admin.listTopics()
  await admin.disconnect()
  return names.filter((name) => !name.startsWith('__'))
}

async function connectAdmin(stack: LocalStack) {
  const admin = new Kafka({ brokers: stack.kafkaBrokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  return admin
}
