import { assistantIntents } from '../shared/domain/assistant-intents.ts'
import { parseLogBound } from '../shared/domain/log-bound.ts'
import { createClickHouse } from '../shared/io/clickhouse.ts'
import { codeVersion } from '../shared/io/code-version.ts'
import { countFetchesAsHeap } from '../shared/io/heap.ts'
import { createRateProgress } from '../shared/io/progress.ts'
import { openRegistry } from '../shared/io/schema-registry.ts'
import { clickHouseSettings, clickHouseVariables, readSettings } from '../shared/io/settings.ts'
import { stopOnSignals } from '../shared/io/stop-signals.ts'
import { chosenStream, fateSettingsOf, streamVariables } from '../shared/io/stream-settings.ts'
import { loadTaxonomy } from '../shared/io/taxonomy-file.ts'
import { startVerbProcess } from '../shared/io/verb-process.ts'
import { runMembers } from '../shared/pipeline/memberships.ts'
import { outlast, type Outages } from '../shared/pipeline/outlast.ts'
import { createStore } from '../shared/pipeline/store.ts'
import type { ReplayContext } from './commands.ts'
import type { ReplayProgress } from './completion.ts'
import type { Definition } from './definition.ts'
import type { RunFlags } from './flags.ts'
import { replayDatabase } from './names.ts'
import { openLog } from './open-log.ts'
import { prepareReplay } from './prepare.ts'
import { printManifest, rangesText } from './print.ts'
import { openReplayRecord } from './record.ts'
import { runReplayer } from './replayer.ts'
import { recordSchemas } from './replay-schemas.ts'
import { runChildren, runUntilComplete, watchUntilComplete } from './run.ts'
import { finishReplay } from './verify.ts'

const replayVariables = [
  ...clickHouseVariables,
  ...streamVariables,
  ...(['KAFKA_DECODER', 'SCHEMA_REGISTRY_URL', 'SCHEMA_REGISTRY_USER', 'SCHEMA_REGISTRY_PASSWORD'] as const),
  ...([
    'TAXONOMY_VERSION',
    'DUPLICATE_WINDOW_OFFSETS',
    'EVENT_AGE_MAX_DAYS',
    'EVENT_BYTES_MAX',
    'CLICKHOUSE_CLUSTER',
  ] as const),
  ...([
    'KAFKA_MEMBERSHIPS',
    'BATCH_ROWS_MAX',
    'BATCH_BYTES_MAX',
    'GATHER_MAX_MS',
    'FETCH_WAIT_MS',
    'SESSION_TIMEOUT_MS',
  ] as const),
  ...(['METADATA_MAX_AGE_MS', 'LEASE_MS', 'OUTAGE_MAX_MS', 'STOP_TIMEOUT_MS', 'DEDUP_WINDOW_BLOCKS'] as const),
] as const

/** As shells count what Ctrl-C cut short. */
const exitCodeStopped = 130

