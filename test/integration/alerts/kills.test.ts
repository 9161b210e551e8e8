/** `alerts run` killed at random while it catches up: every transition is recorded once, and every alert is told by one name. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { backtest } from '../../../services/alerts/backtest.ts'
import { createAlertRecord } from '../../../services/alerts/record.ts'
import { identityOf } from '../../../services/alerts/rule-identity.ts'
import { parseRules } from '../../../services/alerts/rules-file.ts'
import { startAlertEndpoint } from '../../support/alert-endpoint.ts'
import { startCli } from '../../support/cli.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { createRandom } from '../../support/random-usage.ts'
import { viewsCase, type UsageRow } from '../../support/views-case.ts'
import { waitFor } from '../../support/wait-for.ts'

const dayMs = 86_400_000
const seed = 20_268
const kills = 6

/** Two countries; the broad share of one falls by a third for three days, and comes back. */
function usage(day: number, falls: boolean): UsageRow[] {
  const random = createRandom(seed + day / dayMs)
  return ['DE', 'US'].flatMap((country, place) =>
    Array.from({ length: 64 }, (_, bucket) => {
      const requests = 200 + Math.floor(random() * 100)
      const broad = Math.round(requests * 0.3 * (country === 'US' && falls ? 0.66 : 1) * (0.95 + 0.1 * random()))
      const shared = {
        ...{ day: new Date(day).toISOString().slice(0, 10), cohort_month: '2025-12-01', country, plans: '' },
        ...{ taxonomy_version: 1, product: 'echo', bucket },
        household_ids: Array.from({ length: 20 }, (_, index) => place * 10_000 + bucket * 20 + index),
      }
      return [
        { ...shared, value_class: 'assisted', requests: broad },
        { ...shared, value_class: 'free', requests: requests - broad },
      ]
    }).flat(),
  )
}

const names = Array.from({ length: 12 }, (_, index) => `falls_${index}`)
const rulesText = `version: 1
rules:
${names.map((name) => `  - { name: ${name}, measure: broad_share, by: [country], condition: { drops: 10% }, mix: none }`).join('\n')}
`

test('killed at random while it catches up, it records each transition once and tells each alert by one name', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const [log, work] = [await pipelineCase(t, { partitions: 1 }), await viewsCase(t)]
  const today = Math.floor(Date.now() / dayMs) * dayMs
  const fellOn = today - 6 * dayMs
  for (let day = today - 70 * dayMs; day < today; day += dayMs) {
    await work.insertUsage(usage(day, day >= fellOn && day < fellOn + 3 * dayMs))
  }
  const { pipeline: clickHouse, database } = work
  const source = { clickHouse, database, taxonomyVersion: 1 }
  const record = createAlertRecord(source)
  const { rules } = parseRules(rulesText, 'rules.yaml')
  // Each rule stands where it stood three weeks ago.
  const begins = today - 21 * dayMs
  for (const rule of rules) {
    const position = { windowStartMs: begins, latestStartMs: begins, states: new Map(), identity: identityOf(rule) }
    await record.keepBeginning(rule, position, begins + dayMs)
  }

  const webhook = await startAlertEndpoint(t)
  const file = join(folder, 'rules.yaml')
  await writeFile(file, rulesText)
  const env = {
    KAFKA_BROKERS: work.stack.kafkaBrokers.join(','),
    KAFKA_TOPIC: log.topic,
    KAFKA_GROUP: log.group,
    CLICKHOUSE_URL: work.stack.clickhouseUrl,
    CLICKHOUSE_PASSWORD: work.stack.secrets.pipelinePassword,
    CLICKHOUSE_DATABASE: database,
    ...{ ALERT_WEBHOOK_URL: webhook.url, ALERT_LATENESS_MS: '0', ALERT_EVERY_MS: '100', LOG_LEVEL: 'info' },
  }
  const start = () => {
    const running = startCli(['alerts', 'run', '--rules', file], env)
    t.after(() => void running.child.kill('SIGKILL'))
    return running
  }
  const random = createRandom(seed)
  const reached: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    const running = start()
    // In the midst of the windows, at any step of one.
    await running.said('window judged')
    await sleep(random() * 200)
    running.child.kill('SIGKILL')
    await running.ended
    const ticks = await record.lastTicks()
    reached.push(Math.max(...[...ticks.values()].map(({ windowStartMs }) => (windowStartMs - begins) / dayMs)))
  }
  assert.ok(reached[0]! < 20 && reached.at(-1)! > reached[0]!, `days judged after each kill: ${reached.join(' ')}`)
  t.diagnostic(`seed ${seed}: days judged after each kill ${reached.join(' ')}`)
  const last = start()
  const told = () =>
    webhook.requests.flatMap(({ body }) =>
      (body as { alerts: { status: string; labels: Record<string, string>; startsAt: string }[] }).alerts.map(
        ({ status, labels, startsAt }) => `${labels['alertname']} ${labels['country']} ${status} ${startsAt}`,
      ),
    )
  await waitFor('every alert to be told as resolved', () => new Set(told()).size >= 2 * names.length)
  last.child.kill('SIGTERM')
  assert.equal((await last.ended).code, 0)

  const range = { fromMs: begins + dayMs, toMs: today }
  const recorded = await record.transitions(range)
  const expected = await backtest(rules, range, { source, record })
  const shown = (
    transitions: readonly { rule: string; cohort: readonly string[] | null; to: string; windowStartMs: number }[],
  ) =>
    transitions.map(({ rule, cohort, to, windowStartMs }) => `${windowStartMs} ${rule} ${cohort?.join()} ${to}`).sort()
  assert.deepEqual(shown(recorded), shown(expected.transitions))
  const firing = recorded.filter(({ to, cohort }) => to === 'firing' && cohort?.[0] === 'US')
  assert.deepEqual(new Set(firing.map(({ rule }) => rule)), new Set(names))
  assert.ok(firing.every(({ windowStartMs }) => windowStartMs === fellOn))
  assert.deepEqual(
    [...new Set(told())].sort(),
    recorded
      .filter(({ to }) => to === 'firing' || to === 'resolved')
      .map(({ rule, to, startsAtMs }) => `${rule} US ${to} ${new Date(startsAtMs!).toISOString()}`)
      .sort(),
    'nothing is told that was not recorded, and nothing is left out',
  )
})
