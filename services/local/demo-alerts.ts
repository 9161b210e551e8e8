/** `demo:alerts`: half a year of history with known changes, lived through day by day, and what fired against what was planted. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

import { defaultRulesFile } from '../alerts/commands.ts'
import { createDeliveryLedger } from '../alerts/delivery-ledger.ts'
import { createDelivery } from '../alerts/delivery.ts'
import { createAlertEngine } from '../alerts/engine.ts'
import { explain } from '../alerts/explain.ts'
import { readNotices } from '../alerts/notices.ts'
import { printExplanation } from '../alerts/print.ts'
import type { SumsSource } from '../alerts/read-sums.ts'
import { createAlertRecord, type AlertRecord, type RecordedTransition } from '../alerts/record.ts'
import { windowMs, type Rule } from '../alerts/rule.ts'
import { loadRules } from '../alerts/rules-file.ts'
import { isPage } from '../alerts/tick.ts'
import { createWebhookReceiver } from '../alerts/webhook.ts'
import { PipelineError } from '../shared/domain/faults.ts'
import { createClickHouse } from '../shared/io/clickhouse.ts'
import { migrate } from '../shared/io/migrations.ts'
import { renderTable } from '../shared/io/render.ts'
import { fillAlertHistory } from './alert-history.ts'
import type { CliContext } from './context.ts'
import { dropDemoDatabases } from './demo-databases.ts'
import { countPlainPages } from './demo-plain-rule.ts'
import { demoCohorts } from './history-cohorts.ts'
import { describeChanges, type HistoryChange } from './history-changes.ts'
import { startStack } from './stack.ts'

export interface AlertDemoOptions {
  readonly data: string
  readonly households: number
  readonly seed: number
}

const { day: dayMs, hour: hourMs } = windowMs
const firstDay = '2026-01-05'
const days = 182
/** Six weeks of baseline come first. */
const liveFrom = '2026-02-23'
const ruleNames = ['broad_share_falls_in_a_country', 'strict_share_falls_by_product', 'broad_share_creeps_by_product']
const [country, , creeps] = ruleNames as [string, string, string]

const changes: readonly HistoryChange[] = [
  { kind: 'missing', day: '2026-03-26' },
  { kind: 'broad_share', country: 'DE', factor: 0.8, from: '2026-04-14', to: '2026-05-04' },
  { kind: 'drift', product: 'kindle', perDay: -0.004, from: '2026-05-01', to: '2026-07-05' },
  {
    kind: 'mix',
    country: 'US',
    fromProduct: 'echo',
    toProduct: 'fire_tv',
    moved: 0.4,
    from: '2026-05-19',
    to: '2026-07-05',
  },
]
/** The classifier stands still from the morning of the first day to the evening of the second. */
const lag = { fromMs: Date.parse('2026-06-09T06:00Z'), toMs: Date.parse('2026-06-11T18:00Z') }