/** `replay run`: settings, dependencies, run, stop. */
export async function replayRun(name: string, flags: RunFlags, context: ReplayContext): Promise<void> {
  countFetchesAsHeap()
  // Configuration
  const from = flags.from === undefined ? undefined : parseLogBound('--from', flags.from)
  const to = flags.to === undefined ? undefined : parseLogBound('--to', flags.to)
  const env = context.environment('pipeline')
  const settings = readSettings(env, replayVariables)
  const taxonomy = loadTaxonomy(flags.taxonomy ?? settings.TAXONOMY_VERSION)
  const stop = stopOnSignals()
  const isChild = flags.withParent !== undefined
  if (isChild) {
    process.stdin.resume()
    process.stdin.once('close', stop.stop)
  }

  // Dependencies
  const stream = assistantIntents
  const { log } = context
  const ratePerSecond = flags.rate ?? Infinity
  const starting = firstRequests(isChild, { outageMaxMs: settings.OUTAGE_MAX_MS, log, signal: stop.signal })
  const opened = await starting('opening the log', () =>
    openLog(flags.source, {
      ...{ kafka: () => context.kafka(assistantIntents.name), log },
      fetch: {
        ...{ sessionTimeoutMs: settings.SESSION_TIMEOUT_MS, metadataMaxAgeMs: settings.METADATA_MAX_AGE_MS },
        ...{ fetchWaitMs: settings.FETCH_WAIT_MS, decoder: settings.KAFKA_DECODER, ratePerSecond },
      },
    }),
  )
  const { client: clickHouse } = await context.clickHouse('pipeline')
  const definition = await starting('reading the definition', () =>
    prepareReplay(
      {
        ...{ name, group: chosenStream(settings, stream.name).group, from, to, taxonomy, codeVersion: codeVersion() },
        fates: fateSettingsOf(stream, settings),
        dedupWindowBlocks: settings.DEDUP_WINDOW_BLOCKS,
        cluster: settings.CLICKHOUSE_CLUSTER,
      },
      { clickHouse, log: opened.log, nowMs: Date.now() },
    ),
  )
  const database = replayDatabase(name)
  const record = openReplayRecord({ clickHouse, database })
  // Inserts are given up sooner than a digest, which reads for minutes.
  const inserting = createClickHouse(clickHouseSettings(settings, 'pipeline'))
  const store = createStore({ clickHouse: inserting, database, stream })

  // Run
  let progress: ReplayProgress | undefined
  const shown = isChild
    ? undefined
    : createRateProgress({ stderr: context.stderr, label: `replay ${name}`, unit: 'offsets' })
  const everyPartition = new Set(definition.ranges.map(({ partition }) => partition))
  const registry = recordSchemas(openRegistry(settings), { record, clickHouse, database, replay: name })
  const { index: part, of: parts } = flags.withParent ?? { index: 0, of: 1 }
  const members = settings.KAFKA_MEMBERSHIPS
  const replayer = (membership: number) => (signal: AbortSignal) =>
    runReplayer(
      {
        limits: {
          batchRowsMax: settings.BATCH_ROWS_MAX,
          batchBytesMax: settings.BATCH_BYTES_MAX,
          gatherMaxMs: settings.GATHER_MAX_MS,
        },
        ...{ sessionTimeoutMs: settings.SESSION_TIMEOUT_MS, leaseMs: settings.LEASE_MS },
        ...{ outageMaxMs: settings.OUTAGE_MAX_MS, stopTimeoutMs: settings.STOP_TIMEOUT_MS },
        ratePerSecond,
      },
      {
        ...{ definition, stream, store, registry, taxonomy, taxonomyOf: loadTaxonomy, log },
        source: opened.sourceFor(
          { definition, record, store },
          { index: part * members + membership, of: parts * members },
        ),
        open: () => progress?.open ?? everyPartition,
      },
      signal,
    )
  const replayHere = (signal: AbortSignal) =>
    runMembers(
      Array.from({ length: members }, (_, membership) => replayer(membership)),
      { signal, log },
    )
  const replayInChildren = (signal: AbortSignal) =>
    runChildren(startChild(definition, flags, env), { ...flags, log }, signal)
  try {
    if (!isChild) {
      context.stderr.write(
        `replay ${name}: ${rangesText(definition)} of ${definition.topic}, taxonomy ${definition.taxonomy.version}, into ${database}\n`,
      )
    }
    const watch = (signal: AbortSignal) =>
      watchUntilComplete(
        {
          ...{ definition, source: opened.log, store, stream, log, outageMaxMs: settings.OUTAGE_MAX_MS },
          leaseEndsMs: () => store.serverNowMs() + settings.LEASE_MS,
          onProgress(seen) {
            progress = seen
            // By what the ledger holds: processes that joined from elsewhere count as well.
            shown?.update(seen.done, seen.total)
          },
        },
        signal,
      )
    const isComplete =
      (await starting('looking for the manifest', () => record.manifest())) !== undefined ||
      (await runUntilComplete(flags.processes > 1 ? replayInChildren : replayHere, watch, stop.signal))
    shown?.stop()
    if (!isComplete) {
      process.exitCode = exitCodeStopped
    }
    if (isChild) {
      return
    }
    if (!isComplete) {
      context.stderr.write(`replay ${name} stopped; the same command goes on\n`)
    } else {
      const deps = { clickHouse, database, stream, store, record, nowMs: () => Date.now() }
      context.stdout.write(printManifest(await finishReplay(definition, deps), flags.format))
    }
  } finally {
    // Stop
    shown?.stop()
    stop.release()
    if (isChild) {
      process.stdin.destroy()
    }
    await Promise.allSettled([opened.log.close(), inserting.close()])
  }
}

/**
 * How the first requests are made. A person is told at once that a server can't be reached; a child's parent has just reached it,
 * and the replay shall go on when it is back.
 */
function firstRequests(isChild: boolean, outages: Pick<Outages, 'outageMaxMs' | 'log' | 'signal'>) {
  const waiting = { ...outages, heartbeatIntervalMs: 0, onAway: () => undefined, onOver: () => undefined }
  return <T>(doing: string, work: () => Promise<T>): Promise<T> =>
    isChild ? outlast(doing, work, () => undefined, waiting) : work()
}

/** The same command for a part of the work: it says nothing unless something is wrong. */
function startChild({ replay, asked, taxonomy }: Definition, flags: RunFlags, env: NodeJS.ProcessEnv) {
  const { rate, processes, source } = flags
  const args = [
    ...['replay', 'run', replay, `--taxonomy=${taxonomy.version}`],
    ...(source.archiveDir === undefined ? [] : ['--source', 'archive', source.archiveDir]),
    ...(asked.from === '' ? [] : [`--from=${asked.from}`]),
    ...(asked.to === '' ? [] : [`--to=${asked.to}`]),
    ...(rate === undefined ? [] : [`--rate=${rate}`]),
  ]
  const stderr = 2
  return (index: number) =>
    startVerbProcess({ args: [...args, `--with-parent=${index + 1}/${processes}`], env, output: stderr })
}
