/** The benchmark of the hot path: what one event costs, here and in what a user would otherwise take. `npm run bench -- --help`. */
import type { SimulationSummary } from '../../services/producer/simulate.ts'
import { PipelineError } from '../../services/shared/domain/faults.ts'
import { Interrupted, say, withServers, type BenchServers } from './bench-servers.ts'
import { fillTopics } from './fill.ts'
import { drawKeptResults, keepResults } from './keep.ts'
import { measureLatency } from './latency.ts'
import { measureMemory } from './memory.ts'
import { help, readOptions, type BenchOptions } from './options.ts'
import { measureDecode, measureWalker } from './parts.ts'
import { measureProducer } from './producer.ts'
import { measureQueries } from './queries.ts'
import { measureReplay } from './replay.ts'
import { renderTable } from './report.ts'
import { runOnce, type Run } from './run.ts'
import { measureScale } from './scale.ts'
import { startSchemaEndpoint } from './schema-endpoint.ts'
import { describeMachine, summarise, type BenchResults } from './summary.ts'
import { turn } from './turn.ts'

const topic = 'bench-intents'
const jsonTopic = 'bench-intents-json'
/** 128 and SIGINT, as shells have it. */
const exitCodeInterrupted = 130

/** The benches beside the contenders', each a verb. */
const others = {
  latency: measureLatency,
  producer: measureProducer,
  memory: measureMemory,
  queries: measureQueries,
  replay: measureReplay,
  scale: measureScale,
  decode: measureDecode,
  walker: measureWalker,
}

async function main(): Promise<void> {
  const [verb, ...flags] = process.argv.slice(2)
  if (verb !== undefined && Object.hasOwn(others, verb)) {
    await others[verb as keyof typeof others](flags)
    return
  }
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(help)
    return
  }
  if (options === 'draw') {
    await drawKeptResults()
    return
  }
  const results = await withServers((servers) => measure(options, servers))
  process.stdout.write(`\n${renderTable(results)}\n`)
  await (options.save ? keepResults(results) : say('not kept: --help says what is'))
}

async function measure(options: BenchOptions, servers: BenchServers): Promise<BenchResults> {
  const schemas = await startSchemaEndpoint()
  try {
    const twin = options.only.includes('engine-json') ? jsonTopic : undefined
    const truth = await fillTopics(
      { topic, jsonTopic: twin, events: options.events, malformed: options.malformed },
      servers,
    )
    say(`${truth.sent} messages in ${topic} after ${truth.seconds.toFixed(1)} s`)
    const deps = {
      ...servers,
      ...{ topic, jsonTopic, profileFolder: options.profileFolder },
      ...{ messages: truth.sent, rowsDue: truth.accepted + truth.duplicate, registryUrl: schemas.url },
    }
    const runs: Run[] = []
    for (let round = 0; round < options.rounds; round++) {
      for (const contender of turn(options.only, round)) {
        const run = await runOnce(contender, round, deps)
        assertStored(run, truth, runs[0])
        runs.push(run)
        sayRun(run)
      }
    }
    return summarise(runs, {
      ...{ at: new Date().toISOString(), machine: describeMachine(), command: commandLine() },
      ...{ events: options.events, messages: truth.sent, rounds: options.rounds },
    })
  } finally {
    await schemas.close()
  }
}

/**
 * All must have stored the same events with the same content. The others know no duplicates, so they store second copies too:
 * the comparison is by distinct event ids, and their rows must be the accepted and the duplicates.
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

function sayRun({ contender, round, process: own, quiet, stored }: Run): void {
  const rate = Math.round(own.messages / own.drain.wallSeconds)
  say(
    `round ${round + 1}, ${contender}: ${rate} events/s, CPU ${own.whole.cpuSeconds.toFixed(1)} s and ClickHouse ${quiet.clickHouseSeconds.toFixed(1)} s, ${Math.round(own.memoryPeakMb)} MB, ${stored.rows} rows in ${stored.parts} parts`,
  )
}

function commandLine(): string {
  return ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')
}

try {
  await main()
} catch (thrown) {
  if (thrown instanceof Interrupted) {
    say('interrupted: the servers of the bench are stopped and their folder is removed')
    process.exit(exitCodeInterrupted)
  }
  const isFault = thrown instanceof PipelineError
  say(isFault ? thrown.message : thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
  process.exitCode = isFault && thrown.code === 'usage_invalid' ? 2 : 1
}
