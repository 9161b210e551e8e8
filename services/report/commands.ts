import type { Command } from 'commander'

import { mistake } from '../shared/domain/faults.ts'
import { readAuditedSamples } from '../shared/io/audited-samples.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { confirm } from '../shared/io/confirm.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import { openRegistry } from '../shared/io/schema-registry.ts'
import { readSettings } from '../shared/io/settings.ts'
import { fateSettingsOf, type ChosenStream } from '../shared/io/stream-settings.ts'
import { loadTaxonomy } from '../shared/io/taxonomy-file.ts'
import { audit, readAuditedLog } from '../shared/pipeline/audit.ts'
import { repair, type RepairDeps } from '../shared/pipeline/repair.ts'
import { createStore } from '../shared/pipeline/store.ts'
import { printAudit, printRepair } from './audit.ts'
import { registerExport } from './export-command.ts'
import { shareDimensions, streamOption } from '../shared/io/flag-kinds.ts'
import { parseAuditFlags, parseIntentFlags, parseRejectedFlags, parseRepairFlags, parseShareFlags } from './flags.ts'
import { printIntents, queryIntents } from './intents.ts'
import { printRejected, queryRejected } from './rejected.ts'
import { printShare, queryShare } from './share.ts'
import { chooseWindow, readFreshness } from './window.ts'

/** What the command line gives to the report verbs. */
export interface ReportContext {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly log: Logger
  clickHouse(role: 'analyst' | 'pipeline' | 'steward'): Promise<{ client: ClickHouse; database: string }>
  kafka(stream: string | undefined): Promise<{ kafka: Kafka; admin: KafkaAdmin } & ChosenStream>
}

export function registerReports(program: Command, context: ReportContext): void {
  registerShare(program, context)
  registerIntents(program, context)
  registerRejected(program, context)
  registerExport(program, context)
  registerAudit(program, context)
  registerRepair(program, context)
}

const windowHelp = 'UTC (default: the last 28 whole days with data)'
const formatHelp = 'table, json or csv (default table)'

function registerShare(program: Command, context: ReportContext): void {
  program
    .command('share')
    .description('The share of requests that is monetised, strict and broad, with its 95 % interval')
    .option('--from <day>', `first day, ${windowHelp}`)
    .option('--to <day>', 'last day, both included')
    .option('--by <dimensions>', `comma list of ${shareDimensions.join(', ')}; or none (default product)`)
    .option('--product <product>', 'only this product')
    .option('--cohort <month>', 'only devices activated in this month, e.g. 2026-03')
    .option('--country <country>', 'only this country')
    .option('--plans <plans>', 'only households with exactly these plans, e.g. music,prime; none; any (default)')
    .option('--format <format>', formatHelp)
    .addHelpText(
      'after',
      '\nExample:\n  npx intent-ledger share --by product,cohort_month --from 2026-03-01 --to 2026-03-28',
    )
    .action(async (given: unknown) => {
      const { from, to, format, ...parameters } = parseShareFlags(given)
      const { client, database } = await context.clickHouse('analyst')
      const window = chooseWindow({ from, to }, await readFreshness(client, database), Date.now())
      const report = await queryShare(client, database, { window, parameters })
      context.stdout.write(printShare(report, format, await readAuditedSamples(client, database)))
    })
}

function registerIntents(program: Command, context: ReportContext): void {
  program
    .command('intents')
    .description('The most frequent intents of each value class')
    .option('--from <day>', `first day, ${windowHelp}`)
    .option('--to <day>', 'last day, both included')
    .option('--limit <n>', 'intents of each class (default 5)')
    .option('--product <product>', 'only this product')
    .option('--country <country>', 'only this country')
    .option('--class <class>', 'only this value class, e.g. direct')
    .option('--format <format>', formatHelp)
    .addHelpText('after', '\nExample:\n  npx intent-ledger intents --product echo --limit 10')
    .action(async (given: unknown) => {
      const { from, to, format, class: valueClass = '', ...rest } = parseIntentFlags(given)
      const { client, database } = await context.clickHouse('analyst')
      const window = chooseWindow({ from, to }, await readFreshness(client, database), Date.now())
      const parameters = { ...rest, valueClass }
      context.stdout.write(printIntents(await queryIntents(client, database, { window, parameters }), format))
    })
}

