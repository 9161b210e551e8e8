import type { Command } from 'commander'

import { messageOf, mistake } from '../../shared/domain/faults.ts'
import { createLogProducer, type LogProducer } from '../../shared/io/kafka-producer.ts'
import { createKafka } from '../../shared/io/kafka.ts'
import { createProgress } from '../../shared/io/progress.ts'
import { formatNumber, renderJson } from '../../shared/io/render.ts'
import { stopOnSignals } from '../../shared/io/stop-signals.ts'
import { createWholeFile } from '../../shared/io/whole-file.ts'
import type { ProducerContext } from '../commands.ts'
import { quarterCount } from './calendar.ts'
import { parseEcosystemFlags, type EcosystemOptions } from './options.ts'
import { ecosystemStreams, type EcosystemStream } from './population.ts'
import { printEcosystem } from './print.ts'
import { simulateEcosystem, type EcosystemSummary } from './simulate-ecosystem.ts'

/** As shells count what Ctrl-C cut short. */
const exitCodeInterrupted = 130

export function registerSimulateEcosystem(program: Command, context: ProducerContext): void {
  program
    .command('simulate-ecosystem')
    .description(
      'Send six simulated years of orders, devices, experiments and requests to four topics, with known truth',
    )
    .option('--households <n>', 'households (default 30000: about 1.4 million events)')
    .option('--seed <n>', 'same seed, same bytes (default: drawn and printed)')
    .option('--duplicates <share>', 'share of events sent twice, e.g. 0.01 (default 0)')
    .option('--truth <file>', 'write what is true, by product and year, as JSON')
    .option('--format <format>', 'table or json (default table)')
    .addHelpText(
      'after',
      '\n2016 to 2021; products are sold and withheld from 2017 on. The topics must be there: `npx intent-ledger migrate`.' +
        '\n\nExample:\n  npx intent-ledger simulate-ecosystem --households 30000 --seed 1 --truth truth.json',
    )
    .action(async (given: Record<string, string>) => {
      const options = parseEcosystemFlags(given)
      // Before anything is sent: a minute later it would be a pity.
      const truthFile = await openTruth(options.truthFile)
      try {
        const summary = await send(options, context)
        if (summary.interrupted) {
          process.exitCode = exitCodeInterrupted
        } else if (truthFile !== undefined) {
          await truthFile.write(Buffer.from(renderJson({ seed: summary.seed, sent: summary.sent, ...summary.truth })))
          await truthFile.finish()
        }
        context.stdout.write(printEcosystem(summary, options.format))
      } finally {
        await truthFile?.abandon()
      }
    })
}

async function openTruth(path: string | undefined) {
  return path === undefined
    ? undefined
    : createWholeFile(path).catch((thrown: unknown) => {
        throw mistake(`simulate-ecosystem: ${path} can't be written: ${messageOf(thrown)}`, 'file_invalid')
      })
}

async function send(options: EcosystemOptions, context: ProducerContext): Promise<EcosystemSummary> {
  const producers = new Map<EcosystemStream, LogProducer>()
  const stop = stopOnSignals()
  let progress: ReturnType<typeof createProgress> | undefined
  try {
    const { kafka: connection, topicOf, householdKey } = await context.endpoints()
    const kafka = createKafka(connection, context.log)
    for (const stream of ecosystemStreams) {
      producers.set(stream, await createLogProducer({ kafka, topic: topicOf(stream) }))
    }
    const startedMs = performance.now()
    return await simulateEcosystem(options, {
      producers: Object.fromEntries(producers) as Record<EcosystemStream, LogProducer>,
      householdKey,
      signal: stop.signal,
      onStart({ devices }) {
        context.stderr.write(
          `simulating ${options.households} households with ${devices} devices over six years, seed ${options.seed}\n`,
        )
        progress = createProgress({
          stderr: context.stderr,
          label: 'quarters',
          total: quarterCount,
          format: String,
        })
      },
      onProgress(quarters, sent) {
        const messages = ecosystemStreams.reduce((sum, name) => sum + sent[name].events + sent[name].duplicates, 0)
        const perSecond = messages / ((performance.now() - startedMs) / 1_000)
        progress?.update(quarters, `${formatNumber(messages)} messages, ${formatNumber(perSecond)} messages/s`)
      },
    })
  } finally {
    progress?.stop()
    stop.release()
    await Promise.all([...producers.values()].map((producer) => producer.disconnect()))
  }
}
