import assert from 'node:assert/strict'
import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { cliEnvironment, runCli, type CliRun } from '../support/cli.ts'
import { sharedStack, uniqueName } from '../support/stack.ts'

/** Not 0, no stack trace, and few lines: the sentence and at most a pointer to the help. */
function assertOneSentence(run: CliRun, pattern: RegExp): void {
  assert.notEqual(run.code, 0, run.stdout)
  assert.match(run.stderr, pattern)
  assert.doesNotMatch(run.stderr, /^\s+at /m)
  assert.ok(run.stderr.trim().split('\n').length <= 8, run.stderr)
}

test('says that the password is wrong, without printing it', async () => {
  const env = { ...cliEnvironment(await sharedStack()), CLICKHOUSE_PASSWORD: 'not-the-password' }
  for (const verb of ['classify', 'migrate', 'share', 'rejected']) {
    const run = await runCli([verb], env)
    assertOneSentence(run, /wrong user or password; check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD/)
    assert.doesNotMatch(run.stderr + run.stdout, /not-the-password/)
  }
})

test('names `migrate` when a table is missing', async () => {
  const env = { ...cliEnvironment(await sharedStack()), CLICKHOUSE_DATABASE: uniqueName('intent_ledger_t') }
  assertOneSentence(await runCli(['classify'], env), /has no such table .*npx intent-ledger migrate/)
})

test('names `migrate` when the topic is missing', async () => {
  const env = { ...cliEnvironment(await sharedStack()), KAFKA_TOPIC: uniqueName('no-topic') }
  assertOneSentence(await runCli(['simulate', '--events', '10', '--days', '1'], env), /no.*topic|does not host/i)
})

test('says that a port is closed, and which', async () => {
  const env = cliEnvironment(await sharedStack())
  assertOneSentence(
    await runCli(['classify'], { ...env, CLICKHOUSE_URL: 'http://127.0.0.1:9' }),
    /ClickHouse at http:\/\/127\.0\.0\.1:9 can't be reached/,
  )
  assertOneSentence(
    await runCli(['simulate'], { ...env, KAFKA_BROKERS: '127.0.0.1:9' }),
    /no Kafka broker answers: 127\.0\.0\.1:9 \(ECONNREFUSED\)/,
  )
})

test('reports all mistakes of the environment together', async () => {
  const run = await runCli(['classify'], {
    KAFKA_BROKERS: 'nonsense',
    CLICKHOUSE_DATABASE: 'system',
    BATCH_ROWS_MAX: 'many',
    KAFKA_TOPPIC: 'x',
  })
  assertOneSentence(run, /mistakes:/)
  for (const name of ['KAFKA_BROKERS', 'CLICKHOUSE_URL', 'CLICKHOUSE_DATABASE', 'BATCH_ROWS_MAX', 'KAFKA_TOPPIC']) {
    assert.match(run.stderr, new RegExp(name))
  }
})

test('refuses an unknown verb, an unknown flag and an unknown format', async () => {
  assertOneSentence(await runCli(['shares']), /unknown command 'shares'/)
  assertOneSentence(await runCli(['share', '--colour']), /unknown option '--colour'/)
  assertOneSentence(
    await runCli(['share', '--format', 'xml'], cliEnvironment(await sharedStack(), 'analyst')),
    /--format must be table, json, csv/,
  )
})

test('names file, rule and reason of an invalid taxonomy', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'mine.json')
  await writeFile(
    file,
    JSON.stringify({ version: 3, description: '', rules: [{ id: 'a', valueClass: 'direct', intents: ['x'] }] }),
  )
  assertOneSentence(await runCli(['taxonomy', 'check', file]), /mine\.json: rule 1 "a": class direct needs outcomes/)
})

test('every verb has a help with an example', async () => {
  const verbs = [
    ...[
      'demo',
      'start',
      'stack',
      'migrate',
      'simulate',
      'import',
      'classify',
      'share',
      'intents',
      'rejected',
      'audit',
      'repair',
    ].map((verb) => [verb]),
    ...[
      ['taxonomy', 'check'],
      ['taxonomy', 'explain'],
    ],
  ]
  for (const verb of verbs) {
    const run = await runCli([...verb, '--help'])
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stdout, /Examples?:\n/, verb.join(' '))
  }
})
