import type { Command } from 'commander'

import { assistantIntents } from '../shared/domain/assistant-intents.ts'
import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { alertVariables } from '../shared/io/alert-settings.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { createLogger, type Logger } from '../shared/io/log.ts'
import { readTableOrJson } from '../shared/io/render.ts'
import { readSettings, type Settings, type VariableName } from '../shared/io/settings.ts'
import { createAlertmanagerReceiver } from './alertmanager.ts'
import { backtest } from './backtest.ts'
import { createDeliveryLedger } from './delivery-ledger.ts'
import { createDelivery } from './delivery.ts'
import { createAlertEngine } from './engine.ts'
import { explain } from './explain.ts'
import { readNotices } from './notices.ts'
import type { Receiver } from './notice.ts'
import { printBacktest, printExplanation, printStatus } from './print.ts'
import { createAlertRecord } from './record.ts'
import { windowMs, type Rule } from './rule.ts'
import { loadRules } from './rules-file.ts'
import { createRuleSource, runAlerts } from './run.ts'
import { alertStatus } from './status.ts'
import { createWatermark } from './watermark.ts'
import { createWebhookReceiver } from './webhook.ts'

/** What the command line gives to the verbs that need servers. */
export interface AlertContext {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly log: Logger
  environment(role: 'pipeline'): NodeJS.ProcessEnv
  clickHouse(role: 'pipeline'): Promise<{ client: ClickHouse; database: string }>
  kafka(stream: string): Promise<{ admin: KafkaAdmin; topic: string }>
}

const formatFlag = ['--format <format>', 'table or json', 'table'] as const
const requestTimeoutMs = 10_000
const settingsNames = [
  ...(Object.keys(alertVariables) as (keyof typeof alertVariables)[]),
  ...(['TAXONOMY_VERSION', 'LOG_LEVEL', 'LOG_FORMAT'] as const),
] as const satisfies readonly VariableName[]

/** Verbs that need servers. `defaultRules` is the file that ships. */
export function registerLiveAlerts(alerts: Command, context: AlertContext, defaultRules: string): void {
  const rulesFlag = ['--rules <file>', 'file of rules', defaultRules] as const
  const rulesOf = (given: { rules: string }) => loadRules(given.rules).rules
  const open = async () => {
    const settings = readSettings(context.environment('pipeline'), settingsNames)
    const { client, database } = await context.clickHouse('pipeline')
    const source = { clickHouse: client, database, taxonomyVersion: settings.TAXONOMY_VERSION }
    return { settings, ...source, source, record: createAlertRecord(source) }
  }

  alerts
    .command('run')
    .description('Judge every window as it becomes complete, record every change, and tell Alertmanager and a webhook')
    .option(...rulesFlag)
    .addHelpText(
      'after',
      '\nSIGHUP takes up an edited rule file, or refuses it and goes on with the old one. ALERT_MANAGER_URL and ALERT_WEBHOOK_URL' +
        '\nsay where alerts go; without them they are only recorded (`alerts status`).\n\nExample:\n  npx intent-ledger alerts run',
    )
    .action(async (given: { rules: string }) => {
      const { settings, source, record, clickHouse, database } = await open()
      const log = createLogger({
        service: 'alerts',
        level: settings.LOG_LEVEL,
        pretty: settings.LOG_FORMAT === 'pretty',
      })
      const { admin, topic } = await context.kafka(assistantIntents.name)
      const rules = createRuleSource(() => rulesOf(given), log)
      const stop = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => stop.abort())
      }
      process.on('SIGHUP', () => rules.reload())
      const engine = createAlertEngine({
        ...{ source, record, log, watermark: createWatermark({ admin, clickHouse, database, topic }) },
        ...{ latenessMs: settings.ALERT_LATENESS_MS, lagGraceMs: settings.ALERT_LAG_GRACE_MS },
      })
      const receivers = receiversOf(settings)
      const ledger = createDeliveryLedger({ clickHouse, database })
      const delivery = createDelivery({ receivers, ledger, nowMs: Date.now, resendMs: settings.ALERT_RESEND_MS, log })
      log.info({ rules: rules.rules.length, receivers: receivers.map(({ name }) => name) }, 'alerts started')
      await runAlerts(
        rules,
        {
          ...{ engine, delivery, everyMs: settings.ALERT_EVERY_MS, now: Date.now, log },
          notices: (names, nowMs) => readNotices({ clickHouse, database }, names, nowMs),
        },
        stop.signal,
      )
      log.info('alerts stopped')
    })

  alerts
    .command('backtest')
    .description('How the rules would have behaved: a timeline of their changes, and a table')
    .requiredOption('--from <day>', 'first day, UTC')
    .requiredOption('--to <day>', 'last day, included')
    .option('--rule <name>', 'only this rule')
    .option(...rulesFlag)
    .option(...formatFlag)
    .addHelpText('after', '\nExample:\n  npx intent-ledger alerts backtest --from 2026-01-01 --to 2026-06-30')
    .action(async (given: { from: string; to: string; rule?: string; rules: string; format: string }) => {
      const format = readTableOrJson(given.format)
      const rules = chosen(rulesOf(given), given.rule)
      const [fromMs, lastMs] = [readDay('--from', given.from), readDay('--to', given.to)]
      if (fromMs > lastMs) {
        throw mistake('--from is a day after --to; swap them')
      }
      const { source, record } = await open()
      const onProgress = (done: number, total: number) => {
        context.stderr.write(`\rbacktest: ${Math.round((done / total) * 100)} %`)
      }
      const result = await backtest(rules, { fromMs, toMs: lastMs + windowMs.day }, { source, record, onProgress })
      context.stderr.write('\r')
      context.stdout.write(printBacktest(result, rules, format))
    })

  alerts
    .command('explain')
    .description('The numbers of one rule in one window, cohort by cohort, and why it fired or not')
    .argument('<rule>', 'name of a rule')
    .requiredOption('--at <time>', 'a time: the last window that had ended then, e.g. 2026-03-02 or 2026-03-02T14:00Z')
    .option(...rulesFlag)
    .option(...formatFlag)
    .addHelpText(
      'after',
      '\nExample:\n  npx intent-ledger alerts explain broad_share_falls_in_a_country --at 2026-03-02',
    )
    .action(async (name: string, given: { at: string; rules: string; format: string }) => {
      const format = readTableOrJson(given.format)
      const [rule] = chosen(rulesOf(given), name)
      const atMs = readTime(given.at)
      context.stdout.write(printExplanation(await explain(rule!, atMs, await open()), format))
    })

  alerts
    .command('status')
    .description('Where each rule stands: its last window, what fires, what is not known, what came late')
    .option(...rulesFlag)
    .option(...formatFlag)
    .addHelpText('after', '\nExample:\n  npx intent-ledger alerts status --format json')
    .action(async (given: { rules: string; format: string }) => {
      const format = readTableOrJson(given.format)
      const rules = rulesOf(given)
      context.stdout.write(printStatus(await alertStatus(rules, await open()), format))
    })
}

