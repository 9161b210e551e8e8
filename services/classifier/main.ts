import { setTimeout as sleep } from 'node:timers/promises'

import { createClickHouse } from '../shared/io/clickhouse.ts'
import { connectKafkaAdmin } from '../shared/io/kafka-admin.ts'
import { createKafkaPeek } from '../shared/io/kafka-peek.ts'
import { assertBrokerAnswers, createKafka } from '../shared/io/kafka.ts'
import { countFetchesAsHeap } from '../shared/io/heap.ts'
import { createLogger } from '../shared/io/log.ts'
import { openRegistry } from '../shared/io/schema-registry.ts'
import {
  clickHouseSettings,
  clickHouseVariables,
  kafkaSettings,
  kafkaVariables,
  readSettings,
  type Settings,
} from '../shared/io/settings.ts'
import { chosenStream, fateSettingsOf, streamVariables, type ChosenStream } from '../shared/io/stream-settings.ts'
import { loadTaxonomy } from '../shared/io/taxonomy-file.ts'
import { createStore } from '../shared/pipeline/store.ts'
import { createClassifier, type ClassifierOptions, type ClassifierParts } from './classifier.ts'
import { startStatusServer } from './http.ts'
import { createMetrics } from './metrics.ts'

/** The variables a classifier reads. */
export const classifierVariables = [
  ...kafkaVariables,
  ...clickHouseVariables,
  ...streamVariables,
  ...(['KAFKA_MEMBERSHIPS', 'CLICKHOUSE_DATABASE'] as const),
  ...(['SCHEMA_REGISTRY_URL', 'SCHEMA_REGISTRY_USER', 'SCHEMA_REGISTRY_PASSWORD', 'TAXONOMY_VERSION'] as const),
  ...(['DUPLICATE_WINDOW_OFFSETS', 'EVENT_AGE_MAX_DAYS', 'EVENT_BYTES_MAX'] as const),
  ...(['BATCH_ROWS_MAX', 'BATCH_BYTES_MAX', 'GATHER_MAX_MS'] as const),
  ...(['REJECTED_PERCENT_MAX', 'REJECTED_ROWS_MIN'] as const),
  ...([
    'FETCH_WAIT_MS',
    'KAFKA_DECODER',
    'SESSION_TIMEOUT_MS',
    'METADATA_MAX_AGE_MS',
    'LEASE_MS',
    'OUTAGE_MAX_MS',
    'STOP_TIMEOUT_MS',
  ] as const),
  ...(['READY_LAG_MAX_S', 'HTTP_PORT', 'HTTP_HOST', 'LOG_LEVEL', 'LOG_FORMAT'] as const),
] as const

export type ClassifierSettings = Settings<(typeof classifierVariables)[number]>

/**
 * Runs one classifier process until the signal. Throws a mistake or the fault that stopped it.
 * `decorate` lets a test stand between the classifier and what it works with.
 */
export async function runClassifier(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  decorate: (parts: ClassifierParts) => ClassifierParts = (parts) => parts,
): Promise<void> {
  countFetchesAsHeap()
  // Configuration
  const settings = readSettings(env, classifierVariables)
  const log = createLogger({
    service: 'classifier',
    level: settings.LOG_LEVEL,
    pretty: settings.LOG_FORMAT === 'pretty',
  })

  // Dependencies
  const kafkaConnection = kafkaSettings(settings, 'intent-ledger-classifier')
  const kafka = createKafka(kafkaConnection, log)
  const clickHouse = createClickHouse(clickHouseSettings(settings, 'pipeline'))
  const chosen = chosenStream(settings)
  const { stream, topic } = chosen
  const metrics = createMetrics()
  const taxonomy = loadTaxonomy(settings.TAXONOMY_VERSION)
  const registry = openRegistry(settings)
  const store = createStore({ clickHouse, database: settings.CLICKHOUSE_DATABASE, stream })
  // Asked before Kafka, so that a wrong password or a database without tables is said at once.
  await clickHouse.rows(`SELECT 1 FROM ${settings.CLICKHOUSE_DATABASE}.ingest_batches LIMIT 1`)
  await assertBrokerAnswers(kafkaConnection)
  const admin = await connectKafkaAdmin(kafka)
  const peek = createKafkaPeek(kafka, topic)
  const parts: ClassifierParts = {
    stream,
    kafka,
    admin,
    peek,
    store,
    registry,
    taxonomy,
    taxonomyOf: loadTaxonomy,
    metrics,
    log,
  }
  const decorated = decorate(parts)
  const classifier = createClassifier(classifierOptions(settings, chosen), decorated)
  const status = await startStatusServer({
    host: settings.HTTP_HOST,
    port: settings.HTTP_PORT,
    metrics,
    notReady: () => classifier.notReady(),
  })
  log.info(
    {
      stream: stream.name,
      topic,
      port: status.port,
      taxonomy: settings.TAXONOMY_VERSION,
      database: settings.CLICKHOUSE_DATABASE,
    },
    'classifier started',
  )

  // Run, then stop in order
  try {
    await classifier.run(signal)
  } finally {
    const closed = Promise.allSettled([status.close(), peek.close(), decorated.admin.close(), clickHouse.close()])
    const late = sleep(closingMaxMs, 'late', { ref: false })
    if ((await Promise.race([closed, late])) === 'late') {
      log.warn('connections did not close in time and are left to the end of the process')
    }
    log.info('classifier stopped')
  }
}

/**
 * kafkajs closes a connection only when what was asked over it is answered, and waits for half a minute for a broker that
 * was killed: a stop would pass STOP_TIMEOUT_MS by far, and whoever supervises us would kill the process.
 */
const closingMaxMs = 2_000

function classifierOptions(settings: ClassifierSettings, { stream, topic, group }: ChosenStream): ClassifierOptions {
  return {
    topic,
    group,
    memberships: settings.KAFKA_MEMBERSHIPS,
    fates: fateSettingsOf(stream, settings),
    limits: {
      batchRowsMax: settings.BATCH_ROWS_MAX,
      batchBytesMax: settings.BATCH_BYTES_MAX,
      gatherMaxMs: settings.GATHER_MAX_MS,
    },
    rejection: { percentMax: settings.REJECTED_PERCENT_MAX, rowsMin: settings.REJECTED_ROWS_MIN },
    sessionTimeoutMs: settings.SESSION_TIMEOUT_MS,
    metadataMaxAgeMs: settings.METADATA_MAX_AGE_MS,
    fetchWaitMs: settings.FETCH_WAIT_MS,
    decoder: settings.KAFKA_DECODER,
    leaseMs: settings.LEASE_MS,
    outageMaxMs: settings.OUTAGE_MAX_MS,
    stopTimeoutMs: settings.STOP_TIMEOUT_MS,
    readyLagMaxS: settings.READY_LAG_MAX_S,
  }
}
