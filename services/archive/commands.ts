import type { Command } from 'commander'

import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { streamOption } from '../shared/io/flag-kinds.ts'
import { createLogFetcher } from '../shared/io/kafka-fetch.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import { createRateProgress } from '../shared/io/progress.ts'
import { openRegistry } from '../shared/io/schema-registry.ts'
import { readSettings } from '../shared/io/settings.ts'
import { stopOnSignals } from '../shared/io/stop-signals.ts'
import { parseRunFlags, parseVerifyFlags } from './flags.ts'
import { printRun, printVerify } from './print.ts'
import { runArchive } from './run.ts'
import { verifyArchive } from './verify.ts'

/** What the command line gives to the archive's verbs. */
export interface ArchiveContext {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly log: Logger
  environment(role: 'pipeline'): NodeJS.ProcessEnv
  kafka(stream: string | undefined): Promise<{ kafka: Kafka; admin: KafkaAdmin; topic: string }>
}

export function registerArchive(program: Command, context: ArchiveContext): void {
  const archive = program
    .command('archive')
    .description('The log as Avro files that outlive the retention of Kafka')
    .addHelpText('after', '\nExample:\n  npx intent-ledger archive run log-archive')
  registerRun(archive, context)
  registerVerify(archive, context)
}

function registerRun(archive: Command, context: ArchiveContext): void {
  archive
    .command('run')
    .description('Write the log to files, each offset once; the same command goes on where the last one ended')
    .argument('<dir>', 'folder of the archive, made when it is absent')
    .option(
      '--from <place>',
      'where it begins: a record time as 2026-03-02T14:00Z, or 0:1000,1:2000 (default: the start)',
    )
    .option('--to <place>', 'where it ends, not included: a record time or offsets (default: what is there now)')
    .option(...streamOption)
    .option('--follow', 'go on with what is sent, until Ctrl-C')
    .option('--range-messages <n>', 'messages of one range of files at most (default 1000000)')
    .option('--range-mb <n>', 'megabytes of one range before they are packed (default 256)')
    .option('--range-seconds <n>', 'with --follow: seconds until a range is put in place (default 300)')
    .option('--format <format>', 'table or json (default table)')
    .addHelpText(
      'after',
      '\nExit code 1: stopped before the end, or a fault; run it again.' +
        '\n\nExamples:\n  npx intent-ledger archive run log-archive\n  npx intent-ledger archive run log-archive --follow',
    )
    .action(async (dir: string, given: unknown) => {
      const flags = parseRunFlags(dir, given)
      const settings = readSettings(context.environment('pipeline'), [
        ...(['OUTAGE_MAX_MS', 'SCHEMA_REGISTRY_URL', 'SCHEMA_REGISTRY_USER', 'SCHEMA_REGISTRY_PASSWORD'] as const),
      ])
      const registry = openRegistry(settings)
      const { kafka, admin, topic } = await context.kafka(flags.stream)
      const fetcher = createLogFetcher(kafka, topic)
      const stop = stopOnSignals()
      const say = (line: string) => void context.stderr.write(`${line}\n`)
      const progress = createRateProgress({ stderr: context.stderr, label: 'archive', unit: 'offsets' })
      try {
        const report = await runArchive({
          ...flags,
          ...{ dir, topic, registry, say, signal: stop.signal, kafka: { admin, fetcher } },
          outages: {
            ...{ outageMaxMs: settings.OUTAGE_MAX_MS, heartbeatIntervalMs: 0, log: context.log },
            onAway: (doing, fault) => say(`${doing}: ${fault.message}; trying again`),
            onOver: () => undefined,
          },
          onProgress: progress.update,
        })
        progress.stop()
        context.stdout.write(printRun(report, dir, flags.format))
        if (!report.finished) {
          process.exitCode = 1
        }
      } finally {
        progress.stop()
        stop.release()
        await fetcher.close()
      }
    })
}

function registerVerify(archive: Command, context: ArchiveContext): void {
  archive
    .command('verify')
    .description('Prove that an archive is whole: every file, every message, every range')
    .argument('<dir>', 'folder of the archive')
    .option('--format <format>', 'table or json (default table)')
    .addHelpText(
      'after',
      '\nNeeds no server. Exit code 1: something is missing or not as it was written.' +
        '\n\nExample:\n  npx intent-ledger archive verify log-archive',
    )
    .action(async (dir: string, given: unknown) => {
      const { format } = parseVerifyFlags(dir, given)
      const progress = createRateProgress({ stderr: context.stderr, label: 'archive', unit: 'ranges' })
      try {
        const report = await verifyArchive(dir, {
          onProgress: progress.update,
        })
        progress.stop()
        context.stdout.write(printVerify(report, format))
        if (report.faults.length > 0) {
          process.exitCode = 1
        }
      } finally {
        progress.stop()
      }
    })
}