export async function runAlertDemo(options: AlertDemoOptions, context: CliContext, signal: AbortSignal): Promise<void> {
  const say = (line: string) => context.stderr.write(`${line}\n`)
  const stack = await startStack({ dataDir: options.data, onLog: say })
  const login = { url: stack.clickhouseUrl, user: 'pipeline', password: stack.secrets.pipelinePassword }
  const clickHouse = createClickHouse({ ...login, requestTimeoutMs: 120_000 })
  const webhook = await startReceiver()
  try {
    // A database of its own each time: a history is never mixed with another, nor with events. The last one stays, to be looked at.
    await dropDemoDatabases(stack, databasePrefix)
    const database = `${databasePrefix}${Date.now().toString(36)}`
    await migrate(clickHouse, { database, dedupWindowBlocks: 10_000 })
    const cohorts = demoCohorts(firstDay, options.households)
    say(`making ${days} days of 8 countries with ${options.households} households each in ${database}`)
    await fillAlertHistory(clickHouse, { database, firstDay, days, seed: options.seed, cohorts, changes })
    const source = { clickHouse, database, taxonomyVersion: 1 }
    const deps = { source, record: createAlertRecord(source), rules: loadRules(defaultRulesFile).rules }
    const lived = await live({ ...deps, webhookUrl: webhook.url }, context, signal)
    const outcomes = judgeDemo(lived, webhook.statuses)
    context.stdout.write(
      `\nplanted\n${describeChanges(changes)
        .map((line) => `  ${line}\n`)
        .join('')}`,
    )
    const pages = lived.transitions
      .filter(isPage)
      .map((each) => `  ${dayOf(each)} ${each.rule} ${each.cohort?.join(' ')}\n`)
    context.stdout.write(
      `  classifier: stands still from 9 June 06:00 to 11 June 18:00\n\nevery page\n${pages.join('')}\nwhat became of it\n`,
    )
    context.stdout.write(
      renderTable(
        [
          { head: 'planted', align: 'left' },
          { head: 'expected', align: 'left' },
          { head: 'found', align: 'left' },
          { head: 'ok', align: 'left' },
        ],
        outcomes.map(({ planted, expected, found, ok }) => [planted, expected, found, ok ? 'yes' : 'NO']),
      ),
    )
    const plain = await countPlainPages({ clickHouse, database }, { firstDay: liveFrom, lastDay: lastDayName() })
    context.stdout.write(
      `\na plain rule, the mean of 7 days plus or minus 2 sigma by country, would have paged ${plain} times\n\nwhy the mix did not page:\n`,
    )
    const rule = deps.rules.find(({ name }) => name === country)!
    const told = await explain(rule, Date.parse('2026-05-21'), deps)
    const us = told.cohorts.filter(({ cohort }) => cohort[0] === 'US')
    context.stdout.write(printExplanation({ ...told, cohorts: us }, 'table'))
    const wrong = outcomes.filter(({ ok }) => !ok)
    if (wrong.length > 0) {
      throw new PipelineError(`${wrong.length} of ${outcomes.length} changes were not told as they were planted`, {
        code: 'ledger_disagrees',
      })
    }
  } finally {
    await webhook.close()
    await clickHouse.close()
    await stack.stop()
  }
}

const databasePrefix = 'intent_ledger_demo_alerts_'

const lastDayName = () => new Date(Date.parse(firstDay) + (days - 1) * dayMs).toISOString().slice(0, 10)

/** Lives through the history: a look each day at 02:00, with a webhook that is told. */
async function live(
  deps: { source: SumsSource; record: AlertRecord; rules: readonly Rule[]; webhookUrl: string },
  context: CliContext,
  signal: AbortSignal,
): Promise<Lived> {
  const { source, record } = deps
  const rules = deps.rules.filter(({ name }) => ruleNames.includes(name))
  const engine = createAlertEngine({
    ...{ source, record, log: context.log, latenessMs: hourMs, lagGraceMs: hourMs / 2 },
    watermark: (now) => Promise.resolve(now >= lag.fromMs && now < lag.toMs ? lag.fromMs : now),
  })
  let nowMs = 0
  let pagesWhileStill = 0
  const delivery = createDelivery({
    receivers: [createWebhookReceiver({ url: deps.webhookUrl, timeoutMs: 5_000 })],
    ledger: createDeliveryLedger(source),
    ...{ nowMs: () => nowMs, resendMs: 60_000, log: context.log },
  })
  const names = new Set(rules.map(({ name }) => name))
  const endMs = Date.parse(firstDay) + days * dayMs
  const fromMs = Date.parse(liveFrom)
  for (nowMs = fromMs + dayMs + 2 * hourMs; nowMs <= endMs + 2 * hourMs && !signal.aborted; nowMs += dayMs) {
    const { ticks } = await engine.advance(rules, nowMs)
    const pages = ticks.flatMap(({ transitions }) => transitions.filter(({ to }) => to === 'firing'))
    pagesWhileStill += pages.filter(({ windowEndMs }) => nowMs < lag.toMs && windowEndMs > lag.fromMs).length
    await delivery.deliver(await readNotices(source, names, nowMs))
    context.stderr.write(`\rliving through it: ${new Date(nowMs).toISOString().slice(0, 10)}`)
  }
  context.stderr.write('\n')
  return { transitions: await record.transitions({ fromMs, toMs: endMs }), pagesWhileStill }
}

