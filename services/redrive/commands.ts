import type { Command } from 'commander'

import { rejectionReasons } from '../shared/domain/fate.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { createLogFetcher } from '../shared/io/kafka-fetch.ts'
import { openTransactions } from '../shared/io/kafka-transactions.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import { streamOption } from '../shared/io/flag-kinds.ts'
import { createRateProgress } from '../shared/io/progress.ts'
import { openRegistry } from '../shared/io/schema-registry.ts'
import { readSettings } from '../shared/io/settings.ts'
import { fateSettingsOf, type ChosenStream } from '../shared/io/stream-settings.ts'
import { stopOnSignals } from '../shared/io/stop-signals.ts'
import { loadTaxonomy } from '../shared/io/taxonomy-file.ts'
import { createCandidateSource } from './candidates.ts'
import { parseRedriveFlags, type RedriveFlags } from './flags.ts'
import { printRedrive } from './print.ts'
import { createRedriveRecord } from './record.ts'
import { createRejudge } from './rejudge.ts'
import { redrive, type RedriveParts } from './run.ts'

/** What the command line gives to this verb. */
export interface RedriveContext {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  environment(role: 'pipeline'): NodeJS.ProcessEnv
  clickHouse(role: 'pipeline'): Promise<{ client: ClickHouse; database: string }>
  kafka(stream: string | undefined): Promise<{ kafka: Kafka; admin: KafkaAdmin } & ChosenStream>
}

/** As shells count what Ctrl-C cut short. */
const exitCodeStopped = 130

/** `decorate` is for tests, which stop a run at a step. */
export function registerRedrive(
  program: Command,
  context: RedriveContext,
  decorate: (parts: RedriveParts) => RedriveParts = (parts) => parts,
): void {
  program
    .command('redrive')
    .description('Send rejected messages to the log again once their cause is mended, each at most once')
    .option('--reason <reason>', `of this reason: ${rejectionReasons.join(', ')}`)
    .option('--from <day>', 'first day of the Kafka record, UTC (default: all)')
    .option('--to <day>', 'last day, both included')
    .option(...streamOption)
    .option('--dry-run', 'say what would be sent and what would stay, send nothing')
    .option('--format <format>', 'table or json (default table)')
    .addHelpText(
      'after',
      '\nWhat would be rejected again is not sent. Ctrl-C ends it after the batch that is under way, with exit code 130;' +
        '\nthe same command goes on, also after a kill.\n\nExample:\n  npx intent-ledger redrive --reason unknown_schema --dry-run',
    )
    .action(async (given: unknown) => {
      const flags = parseRedriveFlags(given)
      const { parts, close } = await openParts(context, flags)
      const stop = stopOnSignals()
      const looking = createRateProgress({ stderr: context.stderr, label: 'looking in the log', unit: 'offsets' })
      const sending = createRateProgress({ stderr: context.stderr, label: 'redrive', unit: 'messages' })
      try {
        const report = await redrive(decorate(parts), {
          ...{ dryRun: flags.dryRun, signal: stop.signal, say: (line) => void context.stderr.write(`${line}\n`) },
          ...{ onLook: looking.update, onProgress: sending.update },
        }).finally(() => {
          looking.stop()
          sending.stop()
        })
        context.stdout.write(printRedrive(report, flags, flags.format))
        if (!report.finished) {
          process.exitCode = exitCodeStopped
        }
      } finally {
        stop.release()
        await close()
      }
    })
}

async function openParts(
  context: RedriveContext,
  { reason, from, to, stream: named }: RedriveFlags,
): Promise<{ parts: RedriveParts; close: () => Promise<void> }> {
  const settings = readSettings(context.environment('pipeline'), [
    ...(['EVENT_AGE_MAX_DAYS', 'EVENT_BYTES_MAX', 'TAXONOMY_VERSION'] as const),
    ...(['SCHEMA_REGISTRY_URL', 'SCHEMA_REGISTRY_USER', 'SCHEMA_REGISTRY_PASSWORD'] as const),
  ])
  const registry = openRegistry(settings)
  const taxonomy = loadTaxonomy(settings.TAXONOMY_VERSION)
  const { client: clickHouse, database } = await context.clickHouse('pipeline')
  const { kafka, admin, stream, topic } = await context.kafka(named)
  const fetcher = createLogFetcher(kafka, topic)
  return {
    parts: {
      ...{ topic, admin, fetcher },
      source: createCandidateSource({ clickHouse, database }, { topic, reason, from, to }),
      record: createRedriveRecord({ clickHouse, database }),
      rejudge: createRejudge({
        ...{ stream, taxonomy, registry },
        fates: fateSettingsOf(stream, settings),
      }),
      // The name goes with the record of what was sent: who shares the record must share the name.
      openTransactions: () => openTransactions({ kafka, topic, name: `intent-ledger-redrive-${database}-${topic}` }),
    },
    close: () => fetcher.close(),
  }
}
