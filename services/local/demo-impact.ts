/** `demo:impact`: six simulated years of an ecosystem through the whole pipeline, and what is reported of it beside what was planted. */
import { join } from 'node:path'

import { readHoldout, type HoldoutReport } from '../impact/holdout.ts'
import type { ImpactDeps } from '../impact/experiments.ts'
import { comparePlanted, type PlantedProduct } from '../impact/page/planted.ts'
import { loadAssumptions } from '../impact/pnl/assumptions-file.ts'
import type { PnlDocument } from '../impact/pnl/document.ts'
import { readPnl } from '../impact/pnl/read-pnl.ts'
import { ecosystemStreams, type EcosystemStream } from '../producer/ecosystem/population.ts'
import { simulateEcosystem } from '../producer/ecosystem/simulate-ecosystem.ts'
import type { Truth } from '../producer/ecosystem/truth.ts'
import { auditLine } from '../report/audit.ts'
import { PipelineError } from '../shared/domain/faults.ts'
import { streams } from '../shared/domain/streams.ts'
import { createClickHouse } from '../shared/io/clickhouse.ts'
import { connectKafkaAdmin, type KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { createLogProducer, type LogProducer } from '../shared/io/kafka-producer.ts'
import { createKafka, type Kafka } from '../shared/io/kafka.ts'
import { migrate } from '../shared/io/migrations.ts'
import { createProgress } from '../shared/io/progress.ts'
import { formatNumber, renderJson } from '../shared/io/render.ts'
import { ensureLogTopic } from '../shared/io/topic.ts'
import { writeFileWhole } from '../shared/io/whole-file.ts'
import { audit, readAuditedLog } from '../shared/pipeline/audit.ts'
import { startClassifierProcess, type ClassifierProcess } from './classifier-process.ts'
import type { CliContext } from './context.ts'
import { dropDemoDatabases } from './demo-databases.ts'
import { plantedOf } from './demo-impact-planted.ts'
import { printImpactDemo } from './demo-impact-print.ts'
import { announce, stackEnvironment } from './session.ts'
import { startStack, type LocalStack } from './stack.ts'
import { waitUntilRead } from './wait-until-read.ts'

export interface ImpactDemoOptions {
  readonly data: string
  readonly households: number
  readonly seed: number
  /** Where the page is written; beside the data where left out. */
  readonly html: string | undefined
}

const databasePrefix = 'intent_ledger_demo_impact_'
const assumptionsFile = join(import.meta.dirname, '../../infra/impact/devices.yaml')
const days = { from: '2017-01-01', to: '2021-12-31' }
/** Requests of 2017 are no mistake here; those of the other streams may be that old anyway. */
const requestsAgeMaxDays = '7305'
const duplicatesShare = 0.01

/** Throws when an audit is not clean, or a product's profit or loss has not the planted sign. */
export async function runImpactDemo(
  options: ImpactDemoOptions,
  context: CliContext,
  signal: AbortSignal,
): Promise<void> {
  const say = (line: string) => context.stderr.write(`${line}\n`)
  const stack = await startStack({ dataDir: options.data, onLog: say })
  const closing: (() => Promise<void>)[] = [() => stack.stop()]
  try {
    const session = await announce(stack)
    closing.push(() => session.withdraw())
    // Topics and a database of its own each time: one population is never mixed with another. The last one stays, to be looked at.
    const run = Date.now().toString(36)
    const world = { database: `${databasePrefix}${run}`, prefix: `demo-impact-${run}-` }
    await dropDemoDatabases(stack, databasePrefix)
    const login = { url: stack.clickhouseUrl, user: 'pipeline', password: stack.secrets.pipelinePassword }
    const clickHouse = createClickHouse({ ...login, requestTimeoutMs: 120_000 })
    closing.push(() => clickHouse.close())
    const kafka = createKafka({ brokers: stack.kafkaBrokers, clientId: 'intent-ledger-demo', ssl: false }, context.log)
    const admin = await connectKafkaAdmin(kafka)
    closing.push(() => admin.close())
    await migrate(clickHouse, { database: world.database, dedupWindowBlocks: 10_000 })
    for (const { name } of streams) {
      await ensureLogTopic(admin, { topic: world.prefix + name, partitions: 2, replicas: 1 })
    }
    const classifiers = await startClassifiers(stack, world, { context, closing })
    say(`${streams.length} topics, database ${world.database} and a classifier for each stream are ready`)

    const deps = { clickHouse, database: world.database }
    const work = async () => {
      const truth = await sendPopulation(options, { kafka, stack, prefix: world.prefix, context, signal, closing })
      if (truth === undefined) return
      await waitUntilRead(
        streams.map(({ name }) => world.prefix + name),
        { ...deps, admin, stderr: context.stderr, signal },
      )
      if (signal.aborted) return
      const audits = await auditStreams(admin, deps, world.prefix)
      const document = await readDocument(deps, { truth, options, context })
      const html = options.html ?? join(stack.dataDir, 'impact.html')
      await writePage(document, html)
      context.stdout.write(printImpactDemo(document, audits))
      context.stdout.write(`\nthe page: ${html}\n${howToGoOn(world)}`)
      const wrong = [
        ...audits.filter(({ clean }) => !clean).map(({ stream }) => `the audit of ${stream}`),
        ...document.planted
          .filter(({ signIsPlanted }) => !signIsPlanted)
          .map(({ product }) => `the sign of ${product}`),
      ]
      if (wrong.length > 0) {
        throw new PipelineError(`not as planted: ${wrong.join(', ')}`, { code: 'ledger_disagrees' })
      }
    }
    const died = Promise.race([stack.died, ...classifiers.map((one) => one.died)]).then((fault) =>
      Promise.reject(fault),
    )
    await Promise.race([work(), died]).catch((thrown: unknown) => {
      if (!signal.aborted) {
        throw thrown
      }
    })
    if (signal.aborted) {
      say('stopping')
      process.exitCode = 130
    }
  } finally {
    for (const close of closing.reverse()) {
      await close()
    }
  }
}

/** All that the demo reports; its page shows nothing else. */
export interface ImpactDemoDocument {
  readonly report: 'impact-demo'
  readonly households: number
  readonly seed: number
  readonly pnl: PnlDocument
  readonly planted: readonly PlantedProduct[]
}

export interface StreamAudit {
  readonly stream: string
  readonly clean: boolean
  readonly line: string
}

interface World {
  readonly database: string
  readonly prefix: string
}

async function startClassifiers(
  stack: LocalStack,
  { database, prefix }: World,
  { context, closing }: { context: CliContext; closing: (() => Promise<void>)[] },
): Promise<ClassifierProcess[]> {
  const processes: ClassifierProcess[] = []
  closing.push(async () => {
    await Promise.all(processes.map((one) => one.stop()))
  })
  for (const { name, ageMaxMs } of streams) {
    const env = {
      ...{ ...context.env, ...stackEnvironment(stack, 'pipeline') },
      ...{ CLICKHOUSE_DATABASE: database, KAFKA_TOPIC_PREFIX: prefix, KAFKA_MEMBERSHIPS: '1', STREAM: name },
      ...{ HTTP_PORT: '0', LOG_FORMAT: 'json' },
      ...(ageMaxMs < Number(requestsAgeMaxDays) * 86_400_000 ? { EVENT_AGE_MAX_DAYS: requestsAgeMaxDays } : {}),
    }
    processes.push(await startClassifierProcess({ env, logFile: join(stack.dataDir, `classifier-${name}.log`) }))
  }
  return processes
}

/** Undefined when it was stopped before its end. */
async function sendPopulation(
  { households, seed }: ImpactDemoOptions,
  deps: {
    kafka: Kafka
    stack: LocalStack
    prefix: string
    context: CliContext
    signal: AbortSignal
    closing: (() => Promise<void>)[]
  },
): Promise<Truth | undefined> {
  const { kafka, stack, prefix, context, signal, closing } = deps
  const producers = new Map<EcosystemStream, LogProducer>()
  closing.push(async () => {
    await Promise.all([...producers.values()].map((producer) => producer.disconnect()))
  })
  for (const stream of ecosystemStreams) {
    producers.set(stream, await createLogProducer({ kafka, topic: prefix + stream }))
  }
  const progress = createProgress({
    ...{ stderr: context.stderr, label: 'produced', total: Infinity },
    format: (messages) => `${formatNumber(messages)} messages`,
  })
  const { truth } = await simulateEcosystem(
    { households, seed, duplicatesShare },
    {
      producers: Object.fromEntries(producers) as Record<EcosystemStream, LogProducer>,
      householdKey: Buffer.from(stack.secrets.householdKey, 'hex'),
      signal,
      onStart: ({ devices }) =>
        context.stderr.write(`simulating ${households} households with ${devices} devices, seed ${seed}\n`),
      onProgress(quarters, sent) {
        const messages = ecosystemStreams.reduce((sum, name) => sum + sent[name].events + sent[name].duplicates, 0)
        progress.update(messages, `${quarters} quarters`)
      },
    },
  ).finally(() => progress.stop())
  return truth
}

async function auditStreams(admin: KafkaAdmin, deps: ImpactDeps, prefix: string): Promise<StreamAudit[]> {
  const audits: StreamAudit[] = []
  for (const stream of streams) {
    const [topic, group] = [prefix + stream.name, prefix + stream.group]
    const report = await audit({ ...deps, stream, topic, log: () => readAuditedLog(admin, { topic, group }) })
    audits.push({ stream: stream.name, clean: report.clean, line: auditLine(report) })
  }
  return audits
}

async function readDocument(
  deps: ImpactDeps,
  { truth, options, context }: { truth: Truth; options: ImpactDemoOptions; context: CliContext },
): Promise<ImpactDemoDocument> {
  const assumptions = loadAssumptions(assumptionsFile)
  const progress = createProgress({
    ...{ stderr: context.stderr, label: 'experiments read', total: assumptions.products.length * 5 },
    format: (years) => `${years} years of products`,
  })
  const onProgress = (done: number) => progress.update(done, '')
  const pnl = await readPnl(deps, { assumptions, ...days, onProgress }).finally(() => progress.stop())
  const holdouts: HoldoutReport[] = []
  for (const { product } of assumptions.products) {
    holdouts.push(await readHoldout(deps, { product, currency: assumptions.currency, ...days }))
  }
  const planted = comparePlanted(
    pnl,
    holdouts,
    plantedOf(
      truth,
      assumptions.products.map(({ product }) => product),
    ),
  )
  const { households, seed } = options
  return { report: 'impact-demo', households, seed, pnl, planted }
}

/** The page, and what it shows as JSON beside it. */
async function writePage(document: ImpactDemoDocument, html: string): Promise<void> {
  // Plots take a second to load, which no other verb should wait for.
  const { renderImpactPage } = await import('../impact/page/page.ts')
  const page = renderImpactPage({
    title: 'Downstream impact: as claimed, and as a holdout says',
    about: [
      `${formatNumber(document.households)} simulated households, 2017 to 2021, seed ${document.seed}. What each product causes was planted, so each estimate stands beside the truth.`,
    ],
    ...document,
  })
  await writeFileWhole(html, page)
  await writeFileWhole(`${html.replace(/\.html?$/, '')}.json`, renderJson(document))
}

function howToGoOn({ database, prefix }: World): string {
  const env = `CLICKHOUSE_DATABASE=${database} KAFKA_TOPIC_PREFIX=${prefix}`
  return [
    'how to go on:',
    '  npx intent-ledger stack                     the servers, on the data of this run; then in another terminal:',
    `  ${env} \\`,
    '    npx intent-ledger impact pnl infra/impact/devices.yaml --by cohort\n',
  ].join('\n')
}
