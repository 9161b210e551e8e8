import Table from 'cli-table3'
import type { Command } from 'commander'

import { rejectionReasons, type RejectionReason } from '../shared/domain/fate.ts'
import { createLogProducer } from '../shared/io/kafka-producer.ts'
import { createKafka, type KafkaSettings } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import { createProgress } from '../shared/io/progress.ts'
import { stopOnSignals } from '../shared/io/stop-signals.ts'
import { loadMapping } from './csv-mapping.ts'
import { registerSimulateEcosystem } from './ecosystem/command.ts'
import { importEvents, type ImportSummary } from './import-events.ts'
import { parseImportFlags } from './import-options.ts'
import { createRejectsFile } from './rejects-file.ts'
import { simulate, type SimulationSummary } from './simulate.ts'
import { parseSimulationFlags } from './simulation-options.ts'
import { loadEncoders } from './writer-schemas.ts'

/** What the command line gives to the producer's verbs. */
export interface ProducerContext {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly log: Logger
  endpoints(): Promise<{
    kafka: KafkaSettings
    topic: string
    topicOf: (stream: string) => string
    householdKey: Buffer
  }>
}

export function registerProducer(program: Command, context: ProducerContext): void {
  registerSimulate(program, context)
  registerSimulateEcosystem(program, context)
  registerImport(program, context)
}

function registerSimulate(program: Command, context: ProducerContext): void {
  program
    .command('simulate')
    .description('Send the requests of a simulated population, with known truth, to the log')
    .option('--events <n>', 'events to send; households follow from it')
    .option('--households <n>', 'households; their events follow from it (default 2000)')
    .option('--days <n>', 'days of history (default 14)')
    .option('--until <day>', 'last day, UTC, e.g. 2026-03-31 (default yesterday)')
    .option('--rate <n>', 'live mode: events per second, happening now, until Ctrl-C or --events (default 0: history)')
    .option('--seed <n>', 'same seed and --until, same bytes (default: drawn and printed)')
    .option('--duplicates <share>', 'share of events sent twice, e.g. 0.01 (default 0)')
    .option('--malformed <share>', 'share of events spoiled in known ways, e.g. 0.005 (default 0)')
    .option('--schema-version <version>', '1, 2 or mixed (default 2)')
    .option('--format <format>', 'table or json (default table)')
    .addHelpText(
      'after',
      '\nExample:\n  npx intent-ledger simulate --events 300000 --days 14 --duplicates 0.01 --malformed 0.005',
    )
    .action(async (given: Record<string, string>) => {
      const options = parseSimulationFlags(given, Date.now())
      const { kafka, topic, householdKey } = await context.endpoints()
      const producer = await createLogProducer({ kafka: createKafka(kafka, context.log), topic })
      const stop = stopOnSignals()
      try {
        const startedMs = performance.now()
        const live = options.ratePerSecond > 0
        const total = live ? options.liveEventsMax : undefined
        let progress: ReturnType<typeof createProgress> | undefined
        const summary = await simulate(options, {
          producer,
          householdKey,
          signal: stop.signal,
          onStart(traffic) {
            context.stderr.write(
              `simulating ${traffic.households} households with ${traffic.devices} devices, seed ${options.seed}\n`,
            )
            progress = createProgress({
              stderr: context.stderr,
              label: live ? 'live' : 'simulate',
              total: total ?? Math.round(traffic.events * (1 + options.duplicatesShare)),
              format: (messages) => `${messages} messages`,
            })
          },
          onProgress({ sent }) {
            progress?.update(sent, `${Math.round((sent / (performance.now() - startedMs)) * 1_000)} messages/s`)
          },
        }).finally(() => progress?.stop())
        context.stdout.write(renderSimulation(summary, options.format))
      } finally {
        stop.release()
        await producer.disconnect()
      }
    })
}

/** The exit code of an import that left bad lines behind. */
const exitCodeBadLines = 2
/** And of one that Ctrl-C cut short, as shells count it. */
const exitCodeInterrupted = 130

