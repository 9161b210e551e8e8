import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { loadMapping } from '../producer/csv-mapping.ts'
import { importEvents } from '../producer/import-events.ts'
import { createProgress } from '../shared/io/progress.ts'
import { parseSimulationFlags, type SimulationOptions } from '../producer/simulation-options.ts'
import { simulate, type SimulationSummary } from '../producer/simulate.ts'
import { loadEncoders } from '../producer/writer-schemas.ts'
import { PipelineError } from '../shared/domain/faults.ts'
import { createClickHouse } from '../shared/io/clickhouse.ts'
import { connectKafkaAdmin } from '../shared/io/kafka-admin.ts'
import { createLogProducer, type LogProducer } from '../shared/io/kafka-producer.ts'
import { createKafka } from '../shared/io/kafka.ts'
import { migrate } from '../shared/io/migrations.ts'
import { ensureLogTopic } from '../shared/io/topic.ts'
import { startClassifierProcess, type ClassifierProcess } from './classifier-process.ts'
import type { CliContext } from './context.ts'
import { compareFates, readFates, sumFates, type Fates } from './demo-fates.ts'
import { printDemoReport } from './demo-report.ts'
import { announce, stackEnvironment } from './session.ts'
import { startStack, type LocalStack } from './stack.ts'
import { waitUntilRead } from './wait-until-read.ts'

export interface DemoOptions {
  readonly data: string
  readonly events: string
  readonly seed?: string
  /** Goes on with live traffic until the signal. */
  readonly stay: boolean
  readonly rate?: string
}

const topic = 'assistant-intents'
const database = 'intent_ledger'
const group = 'intent-ledger-classifier'
const classifiers = 2
/** The corpus of real utterances, where the project's reference data stands beside it. */
const slurpFile = join(import.meta.dirname, '../../../shared/data/slurp-utterances.csv')

/**
 * The whole path on this machine: servers, tables, two classifiers in one group, known events in, reports out. Throws when
 * the audit is not clean or the fates are not those that were injected.
 */
export async function runDemo(options: DemoOptions, context: CliContext, signal: AbortSignal): Promise<void> {
  const say = (line: string) => context.stderr.write(`${line}\n`)
  const flags = simulationFlags(options)
  const stack = await startStack({ dataDir: options.data, onLog: say })
  const closing: (() => Promise<void>)[] = [() => stack.stop()]
  try {
    const session = await announce(stack)
    closing.push(() => session.withdraw())
    const client = createClickHouse({
      url: stack.clickhouseUrl,
      user: 'pipeline',
      password: stack.secrets.pipelinePassword,
    })
    closing.push(() => client.close())
    const kafka = createKafka({ brokers: stack.kafkaBrokers, clientId: 'intent-ledger-demo', ssl: false }, context.log)
    const admin = await connectKafkaAdmin(kafka)
    closing.push(() => admin.close())
    await migrate(client, { database, dedupWindowBlocks: 10_000 })
    await ensureLogTopic(admin, { topic, partitions: 4, replicas: 1 })
    say(
      `topic ${topic} and database ${database} are ready; starting ${classifiers} classifiers (logs in ${stack.dataDir})`,
    )
    const processes = await startClassifiers(stack, context, closing)
    const producer = await createLogProducer({ kafka, topic })
    closing.push(() => producer.disconnect())

    const work = async () => {
      const before = await readFates(client, database)
      const simulated = await sendSimulation(flags, { producer, stack, context, signal })
      const imported = await sendSlurp(simulated.seed, { producer, stack, signal, say })
      await waitUntilRead([topic], { admin, clickHouse: client, database, stderr: context.stderr, signal })
      const injected = sumFates(simulated, imported)
      const counted = compareFates({ injected, before, after: await readFates(client, database) })
      const clean = await printDemoReport({
        stack,
        kafkaAdmin: admin,
        topic,
        group,
        database,
        counted,
        stay: options.stay,
        out: context.stdout,
      })
      if (options.stay && !signal.aborted) {
        await sendLive(simulated, flags, options, { producer, stack, context, signal })
      }
      if (!clean || !counted.equal) {
        throw new PipelineError('the demo failed: see the differences above', { code: 'ledger_disagrees' })
      }
    }
    const died = Promise.race([stack.died, ...processes.map((one) => one.died)]).then((fault) => Promise.reject(fault))
    await Promise.race([work(), died]).catch((thrown: unknown) => {
      if (!signal.aborted) {
        throw thrown
      }
    })
    if (signal.aborted) {
      say('stopping')
      // The demo was cut off; for `start` Ctrl-C is the ordinary end.
      process.exitCode = options.stay ? 0 : 130
    }
  } finally {
    for (const close of closing.reverse()) {
      await close()
    }
  }
}

