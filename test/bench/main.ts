/** The benchmark of the hot path: what one event costs, here and in the plain way. `npm run bench -- --help`. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startStack, type LocalStack } from '../../services/local/stack.ts'
import { parseSimulationFlags } from '../../services/producer/simulation-options.ts'
import { simulate, type SimulationSummary } from '../../services/producer/simulate.ts'
import { PipelineError } from '../../services/shared/domain/faults.ts'
import { createClickHouse } from '../../services/shared/io/clickhouse.ts'
import { connectKafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { createLogProducer } from '../../services/shared/io/kafka-producer.ts'
import { createKafka, type Kafka } from '../../services/shared/io/kafka.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import { eventsDefault, help, readOptions, type BenchOptions } from './options.ts'
import { renderTable, summarise, type BenchResults } from './report.ts'
import { runOnce, type Run } from './run.ts'

const topic = 'bench-intents'
const partitions = 4
/** The same events on every run of the bench. */
const seed = 20_260_101

const say = (line: string) => process.stderr.write(`${line}\n`)

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-bench-'))
  try {
    const stack = await startStack({ dataDir: folder, onLog: say })
    try {
      const results = await measure(options, stack)
      process.stdout.write(`\n${renderTable(results)}\n`)
      await keep(results, options)
    } finally {
      await stack.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(options: BenchOptions, stack: LocalStack): Promise<BenchResults> {
  const { clickhouseUrl: url, secrets } = stack
  const pipeline = createClickHouse({ url, user: 'pipeline', password: secrets.pipelinePassword })
  const log = createLogger({ service: 'bench', level: 'warn', pretty: false })
  const kafka = createKafka({ brokers: stack.kafkaBrokers, clientId: 'bench', ssl: false }, log)
  const admin = await connectKafkaAdmin(kafka)
  try {
    const truth = await fillTopic(options, { stack, kafka, admin })
    say(`${truth.sent} messages in ${topic} after ${truth.seconds.toFixed(1)} s`)
    const deps = { stack, pipeline, admin, topic, messages: truth.sent, profileFolder: options.profileFolder }
    const runs: Run[] = []
    for (let round = 0; round < options.rounds; round++) {
      // In turn, and each first in half of the rounds: a machine that slows down slows both.
      for (const contender of round % 2 === 0 ? options.only : options.only.toReversed()) {
        const run = await runOnce(contender, round, deps)
        assertStored(run, truth, runs[0])
        runs.push(run)
        const { process: own, quiet } = run
        say(
          `round ${round + 1}, ${contender}: ${Math.round(truth.sent / own.drain.wallSeconds)} events/s, CPU ${own.whole.cpuSeconds.toFixed(1)} s and ClickHouse ${quiet.clickHouseSeconds.toFixed(1)} s, ${Math.round(own.memoryPeakMb)} MB, ${run.stored.rows} rows in ${run.stored.parts} parts`,
        )
      }
    }
    const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')
    return summarise(runs, { command, events: options.events, messages: truth.sent, rounds: options.rounds })
  } finally {
    await admin.close()
    await pipeline.close()
  }
}

async function fillTopic(
  { events }: BenchOptions,
  deps: { stack: LocalStack; kafka: Kafka; admin: Awaited<ReturnType<typeof connectKafkaAdmin>> },
): Promise<SimulationSummary> {
  await deps.admin.ensureTopic({ topic, partitions, replicas: 1, configs: {} })
  const producer = await createLogProducer({ kafka: deps.kafka, topic })
  try {
    return await simulate(
      parseSimulationFlags(
        { events, days: 14, duplicates: 0.01, malformed: 0.005, schemaVersion: '2', seed },
        Date.now(),
      ),
      {
        producer,
        householdKey: Buffer.from(deps.stack.secrets.householdKey, 'hex'),
        signal: new AbortController().signal,
      },
    )
  } finally {
    await producer.disconnect()
  }
}

/**
 * Both contenders must have stored the same events with the same content. The plain way knows no duplicates, so it stores
 * second copies too: the comparison is by distinct event ids, and its rows must be the accepted and the duplicates.
 */
function assertStored({ contender, stored }: Run, truth: SimulationSummary, first: Run | undefined): void {
  const rows = contender === 'ours' ? truth.accepted : truth.accepted + truth.duplicate
  const checksum = first?.stored.checksum ?? stored.checksum
  if (stored.rows !== rows || stored.events !== truth.accepted || stored.checksum !== checksum) {
    throw new Error(
      `${contender} stored ${stored.rows} rows of ${stored.events} events with checksum ${stored.checksum}, where ${rows}, ${truth.accepted} and ${checksum} were due`,
    )
  }
}

const tableMarks = ['<!-- results -->', '<!-- /results -->'] as const

/** Only a whole run is kept: a small one would put its start-up costs into the books. */
async function keep(results: BenchResults, options: BenchOptions): Promise<void> {
  if (results.ratio === undefined || options.events < eventsDefault || options.profileFolder !== undefined) {
    say(`not kept: results.json takes runs of both contenders with at least ${eventsDefault} events and no profile`)
    return
  }
  await writeFile(join(import.meta.dirname, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  const readme = join(import.meta.dirname, 'README.md')
  const [before, , after] = splitAtMarks(await readFile(readme, 'utf8'))
  await writeFile(readme, `${before}${tableMarks[0]}\n\n${renderTable(results)}\n\n${tableMarks[1]}${after}`)
}

function splitAtMarks(text: string): [string, string, string] {
  const [from, to] = tableMarks.map((mark) => text.indexOf(mark)) as [number, number]
  if (from < 0 || to < from) {
    throw new Error(`README.md has lost its marks ${tableMarks.join(' and ')}`)
  }
  return [text.slice(0, from), text.slice(from, to), text.slice(to + tableMarks[1].length)]
}

try {
  await main()
} catch (thrown) {
  const isFault = thrown instanceof PipelineError
  say(isFault ? thrown.message : thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
  process.exitCode = isFault && thrown.code === 'usage_invalid' ? 2 : 1
}
