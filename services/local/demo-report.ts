import { printAudit } from '../report/audit.ts'
import { printIntents, queryIntents } from '../report/intents.ts'
import { formatNumber, renderTable } from '../shared/io/render.ts'
import { printShare, queryShare, type ShareParameters } from '../report/share.ts'
import { chooseWindow, readFreshness } from '../report/window.ts'
import { assistantIntents } from '../shared/domain/assistant-intents.ts'
import { createClickHouse } from '../shared/io/clickhouse.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { viewsDatabase } from '../shared/io/settings.ts'
import { audit, readAuditedLog } from '../shared/pipeline/audit.ts'
import type { CountedFates } from './demo-fates.ts'
import type { LocalStack } from './stack.ts'

export interface DemoReportOptions {
  readonly stack: LocalStack
  readonly kafkaAdmin: KafkaAdmin
  readonly topic: string
  readonly group: string
  readonly database: string
  readonly counted: CountedFates
  readonly stay: boolean
  readonly out: NodeJS.WritableStream
}

/** Prints the whole report of the demo, read as the analyst; returns whether the audit is clean. */
export async function printDemoReport(options: DemoReportOptions): Promise<boolean> {
  const { stack, database, topic, out } = options
  const say = (text: string) => out.write(`${text}\n`)
  const connect = (user: 'analyst' | 'pipeline') =>
    createClickHouse({ url: stack.clickhouseUrl, user, password: stack.secrets[`${user}Password`] })
  const analyst = connect('analyst')
  const pipeline = connect('pipeline')
  try {
    say(`\n${printFates(options.counted)}`)
    const window = chooseWindow({}, await readFreshness(analyst, database), Date.now())
    const all: Omit<ShareParameters, 'by'> = { product: '', cohort: '', country: '', plans: 'any' }
    for (const by of [['product'], ['product', 'cohort_month']] as const) {
      say(printShare(await queryShare(analyst, database, { window, parameters: { ...all, by } })))
    }
    const parameters = { limit: 3, product: '', country: '', valueClass: '' }
    say(printIntents(await queryIntents(analyst, database, { window, parameters })))
    const report = await audit({
      clickHouse: pipeline,
      database,
      stream: assistantIntents,
      topic,
      log: () => readAuditedLog(options.kafkaAdmin, { topic, group: options.group }),
    })
    say(printAudit(report))
    say(howToGoOn(options, window))
    return report.clean
  } finally {
    await analyst.close()
    await pipeline.close()
  }
}

function printFates(counted: CountedFates): string {
  const table = renderTable(
    [
      { head: 'fate', align: 'left' },
      { head: 'injected', align: 'right' },
      { head: 'found', align: 'right' },
      { head: '', align: 'left' },
    ],
    counted.rows.map(({ fate, injected, found }) => [
      fate,
      injected,
      found,
      injected === found ? 'equal' : `differs by ${formatNumber(found - injected)}`,
    ]),
  )
  return `fates of this run's messages: ${counted.equal ? 'as injected' : 'NOT as injected'}\n\n${table}`
}

function howToGoOn({ stack, database, stay }: DemoReportOptions, window: { from: string; to: string }): string {
  const { clickhouseUrl, kafkaBrokers, secrets, dataDir } = stack
  const sql = `SELECT * FROM ${viewsDatabase(database)}.usage_share(from = '${window.from}', to = '${window.to}', by = 'country', product = 'echo', cohort = '', country = '', plans = 'any') FORMAT PrettyCompact`
  const access = [
    `ClickHouse   ${clickhouseUrl}  user analyst, password ${secrets.analystPassword}`,
    `Kafka        ${kafkaBrokers.join(', ')}`,
    `data, logs   ${dataDir}  (secrets.json holds the passwords and the key of the pseudonyms; keep it)`,
    'as SQL, with any client of ClickHouse:',
    `  curl '${clickhouseUrl}' -u 'analyst:${secrets.analystPassword}' --data-binary "${sql}"`,
  ]
  return stay
    ? `the servers stay until Ctrl-C; in another terminal: npx intent-ledger share --by country\n\n${access.join('\n')}`
    : [
        'how to go on:',
        '  npm start                                   the same, then live traffic until Ctrl-C',
        '  npx intent-ledger stack                     only the servers, on the data of this run',
        '  npx intent-ledger share --by country        a report, while they run (in another terminal)',
        '  SQL to paste, while they run:',
        `  curl '${clickhouseUrl}' -u 'analyst:${secrets.analystPassword}' \\`,
        `    --data-binary "${sql}"`,
      ].join('\n')
}