function receiversOf(settings: Settings<(typeof settingsNames)[number]>): Receiver[] {
  const login = (user: string | undefined, password: string | undefined) => ({
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    timeoutMs: requestTimeoutMs,
  })
  const { ALERT_MANAGER_URL: manager, ALERT_WEBHOOK_URL: webhook } = settings
  return [
    ...(manager === undefined
      ? []
      : [
          createAlertmanagerReceiver({
            ...{ url: manager, resendMs: settings.ALERT_RESEND_MS },
            ...login(settings.ALERT_MANAGER_USER, settings.ALERT_MANAGER_PASSWORD),
          }),
        ]),
    ...(webhook === undefined
      ? []
      : [
          createWebhookReceiver({
            url: webhook,
            ...login(settings.ALERT_WEBHOOK_USER, settings.ALERT_WEBHOOK_PASSWORD),
          }),
        ]),
  ]
}

function chosen(rules: readonly Rule[], name: string | undefined): readonly Rule[] {
  const found = rules.filter((rule) => name === undefined || rule.name === name)
  if (found.length === 0) {
    throw mistake(`there is no rule ${name}; the file has ${rules.map((rule) => rule.name).join(', ')}`)
  }
  return found
}

/** UTC, with or without its Z. Date.parse alone finds a date in almost any text. */
function readTime(given: string): number {
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z?)?$/.test(given)
  const ms = isTime ? Date.parse(given.includes('T') && !given.endsWith('Z') ? `${given}Z` : given) : NaN
  if (Number.isNaN(ms)) {
    throw mistake(`--at ${given} is no time; give a day as 2026-03-02 or a time as 2026-03-02T14:00Z`)
  }
  return ms
}

function readDay(flag: string, given: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(given) ? Date.parse(given) : NaN
  if (Number.isNaN(ms)) {
    throw mistake(`${flag} ${given} is no day; give it as 2026-03-02`)
  }
  return ms
}