function registerRejected(program: Command, context: ReportContext): void {
  program
    .command('rejected')
    .description('Messages that are no events: counts by reason and detail, or single ones')
    .option('--list <n>', 'list so many messages, the newest first, with their first bytes')
    .option('--reason <reason>', 'only this reason, e.g. malformed')
    .option('--from <day>', 'first day of the Kafka record, UTC')
    .option('--to <day>', 'last day, both included')
    .option('--format <format>', formatHelp)
    .addHelpText('after', '\nExample:\n  npx intent-ledger rejected --reason field_invalid --list 20')
    .action(async (given: unknown) => {
      const { from, to, reason, list, format } = parseRejectedFlags(given)
      const { client, database } = await context.clickHouse('pipeline')
      const report = await queryRejected(client, database, { from, to, reason, list })
      context.stdout.write(printRejected(report, format))
    })
}

function registerAudit(program: Command, context: ReportContext): void {
  program
    .command('audit')
    .description('Prove that every offset of the log is accounted for exactly once, and that every roll-up equals raw')
    .option(...streamOption)
    .option('--format <format>', formatHelp)
    .addHelpText(
      'after',
      '\nSafe beside running classifiers. Exit code 1: something does not add up.' +
        '\n\nExample:\n  npx intent-ledger audit',
    )
    .action(async (given: unknown) => {
      const { stream: named, format } = parseAuditFlags(given)
      const { client, database } = await context.clickHouse('pipeline')
      const { admin, stream, topic, group } = await context.kafka(named)
      const report = await audit({
        ...{ clickHouse: client, database, stream, topic },
        log: () => readAuditedLog(admin, { topic, group }),
      })
      context.stdout.write(printAudit(report, format))
      if (!report.clean) {
        process.exitCode = 1
      }
    })
}

function registerRepair(program: Command, context: ReportContext): void {
  program
    .command('repair')
    .description('Mend what audit found: rows from the log, roll-ups from raw; with the classifiers stopped')
    .option(...streamOption)
    .option('--dry-run', 'say what would be done, change nothing')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nRuns as user steward. Exit code 1: something is still wrong afterwards.' +
        '\n\nExamples:\n  npx intent-ledger repair --dry-run\n  npx intent-ledger repair --yes',
    )
    .action(async (given: unknown) => {
      const { stream, dryRun, yes } = parseRepairFlags(given)
      if (!dryRun && !yes && !process.stdin.isTTY) {
        throw mistake(
          'repair changes tables and there is no terminal to ask on: add --yes, or --dry-run to see what it would do',
        )
      }
      const deps = await repairDeps(context, stream)
      if (!yes) {
        const planned = await repair(deps, { dryRun: true })
        context.stdout.write(printRepair(planned))
        if (
          dryRun ||
          planned.before.clean ||
          !(await confirm(context.stderr, `do these ${planned.steps.length} steps?`))
        ) {
          process.exitCode = planned.before.clean ? 0 : 1
          return
        }
      }
      const report = await repair({ ...deps, onStep: (step) => context.stderr.write(`${step}\n`) }, { dryRun: false })
      context.stdout.write(printRepair(report))
      if (report.after?.clean !== true) {
        process.exitCode = 1
      }
    })
}

async function repairDeps(context: ReportContext, named: string | undefined): Promise<RepairDeps> {
  const settings = readSettings(context.env, [
    ...(['DUPLICATE_WINDOW_OFFSETS', 'EVENT_AGE_MAX_DAYS', 'EVENT_BYTES_MAX', 'TAXONOMY_VERSION'] as const),
    ...(['SCHEMA_REGISTRY_URL', 'SCHEMA_REGISTRY_USER', 'SCHEMA_REGISTRY_PASSWORD'] as const),
  ])
  const registry = openRegistry(settings)
  const { client, database } = await context.clickHouse('steward')
  const { kafka, admin, stream, topic, group } = await context.kafka(named)
  return {
    ...{ stream, topic, group, kafka, admin, log: context.log },
    store: createStore({ clickHouse: client, database, stream }),
    fates: fateSettingsOf(stream, settings),
    taxonomy: loadTaxonomy(settings.TAXONOMY_VERSION),
    taxonomyOf: (version) => loadTaxonomy(version),
    schema: (id) => registry.schema(id),
    onStep: () => undefined,
  }
}
