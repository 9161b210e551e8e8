/** `alerts run` as a process: from events in Kafka to a webhook, with a rule file edited while it runs, and killed. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { createWatermark } from '../../../services/alerts/watermark.ts'
import { startAlertEndpoint } from '../../support/alert-endpoint.ts'
import { runCli, startCli } from '../../support/cli.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'
import { waitFor } from '../../support/wait-for.ts'

const dayMs = 86_400_000

interface Told {
  readonly status: string
  readonly alertname: string
  readonly product: string
  readonly startsAt: string
}

/** A webhook, and what it was told of each alert. */
async function startWebhook(t: TestContext) {
  const { url, requests } = await startAlertEndpoint(t)
  return {
    url,
    get told(): Told[] {
      return requests.flatMap(({ body }) =>
        (body as { alerts: { status: string; labels: Record<string, string>; startsAt: string }[] }).alerts.map(
          ({ status, labels, startsAt }) => ({
            ...{ status, alertname: labels['alertname']!, product: labels['product']!, startsAt },
          }),
        ),
      )
    },
  }
}

const distinct = (told: readonly Told[]) => new Set(told.map((each) => JSON.stringify(each))).size

const rulesText = (limit: string) => `version: 1
rules:
  - name: broad_share_is_low
    measure: broad_share
    by: [product]
    condition: { below: ${limit} }
    mix: none
    minimum: { households: 11, requests: 100 }
    annotations: { summary: '{{product}} at {{value}}' }
`

test('tells a webhook once over a kill, takes up an edited rule file, and refuses a bad one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const work = await pipelineCase(t, { partitions: 2 })
  const yesterday = new Date(Date.now() - dayMs).toISOString().slice(0, 10)
  await work.simulate({ events: 30_000, days: 2, until: yesterday, malformed: 0, duplicates: 0, seed: 7 })
  await work.assertDrained([work.startProcess({ BATCH_ROWS_MAX: '5000' })])

  const webhook = await startWebhook(t)
  const rules = join(folder, 'rules.yaml')
  await writeFile(rules, rulesText('50%'))
  const env = {
    KAFKA_BROKERS: work.stack.kafkaBrokers.join(','),
    KAFKA_TOPIC: work.topic,
    KAFKA_GROUP: work.group,
    CLICKHOUSE_URL: work.stack.clickhouseUrl,
    CLICKHOUSE_PASSWORD: work.stack.secrets.pipelinePassword,
    CLICKHOUSE_DATABASE: work.database,
    ...{ ALERT_WEBHOOK_URL: webhook.url, ALERT_LATENESS_MS: '0', ALERT_EVERY_MS: '200', LOG_LEVEL: 'info' },
  }
  const args = ['alerts', 'run', '--rules', rules]

  const first = startCli(args, env)
  t.after(() => void first.child.kill('SIGKILL'))
  await waitFor('the webhook to be told', () => Promise.resolve(webhook.told.length > 0))
  assert.ok(webhook.told.every(({ status, alertname }) => status === 'firing' && alertname === 'broad_share_is_low'))
  assert.ok(webhook.told.some(({ product }) => product === 'echo'))
  const toldOnce = distinct(webhook.told)
  first.child.kill('SIGKILL')
  await first.ended

  const second = startCli(args, env)
  t.after(() => void second.child.kill('SIGKILL'))
  await second.said('alerts started')
  await writeFile(rules, rulesText('many'))
  second.child.kill('SIGHUP')
  await second.said('rules refused, the old ones stay in force')
  await writeFile(rules, rulesText('1%'))
  second.child.kill('SIGHUP')
  await second.said('rules taken up')
  const status = await runCli(['alerts', 'status', '--rules', rules, '--format', 'json'], env)
  assert.equal(status.code, 0, status.stderr)
  const [rule] = JSON.parse(status.stdout) as { rule: string; firing: number; lastWindow: string; lagging: boolean }[]
  assert.deepEqual([rule!.firing, rule!.lastWindow, rule!.lagging], [toldOnce, yesterday, false])
  const explained = await runCli(
    ['alerts', 'explain', 'broad_share_is_low', '--at', new Date().toISOString(), '--rules', rules],
    env,
  )
  assert.match(explained.stdout, /echo: inactive\n.*broad_share \d+\.\d\d %, interval/)
  second.child.kill('SIGTERM')
  const ended = await second.ended
  assert.equal(ended.code, 0, ended.stderr)
  // Killed between the answer and its record it tells again, by the same name: no new alert.
  assert.equal(distinct(webhook.told), toldOnce, 'no alert is told of as a new one')
})

test('the watermark is now when all is stored, and the record time of the last batch when it is not', async (t) => {
  const work = await pipelineCase(t, { partitions: 3 })
  const watermark = createWatermark({ ...work, topic: work.topic })
  const now = Date.now()
  assert.equal(await watermark(now), now, 'an empty topic')
  const old = now - 3 * 60_000
  await work.send(
    someValues(5).map((message) => ({ ...message, timestampMs: old })),
    1,
  )
  assert.equal(await watermark(now), 0, 'a partition of which nothing is stored')
  await work.assertDrained([work.startProcess()])
  assert.equal(await watermark(now), now)
  await work.send(
    someValues(5).map((message) => ({ ...message, timestampMs: now })),
    1,
  )
  assert.equal(await watermark(now), old)
})