function simulationFlags(options: DemoOptions): SimulationOptions {
  return parseSimulationFlags(
    {
      events: options.events,
      days: 14,
      duplicates: 0.01,
      malformed: 0.005,
      schemaVersion: 'mixed',
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    },
    Date.now(),
  )
}

async function startClassifiers(
  stack: LocalStack,
  context: CliContext,
  closing: (() => Promise<void>)[],
): Promise<ClassifierProcess[]> {
  const env = { ...context.env, ...stackEnvironment(stack, 'pipeline'), HTTP_PORT: '0', LOG_FORMAT: 'json' }
  const processes: ClassifierProcess[] = []
  closing.push(async () => {
    await Promise.all(processes.map((one) => one.stop()))
  })
  for (let number = 1; number <= classifiers; number++) {
    processes.push(await startClassifierProcess({ env, logFile: join(stack.dataDir, `classifier-${number}.log`) }))
  }
  return processes
}

interface Sending {
  readonly producer: LogProducer
  readonly stack: LocalStack
  readonly context: CliContext
  readonly signal: AbortSignal
}

async function sendSimulation(
  flags: SimulationOptions,
  { producer, stack, context, signal }: Sending,
): Promise<SimulationSummary> {
  let progress: ReturnType<typeof createProgress> | undefined
  return simulate(flags, {
    producer,
    householdKey: Buffer.from(stack.secrets.householdKey, 'hex'),
    signal,
    onStart(traffic) {
      context.stderr.write(
        `simulating ${traffic.households} households with ${traffic.devices} devices, seed ${flags.seed}\n`,
      )
      const total = Math.round(traffic.events * (1 + flags.duplicatesShare))
      progress = createProgress({
        stderr: context.stderr,
        label: 'produced',
        total,
        format: (messages) => `${messages} messages`,
      })
    },
    onProgress: ({ sent }) => progress?.update(sent, `${sent} messages`),
  }).finally(() => progress?.stop())
}

/** Imports the real utterances under ids salted with the run's seed, so that a second run adds new events. */
async function sendSlurp(
  seed: number,
  { producer, stack, signal, say }: Pick<Sending, 'producer' | 'stack' | 'signal'> & { say: (line: string) => void },
): Promise<Partial<Fates>> {
  if (!existsSync(slurpFile)) {
    say('the corpus of real utterances (shared/data/slurp-utterances.csv) is not here: going on without it')
    return {}
  }
  const mapping = loadMapping('slurp')
  const fields = {
    ...mapping.fields,
    eventId: { derive: 'hash' as const, columns: ['slurp_id', 'sentence'], salt: String(seed) },
  }
  const summary = await importEvents(
    { path: slurpFile, mapping: { ...mapping, fields }, lastDay: Math.floor(Date.now() / 86_400_000) - 1 },
    {
      producer,
      encoder: loadEncoders()[2],
      householdKey: Buffer.from(stack.secrets.householdKey, 'hex'),
      stdin: process.stdin,
      signal,
      onRejected: ({ line, reason }) => Promise.resolve(say(`slurp-utterances.csv line ${line}: ${reason}`)),
    },
  )
  say(
    `imported ${summary.sent} real utterances of ${summary.file}${summary.bad > 0 ? `, ${summary.bad} bad lines` : ''}`,
  )
  return { accepted: summary.sent }
}

async function sendLive(
  simulated: SimulationSummary,
  flags: SimulationOptions,
  options: DemoOptions,
  sending: Sending,
): Promise<void> {
  const { producer, stack, signal, context } = sending
  const live = parseSimulationFlags(
    {
      rate: options.rate ?? '50',
      seed: simulated.seed,
      households: simulated.households,
      until: simulated.lastDay,
      days: flags.days,
      duplicates: 0.01,
      malformed: 0.005,
      schemaVersion: 'mixed',
    },
    Date.now(),
  )
  context.stderr.write(`live: ${options.rate ?? '50'} events/s until Ctrl-C\n`)
  await simulate(live, { producer, householdKey: Buffer.from(stack.secrets.householdKey, 'hex'), signal })
}
