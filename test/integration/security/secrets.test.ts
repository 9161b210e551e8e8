/**
 * Everything is driven once with secrets that can be recognised, and under what a container with a read-only file system
 * allows; then all output, all tables and the log itself are searched for them.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type { Kafka } from 'kafkajs'

import { cliEnvironment, runCli, startCli } from '../../support/cli.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { waitFor } from '../../support/wait-for.ts'

const serial = (n: number) => `G090SERIAL${1_000 + n}`
const household = (n: number) => `raw-household-${1_000 + n}`
const householdKey = 'c0ffee5ec2e7'.padEnd(64, 'd')
const wrongPassword = 'wrong-pass-4711'
const saslPassword = 'sasl-pass-4712'
const registryPassword = 'registry-pass-4713'
const urlPassword = 'url-pass-4714'

const event = (n: number) => ({
  occurredAt: new Date(Date.now() - 3_600_000 - n * 1_000).toISOString(),
  ...{ deviceSerial: serial(n), householdId: household(n), product: 'echo', deviceModel: 'echo_dot_5' },
  ...{
    activatedOn: '2026-01-05',
    country: 'DE',
    locale: 'de-DE',
    plans: [],
    intent: 'alarm_set',
    outcome: 'fulfilled',
  },
  ...{ latencyMs: 420, appVersion: '4.1.0' },
})

test('holds no password, key or raw id in output, tables and log, and writes nothing but to /tmp', async (t) => {
  const work = await pipelineCase(t, { partitions: 2 })
  const { stack, topic, group, database, clickHouse, admin, kafka } = work
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-secrets-'))
  t.after(() => rm(folder, { recursive: true }))
  const passwords = Object.entries(stack.secrets).flatMap(([name, value]) => (name === 'householdKey' ? [] : [value]))
  const secrets = [...passwords, householdKey, wrongPassword, saslPassword, registryPassword, urlPassword]
  const rawIds = Array.from({ length: 60 }, (_, n) => [serial(n), household(n)]).flat()

  const outputs: string[] = []
  const environment = (role: 'pipeline' | 'steward' | 'analyst' = 'pipeline') => ({
    ...cliEnvironment(stack, role),
    ...{ KAFKA_TOPIC: topic, KAFKA_GROUP: group, CLICKHOUSE_DATABASE: database, HOUSEHOLD_KEY: householdKey },
    ...{ LOG_LEVEL: 'trace', SCHEMA_REGISTRY_USER: 'me', SCHEMA_REGISTRY_PASSWORD: registryPassword },
    // As the containers have it (docker-compose.yml): all may be read, nothing but a temporary folder written, no program started.
    NODE_OPTIONS: `--permission --allow-fs-read=* --allow-fs-write=${folder} --allow-net`,
  })
  const drive = async (args: readonly string[], env: Record<string, string>, code: number) => {
    const run = await runCli(args, env)
    assert.equal(run.code, code, `${args.join(' ')}: ${run.stderr.slice(-1_000)}`)
    assert.doesNotMatch(run.stderr, /ERR_ACCESS_DENIED|\n\s+at /, run.stderr)
    outputs.push(run.stdout, run.stderr)
  }

  const file = join(folder, 'events.ndjson')
  const bad = [
    JSON.stringify({ ...event(50), latencyMs: 'soon' }),
    JSON.stringify({ ...event(51), deviceSerial: '' }),
    `{"deviceSerial": "${serial(52)}"`,
    JSON.stringify({ ...event(53), country: serial(53) }),
  ]
  const good = Array.from({ length: 50 }, (_, n) => JSON.stringify(event(n)))
  await writeFile(file, [...good, ...bad].join('\n'))

  // What succeeds.
  await drive(['migrate'], environment(), 0)
  await drive(
    ['simulate', '--events', '2000', '--days', '2', '--malformed', '0.05', '--duplicates', '0.05'],
    environment(),
    0,
  )
  await drive(['import', file, '--rejects', join(folder, 'bad.ndjson')], environment(), 2)
  const classifier = startCli(['classify'], { ...environment(), GATHER_MAX_MS: '100' })
  t.after(() => classifier.child.kill('SIGKILL'))
  let logged = ''
  classifier.child.stderr!.on('data', (chunk: string) => (logged += chunk))
  await classifier.said('batch settled')
  const log = await work.readLog()
  const messages = log.partitions.flat()
  await waitFor('all messages to be settled', async () => {
    const [row] = await clickHouse.rows<{ read: number }>(
      `SELECT sum(accepted + duplicate + rejected) AS read FROM ${database}.ingest_batches`,
    )
    return row!.read >= messages.length
  })
  const port = /"port":(\d+)/.exec(logged)![1]!
  for (const path of ['metrics', 'readyz', 'healthz', 'nothing']) {
    outputs.push(await (await fetch(`http://127.0.0.1:${port}/${path}`)).text())
  }
  classifier.child.kill('SIGTERM')
  const ended = await classifier.ended
  assert.equal(ended.code, 0, ended.stderr.slice(-1_000))
  assert.doesNotMatch(ended.stderr, /ERR_ACCESS_DENIED/)
  outputs.push(ended.stdout, ended.stderr)
  await drive(['share'], environment('analyst'), 0)
  await drive(['intents', '--format', 'json'], environment('analyst'), 0)
  await drive(['rejected', '--list', '1000', '--format', 'json'], environment(), 0)
  await drive(['audit', '--format', 'json'], environment(), 0)
  await drive(['repair', '--dry-run'], environment('steward'), 0)
  await drive(['taxonomy', 'check'], environment(), 0)

  // What fails.
  const kafkaLogin = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: saslPassword }
  const url = new URL(stack.clickhouseUrl)
  const failing: [Record<string, string>, number][] = [
    [{ CLICKHOUSE_PASSWORD: wrongPassword }, 1],
    [{ CLICKHOUSE_URL: 'http://127.0.0.1:9' }, 1],
    [{ CLICKHOUSE_URL: `http://me:${urlPassword}@${url.host}` }, 2],
    [{ CLICKHOUSE_URL: `http://${url.host}/?password=${urlPassword}` }, 2],
    [{ SCHEMA_REGISTRY_URL: `ftp://me:${urlPassword}@registry` }, 2],
    [{ HOUSEHOLD_KEY: `${householdKey}x`, CLICKHOUSE_PASWORD: wrongPassword }, 2],
    [kafkaLogin, 1],
    [{ ...kafkaLogin, KAFKA_BROKERS: '127.0.0.1:9' }, 1],
  ]
  for (const [env, code] of failing) {
    await drive(['classify'], { ...environment(), ...env }, code)
  }
  await drive(['simulate', '--events', '10'], { ...environment(), HOUSEHOLD_KEY: `${householdKey}x` }, 2)
  await drive(['simulate', '--events', '10'], { ...environment(), ...kafkaLogin }, 1)

  // What is kept.
  const kept: string[] = []
  const tables = await clickHouse.rows<{ name: string }>(
    `SELECT DISTINCT table AS name FROM system.parts WHERE database = {database:String} AND active`,
    { database },
  )
  assert.ok(tables.length >= 7, `${tables.length} tables`)
  for (const { name } of tables) {
    kept.push((await clickHouse.bytes(`SELECT * FROM ${database}.${name} FORMAT TSVRaw`)).toString('latin1'))
  }
  kept.push(...messages.map(({ key, value }) => `${key?.toString('latin1')} ${value?.toString('latin1')}`))
  const offsets = await admin.committed(group, topic)
  kept.push(JSON.stringify([...offsets]))
  const { groups } = await describeGroups(kafka, group)
  kept.push(JSON.stringify(groups))

  const [imported] = await clickHouse.rows<{ rows: number }>(
    `SELECT count() AS rows FROM ${database}.intent_events WHERE app_version = '4.1.0' AND intent = 'alarm_set' AND latency_ms = 420`,
  )
  assert.ok(imported!.rows >= 50, `${imported!.rows} imported events arrived`)
  const everything = [...outputs, ...kept]
  assert.ok(outputs.join('').length > 10_000 && kept.join('').length > 100_000)
  for (const secret of [...secrets, ...rawIds]) {
    for (const [how, form] of Object.entries(formsOf(secret))) {
      const found = everything.find((text) => text.includes(form))
      const at = found?.indexOf(form) ?? 0
      assert.equal(found, undefined, `${secret} as ${how} in: ${found?.slice(Math.max(0, at - 200), at + 100)}`)
    }
  }
})

/** As it is, and as it would travel. */
function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret)
  return {
    text: secret,
    hex: bytes.toString('hex'),
    base64: bytes.toString('base64').replace(/=+$/, ''),
    url: encodeURIComponent(secret),
    ...(/^[0-9a-f]{64}$/.test(secret) ? { bytes: Buffer.from(secret, 'hex').toString('latin1') } : {}),
  }
}

async function describeGroups(kafka: Kafka, group: string) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await admin.describeGroups([group])
  } finally {
    await admin.disconnect()
  }
}