function registerImport(program: Command, context: ProducerContext): void {
  program
    .command('import')
    .description('Send the events of a file to the log: NDJSON, or CSV with a mapping; plain or gzip')
    .argument('<file>', 'the file, or - for standard input')
    .option('--mapping <mapping>', 'the file is CSV: a mapping file, or slurp for the one that ships')
    .option('--until <day>', 'last day, UTC, of times that a mapping spreads (default yesterday)')
    .option('--rejects <file>', 'where bad lines go (default <file>.rejected.ndjson)')
    .option('--schema-version <version>', '1 or 2 (default 2)')
    .option('--dry-run', 'check all lines, send nothing')
    .option('--format <format>', 'table or json (default table)')
    .addHelpText(
      'after',
      '\nExit code 2: some lines were bad; the rest is imported.' +
        '\n\nExamples:\n  npx intent-ledger import events.ndjson.gz' +
        '\n  npx intent-ledger import slurp-utterances.csv --mapping slurp',
    )
    .action(async (path: string, given: Record<string, string | boolean>) => {
      const options = parseImportFlags(path, given, Date.now())
      const mapping = options.mapping === undefined ? undefined : loadMapping(options.mapping)
      const { kafka, topic, householdKey } = await context.endpoints()
      const producer = options.dryRun
        ? undefined
        : await createLogProducer({ kafka: createKafka(kafka, context.log), topic })
      const rejects = createRejectsFile(options.rejectsPath)
      const stop = stopOnSignals()
      const startedMs = performance.now()
      let progress: ReturnType<typeof createProgress> | undefined
      let reported = 0
      try {
        const summary = await importEvents(
          { path, mapping, lastDay: options.lastDay },
          {
            producer,
            householdKey,
            encoder: loadEncoders()[options.schemaVersion],
            stdin: process.stdin,
            signal: stop.signal,
            async onRejected(rejected) {
              await rejects.write(rejected)
              reported += 1
              if (reported <= badLinesShownMax) {
                context.stderr.write(`line ${rejected.line}: ${rejected.reason}\n`)
              } else if (reported === badLinesShownMax + 1) {
                context.stderr.write(`more bad lines are in ${options.rejectsPath}\n`)
              }
            },
            onStart(file) {
              progress = createProgress({
                stderr: context.stderr,
                label: 'import',
                total: file.bytes ?? Infinity,
                format: (bytes) => `${(bytes / 1e6).toFixed(1)} MB`,
              })
            },
            onProgress({ bytesRead, good, bad }) {
              const perSecond = Math.round(((good + bad) / (performance.now() - startedMs)) * 1_000)
              progress?.update(bytesRead, `${good} events, ${bad} bad, ${perSecond}/s`)
            },
          },
        ).finally(() => progress?.stop())
        context.stdout.write(renderImport(summary, { format: options.format, rejectsPath: options.rejectsPath }))
        if (summary.interrupted) {
          process.exitCode = exitCodeInterrupted
        } else if (summary.bad > 0) {
          process.exitCode = exitCodeBadLines
        }
      } finally {
        stop.release()
        await rejects.close()
        await producer?.disconnect()
      }
    })
}

const badLinesShownMax = 10

export function renderImport(
  summary: ImportSummary,
  options: { format: 'table' | 'json'; rejectsPath: string },
): string {
  if (options.format === 'json') {
    return `${JSON.stringify({ ...summary, rejects: summary.bad > 0 ? options.rejectsPath : null })}\n`
  }
  const what = summary.dryRun
    ? `${summary.good} events are good, nothing was sent (dry run)`
    : `${summary.sent} events sent`
  const bad = summary.bad === 0 ? 'no bad lines' : `${summary.bad} bad lines, kept in ${options.rejectsPath}`
  const stopped = summary.interrupted ? '; stopped before the end' : ''
  return `${summary.file}: ${what}, ${bad}; ${summary.seconds.toFixed(1)} s${stopped}\n`
}

/** The summary for people or machines. */
export function renderSimulation(summary: SimulationSummary, format: 'table' | 'json'): string {
  if (format === 'json') {
    return `${JSON.stringify(summary)}\n`
  }
  const table = new Table({
    head: ['sent to the log', 'messages'],
    colAligns: ['left', 'right'],
    style: { head: [], border: [], compact: true },
  })
  const rejected = rejectionReasons.filter((reason: RejectionReason) => summary.rejected[reason] > 0)
  table.push(
    ['new events', summary.accepted],
    ['second copies', summary.duplicate],
    ...rejected.map((reason): [string, number] => [`malformed: ${reason}`, summary.rejected[reason]]),
    ['all', summary.sent],
  )
  const span = `${summary.firstDay} to ${summary.lastDay}`
  const rate = Math.round(summary.sent / Math.max(summary.seconds, 0.001))
  return (
    `${table.toString()}\n` +
    `${summary.households} households, ${summary.devices} devices, ${span}, seed ${summary.seed}; ` +
    `${summary.seconds.toFixed(1)} s, ${rate} messages/s${summary.interrupted ? '; stopped before the end' : ''}\n`
  )
}
