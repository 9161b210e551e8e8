import type { Command } from 'commander'

import { migrate } from '../shared/io/migrations.ts'
import { kafkaVariables, readSettings } from '../shared/io/settings.ts'
import { everyStream, streamVariables } from '../shared/io/stream-settings.ts'
import { ensureLogTopic } from '../shared/io/topic.ts'
import { mistake } from '../shared/domain/faults.ts'
import type { CliContext } from './context.ts'
import { runAlertDemo } from './demo-alerts.ts'
import { runDemo } from './demo.ts'
import { runImpactDemo } from './demo-impact.ts'
import { announce, defaultDataDir, stackEnvironment } from './session.ts'
import { startStack } from './stack.ts'

export function registerLocal(program: Command, context: CliContext): void {
  const dataOption = [
    '--data <folder>',
    'folder of data, logs and secrets',
    context.env['INTENT_LEDGER_DATA'] ?? defaultDataDir,
  ] as const

  program
    .command('demo')
    .description('Start Kafka and ClickHouse here, send 300,000 events, classify, report and audit; ends by itself')
    .option(...dataOption)
    .option('--events <n>', 'events to simulate', '300000')
    .option('--seed <n>', 'seed of the simulation (default: drawn and printed)')
    .addHelpText(
      'after',
      '\nExit code 0 only if the audit is clean and the fates equal what was injected.\n\nExample:\n  npm run demo',
    )
    .action((given: { data: string; events: string; seed?: string }) =>
      withSignals((signal) => runDemo({ ...given, stay: false }, context, signal)),
    )

  program
    .command('demo-alerts')
    .description('Live through half a year of planted changes with the alert rules, and say what fired; ends by itself')
    .option(...dataOption)
    .option('--households <n>', 'households of each of 8 countries', '20000')
    .option('--seed <n>', 'seed of the history', '2026')
    .addHelpText('after', '\nExit code 0 only if what fired is what was planted.\n\nExample:\n  npm run demo:alerts')
    .action((given: { data: string; households: string; seed: string }) =>
      withSignals((signal) =>
        runAlertDemo(
          {
            data: given.data,
            households: readCount('--households', given.households, 1_000_000),
            seed: readCount('--seed', given.seed, 2 ** 31),
          },
          context,
          signal,
        ),
      ),
    )

  program
    .command('demo-impact')
    .description(
      'Six simulated years of orders and devices through the pipeline: profit and loss as claimed, and honestly',
    )
    .option(...dataOption)
    .option('--households <n>', 'households of the simulation', '30000')
    .option('--seed <n>', 'seed of the simulation', '2026')
    .option('--html <file>', 'where the page is written (default: impact.html beside the data)')
    .addHelpText(
      'after',
      '\nExit code 0 only if every audit is clean and each product earns or loses as planted.\n\nExample:\n  npm run demo:impact',
    )
    .action((given: { data: string; households: string; seed: string; html?: string }) =>
      withSignals((signal) =>
        runImpactDemo(
          {
            data: given.data,
            households: readCount('--households', given.households, 60_000),
            seed: readCount('--seed', given.seed, 2 ** 31),
            html: given.html,
          },
          context,
          signal,
        ),
      ),
    )

  program
    .command('start')
    .description('The demo, then live traffic until Ctrl-C, with the endpoints printed')
    .option(...dataOption)
    .option('--events <n>', 'events to simulate first', '300000')
    .option('--seed <n>', 'seed of the simulation (default: drawn and printed)')
    .option('--rate <n>', 'live events per second', '50')
    .addHelpText('after', '\nExample:\n  npm start')
    .action((given: { data: string; events: string; seed?: string; rate: string }) =>
      withSignals((signal) => runDemo({ ...given, stay: true }, context, signal)),
    )

  program
    .command('stack')
    .description('Only Kafka and ClickHouse, until Ctrl-C; other verbs in other terminals then find them')
    .option(...dataOption)
    .addHelpText('after', '\nExample:\n  npx intent-ledger stack')
    .action((given: { data: string }) =>
      withSignals(async (signal) => {
        const stack = await startStack({ dataDir: given.data, onLog: (line) => context.stderr.write(`${line}\n`) })
        const session = await announce(stack)
        try {
          for (const [name, value] of Object.entries(stackEnvironment(stack, 'pipeline'))) {
            context.stdout.write(`export ${name}=${value}\n`)
          }
          context.stderr.write('running until Ctrl-C; next: `npx intent-ledger migrate` in another terminal\n')
          await untilStopped(signal, stack.died)
        } finally {
          await session.withdraw()
          await stack.stop()
        }
      }),
    )

  program
    .command('migrate')
    .description('Create or update the topics of all streams, the tables and the views; safe to run again')
    .addHelpText('after', '\nExample:\n  npx intent-ledger migrate')
    .action(async () => {
      const env = context.environment('pipeline')
      const settings = readSettings(env, [
        ...kafkaVariables,
        ...streamVariables,
        'KAFKA_PARTITIONS',
        'KAFKA_REPLICAS',
        'CLICKHOUSE_URL',
        'CLICKHOUSE_DATABASE',
        'CLICKHOUSE_CLUSTER',
        'DEDUP_WINDOW_BLOCKS',
      ])
      const { client, database } = await context.clickHouse('pipeline')
      const applied = await migrate(client, {
        database,
        dedupWindowBlocks: settings.DEDUP_WINDOW_BLOCKS,
        cluster: settings.CLICKHOUSE_CLUSTER,
      })
      const { admin } = await context.kafka()
      const made: string[] = []
      for (const { topic } of everyStream(settings)) {
        const done = await ensureLogTopic(admin, {
          topic,
          partitions: settings.KAFKA_PARTITIONS,
          replicas: settings.KAFKA_REPLICAS,
        })
        made.push(`topic ${topic}: ${done}`)
      }
      context.stdout.write(
        `${database}: ${applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`}; ${made.join(', ')}\n`,
      )
    })
}

function readCount(flag: string, given: string, max: number): number {
  const count = Number(given)
  if (!Number.isSafeInteger(count) || count < 1 || count > max) {
    throw mistake(`${flag} ${given} is no whole number from 1 to ${max}`)
  }
  return count
}

/** Resolves when asked to stop; rejects when a server died. */
export function untilStopped(signal: AbortSignal, died: Promise<Error>): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      resolve()
    }
    signal.addEventListener('abort', () => resolve(), { once: true })
    void died.then(reject)
  })
}

/** Ctrl-C or TERM stop in order; a second Ctrl-C ends at once, and the servers end with us. */
async function withSignals(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const onSignal = () => stop.abort()
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  try {
    await work(stop.signal)
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
