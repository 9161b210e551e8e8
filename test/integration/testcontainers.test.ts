import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { z } from 'zod'

import { choosePort } from '../../services/local/ports.ts'
import { messageOf } from '../../services/shared/domain/faults.ts'
import { createClickHouse } from '../../services/shared/io/clickhouse.ts'
import { waitFor } from '../support/wait-for.ts'

const root = join(import.meta.dirname, '../..')
const composeFile = 'docker-compose.yml'
const required = process.env['REQUIRE_DOCKER'] === '1'
const execute = promisify(execFile)

const summaryFormat = z.object({
  accepted: z.number(),
  duplicate: z.number(),
  rejected: z.record(z.string(), z.number()),
})

test('the containers of docker-compose.yml classify a simulated log exactly', { timeout: 900_000 }, async (t) => {
  const password = () => randomBytes(24).toString('hex')
  const secrets = { pipeline: password(), steward: password(), analyst: password() }
  const taken = new Set<number>()
  const clickhousePort = await choosePort({ taken })
  const env = {
    CLICKHOUSE_PIPELINE_PASSWORD: secrets.pipeline,
    CLICKHOUSE_STEWARD_PASSWORD: secrets.steward,
    CLICKHOUSE_ANALYST_PASSWORD: secrets.analyst,
    HOUSEHOLD_KEY: randomBytes(32).toString('hex'),
    HOST_KAFKA_PORT: String(await choosePort({ taken })),
    HOST_CLICKHOUSE_PORT: String(clickhousePort),
    HOST_CLICKHOUSE_NATIVE_PORT: String(await choosePort({ taken })),
  }
  const missing = await whyNoContainers(env)
  if (missing !== undefined) {
    assert.ok(!required, `REQUIRE_DOCKER=1, but ${missing}`)
    t.skip(missing)
    return
  }

  // Loaded here: it takes seconds, which a machine without Docker need not spend.
  const { DockerComposeEnvironment, Wait } = await import('testcontainers')
  // Without the reaper, which is one image more to pull: the test itself takes everything down.
  const environment = await new DockerComposeEnvironment(root, composeFile)
    .withEnvironment(env)
    .withAutoCleanup(false)
    .withDefaultWaitStrategy(Wait.forHealthCheck())
    .withStartupTimeout(300_000)
    .up(['classifier'])
  t.after(() => environment.down({ removeVolumes: true }))
  const classifier = environment.getContainer('classifier-1')
  const verb = (args: readonly string[]) =>
    classifier.exec(['node', 'services/cli.ts', ...args], { env: { HOUSEHOLD_KEY: env.HOUSEHOLD_KEY } })

  const simulated = await verb([
    ...['simulate', '--events', '20000', '--days', '7', '--duplicates', '0.01', '--malformed', '0.01'],
    ...['--schema-version', 'mixed', '--format', 'json'],
  ])
  assert.equal(simulated.exitCode, 0, simulated.output)
  const sent = summaryFormat.parse(JSON.parse(simulated.stdout))
  const expected = {
    accepted: sent.accepted,
    duplicate: sent.duplicate,
    rejected: Object.values(sent.rejected).reduce((sum, count) => sum + count, 0),
  }

  const url = `http://127.0.0.1:${clickhousePort}`
  const pipeline = createClickHouse({ url, user: 'pipeline', password: secrets.pipeline })
  const analyst = createClickHouse({ url, user: 'analyst', password: secrets.analyst })
  t.after(() => Promise.all([pipeline.close(), analyst.close()]))
  const ledger = async () =>
    (
      await pipeline.rows<typeof expected>(
        'SELECT sum(accepted) AS accepted, sum(duplicate) AS duplicate, sum(rejected) AS rejected FROM intent_ledger.ingest_batches',
      )
    )[0]!
  await waitFor('all messages in the ledger', async () => {
    const { accepted, duplicate, rejected } = await ledger()
    return accepted + duplicate + rejected >= expected.accepted + expected.duplicate + expected.rejected
  })
  assert.deepEqual(await ledger(), expected)

  const audited = await verb(['audit'])
  assert.equal(audited.exitCode, 0, audited.output)

  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10)
  const [share] = await analyst.rows<{ requests: number }>(
    `SELECT sum(requests) AS requests FROM intent_ledger_views.usage_share(
       from = '${day(30)}', to = '${day(0)}', by = '', product = '', cohort = '', country = '', plans = 'any')`,
  )
  assert.ok(share!.requests > 0)
  await assert.rejects(analyst.rows('SELECT 1 FROM intent_ledger.intent_events'), { code: 'clickhouse_refused' })
})

/** Why the containers can't be had here, in one sentence; undefined when all images are there, pulled or built. */
async function whyNoContainers(env: Record<string, string>): Promise<string | undefined> {
  // An unattended pull of a gigabyte must not hold a test run up; who asks for Docker waits for it.
  const imagesTimeoutMs = required ? 600_000 : 60_000
  const steps: readonly [string, number, readonly string[]][] = [
    ['no Docker daemon answers', 5_000, ['info']],
    ['`docker compose` is not installed', 5_000, ['compose', 'version']],
    [
      'the images of Kafka and ClickHouse can not be pulled',
      imagesTimeoutMs,
      ['compose', '-f', composeFile, 'pull', 'kafka', 'clickhouse'],
    ],
    ['our image can not be built', imagesTimeoutMs, ['compose', '-f', composeFile, 'build', 'classifier']],
  ]
  for (const [reason, timeout, args] of steps) {
    const fault = await execute('docker', [...args], { cwd: root, timeout, env: { ...process.env, ...env } }).then(
      () => undefined,
      (thrown: unknown) => messageOf(thrown),
    )
    if (fault !== undefined) {
      return `${reason} (${fault.trim().split('\n').at(-1)})`
    }
  }
  return undefined
}