interface Lived {
  readonly transitions: readonly RecordedTransition[]
  /** Pages for windows that the classifier had not finished, while it stood still. */
  readonly pagesWhileStill: number
}

interface Outcome {
  readonly planted: string
  readonly expected: string
  readonly found: string
  readonly ok: boolean
}

function judgeDemo({ transitions: lived, pagesWhileStill }: Lived, told: readonly string[]): Outcome[] {
  const firings = (rule: string, cohort: string) =>
    lived.filter((each) => each.rule === rule && each.cohort?.[0] === cohort && each.to === 'firing').map(dayOf)
  const pages = lived.filter(isPage)
  const drop = firings(country, 'DE').filter((day) => day >= '2026-04-14' && day <= '2026-05-04')
  const us = firings(country, 'US')
  const missing = lived.filter(
    ({ to, windowStartMs }) => to === 'insufficient_data' && windowStartMs === Date.parse('2026-03-26'),
  )
  const lagging = lived.filter(({ to }) => to === 'lagging')
  const kindle = firings(creeps, 'kindle').filter((day) => day >= '2026-05-01')
  // DE is an eighth of every product, so its fall is 2.5 % of each: the creep charts see that, too, and its end.
  const isPlanted = (each: RecordedTransition) =>
    (each.rule === country && each.cohort?.[0] === 'DE') || (each.rule === creeps && dayOf(each) >= '2026-04-14')
  const falsePages = pages.filter((each) => !isPlanted(each))
  return [
    {
      ...{ planted: 'DE falls by 20 % on 14 April', expected: 'pages by 15 April' },
      found: drop.length === 0 ? 'no page' : `page on ${drop[0]}`,
      ok: drop[0] === '2026-04-15',
    },
    {
      ...{ planted: 'US: mix shift from 19 May', expected: 'no page' },
      found: us.length === 0 ? 'no page' : `page on ${us[0]}`,
      ok: us.length === 0,
    },
    {
      ...{ planted: 'no data on 26 March', expected: '8 countries not known' },
      found: `${missing.filter(({ rule }) => rule === country).length} countries not known`,
      ok: missing.filter(({ rule }) => rule === country).length === 8,
    },
    {
      ...{ planted: 'classifier still, 9 to 11 June', expected: 'the daily rules lag' },
      found: `${lagging.length} rules lag, ${pagesWhileStill} pages`,
      ok:
        lagging.length >= 2 &&
        pagesWhileStill === 0 &&
        lagging.every(({ windowStartMs }) => windowStartMs === lag.fromMs - 6 * hourMs),
    },
    {
      ...{ planted: 'kindle: -0.4 % a day from 1 May', expected: 'pages in May or June' },
      found: kindle.length === 0 ? 'no page' : `page on ${kindle[0]}`,
      ok: kindle.length > 0,
    },
    {
      ...{ planted: 'nothing else', expected: 'at most 2 pages' },
      found: `${falsePages.length} pages${falsePages.map((each) => `, ${dayOf(each)} ${each.rule} ${each.cohort?.join(' ')}`).join('')}`,
      ok: falsePages.length <= 2,
    },
    {
      ...{ planted: 'each page', expected: 'told once' },
      found: `${told.filter((status) => status === 'firing').length} firings told of ${pages.length}`,
      ok: told.filter((status) => status === 'firing').length === pages.length,
    },
  ]
}

function dayOf({ windowStartMs }: { windowStartMs: number }): string {
  return new Date(windowStartMs).toISOString().slice(0, 10)
}

/** A webhook as a team would have one: takes what it is told and keeps the status of each alert. */
async function startReceiver() {
  const statuses: string[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      statuses.push(...(body as { alerts: { status: string }[] }).alerts.map(({ status }) => status))
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    statuses,
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
