import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { startStack, type LocalStack } from '../../services/local/stack.ts'
import { createRandom } from '../../services/producer/random.ts'
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import { createClickHouse, type ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { connectKafkaAdmin, type KafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { createKafka } from '../../services/shared/io/kafka.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { audit, readAuditedLog } from '../../services/shared/pipeline/audit.ts'
import { waitFor } from '../support/wait-for.ts'
import { drawFaults, faults, type FaultedWorld } from './faults.ts'
import { createFleet } from './fleet.ts'
import { keepRunning } from './kept-server.ts'
import { judge, judgeLoad } from './judge.ts'
import { startLoad } from './load.ts'
import { createManifest, type Manifest } from './manifest.ts'
import type { ChaosOptions } from './options.ts'
import { startProxy, type Proxy } from './proxy.ts'
import { createRecord, type ChaosRecord } from './record.ts'
import { tamperAndJudge } from './tamper.ts'

const topic = 'chaos-intents'
const group = 'chaos-classifiers'
const database = 'intent_ledger_chaos'
const partitions = 6
const classifiers = 3
const sessionTimeoutMs = 4_000
/** Shorter than the longest pause of a classifier, so that the lease is asked for too. */
const leaseMs = 6_000
/** Faults that are not waited for meet the next one while the group still recovers. */
const overlapShare = 0.35
const recoveryMaxMs = 120_000
const drainMaxMs = 180_000

export interface ChaosSurroundings {
  readonly say: (line: string) => void
  /** Rejects when the run is to end now. */
  readonly interrupted: Promise<never>
}

/** Everything judge and `audit` ask of. */
export interface Judged {
  readonly clickHouse: ClickHouse
  readonly steward: ClickHouse
  readonly database: string
  readonly manifest: Manifest
  readonly audit: () => Promise<string[]>
}

interface Run extends FaultedWorld {
  readonly options: ChaosOptions
  readonly admin: KafkaAdmin
  readonly manifest: Manifest
  readonly clickHouse: ClickHouse
  readonly steward: ClickHouse
  readonly record: ChaosRecord
}

/** True when the judge and `audit` found nothing. Leaves no process behind, and no folder unless something was wrong. */
export async function runChaos(options: ChaosOptions, { say, interrupted }: ChaosSurroundings): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-chaos-'))
  const record = createRecord(say)
  record.say(`seed ${options.seed}, ${options.kills} faults, ${options.ratePerSecond} events/s; logs in ${folder}`)
  // An insert's statement stands in the first line of its request.
  const clickHouseProxy = await startProxy((head) => /^POST [^ ]*query=INSERT/i.test(head.toString('latin1', 0, 2_000)))
  const kafkaProxy = await startProxy(() => true)
  const ending: (() => Promise<void> | void)[] = [() => clickHouseProxy.close(), () => kafkaProxy.close()]
  let clean = false
  let isInterrupted = false
  interrupted.catch(() => (isInterrupted = true))
  try {
    const work = async () => {
      const stack = await startStack({
        dataDir: folder,
        kafka: { overrides: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${kafkaProxy.port}` } },
      })
      ending.push(() => stack.stop())
      clickHouseProxy.connectTo(Number(new URL(stack.clickhouseUrl).port))
      kafkaProxy.connectTo(Number(stack.kafkaBrokers[0]!.split(':')[1]))
      return runOnServers({ stack, clickHouseProxy, kafkaProxy, options, folder, record, ending })
    }
    clean = await Promise.race([work(), interrupted])
  } finally {
    for (const end of ending.toReversed()) {
      await end()
    }
    if ((clean || isInterrupted) && !options.keep) {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return clean
}

async function runOnServers(parts: {
  stack: LocalStack
  clickHouseProxy: Proxy
  kafkaProxy: Proxy
  options: ChaosOptions
  folder: string
  record: ChaosRecord
  ending: (() => Promise<void> | void)[]
}): Promise<boolean> {
  const { stack, options, folder, record, ending } = parts
  const login = { url: stack.clickhouseUrl, requestTimeoutMs: 60_000 }
  const clickHouse = createClickHouse({ ...login, user: 'pipeline', password: stack.secrets.pipelinePassword })
  const steward = createClickHouse({ ...login, user: 'steward', password: stack.secrets.stewardPassword })
  const broker = `127.0.0.1:${parts.kafkaProxy.port}`
  const log = createLogger({ service: 'chaos', level: 'silent', pretty: false })
  const admin = await connectKafkaAdmin(createKafka({ brokers: [broker], clientId: 'chaos', ssl: false }, log))
  ending.push(async () => {
    await Promise.all([clickHouse.close(), steward.close()])
  })
  await migrate(clickHouse, { database, dedupWindowBlocks: 1_000 })
  await admin.ensureTopic({ topic, partitions, replicas: 1, configs: {} })

  const fleet = createFleet({ env: classifierEnvironment(parts, broker), folder, say: record.say })
  ending.push(() => fleet.killAll())
  for (let nth = 0; nth < classifiers; nth++) {
    fleet.add()
  }
  const clickHouseServer = keepRunning('ClickHouse', stack.clickhouse, record.say)
  const kafkaServer = keepRunning('Kafka', stack.kafka, record.say)
  ending.push(async () => {
    await Promise.all([clickHouseServer.release(), kafkaServer.release()])
  })
  const manifest = createManifest(partitions)
  const load = await startLoad({ ...options, broker, topic, partitions, manifest })
  const run: Run = {
    ...parts,
    fleet,
    clickHouseServer,
    kafkaServer,
    sessionTimeoutMs,
    admin,
    manifest,
    clickHouse,
    steward,
    record,
  }
  const loadFailed = load.failed.then((fault) => Promise.reject(fault))
  loadFailed.catch(() => undefined)

  const work = async () => {
    await breakThings(run)
    record.load(await load.finish(), manifest)
    await drain(run)
    await fleet.stop()
    return judgeAll(run)
  }
  return Promise.race([work(), loadFailed])
}

function classifierEnvironment(
  { stack, clickHouseProxy, folder }: { stack: LocalStack; clickHouseProxy: Proxy; folder: string },
  broker: string,
): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return {
    ...{ PATH, HOME, INTENT_LEDGER_DATA: join(folder, 'none') },
    KAFKA_BROKERS: broker,
    KAFKA_TOPIC: topic,
    KAFKA_GROUP: group,
    CLICKHOUSE_URL: `http://127.0.0.1:${clickHouseProxy.port}`,
    CLICKHOUSE_USER: 'pipeline',
    CLICKHOUSE_PASSWORD: stack.secrets.pipelinePassword,
    CLICKHOUSE_DATABASE: database,
    SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
    LEASE_MS: String(leaseMs),
    // Small batches: many plans, inserts and commits for the faults to fall between.
    BATCH_ROWS_MAX: '2000',
    GATHER_MAX_MS: '1000',
    METADATA_MAX_AGE_MS: '1000',
  }
}

async function breakThings(run: Run): Promise<void> {
  const random = createRandom(run.options.seed, 2)
  await recovery(run, new Map())
  const kinds = drawFaults(createRandom(run.options.seed, 3))
  for (let nth = 1; nth <= run.options.kills; nth++) {
    await sleep(random.integer(0, 1_000))
    const kind = kinds.next().value
    const overlaps = random.chance(overlapShare)
    run.record.begins(nth, kind)
    const details = await faults[kind](run, random)
    const endedMs = performance.now()
    if (overlaps && nth < run.options.kills) {
      run.record.ended(details)
    } else {
      await recovery(run, await waitFor('ClickHouse to answer', () => ledgerEnds(run)))
      run.record.ended(details, performance.now() - endedMs)
    }
  }
}

/** Resolves when every partition has new rows in the ledger: the whole group works again. */
async function recovery(run: Run, before: ReadonlyMap<number, number>): Promise<void> {
  await waitFor(
    'every partition to go on',
    async () => {
      const ends = await ledgerEnds(run)
      return Array.from({ length: partitions }, (_, partition) => partition).every(
        (partition) => (ends.get(partition) ?? -1) > (before.get(partition) ?? -1),
      )
    },
    { timeoutMs: recoveryMaxMs },
  )
}

async function ledgerEnds({ clickHouse }: Run): Promise<Map<number, number>> {
  const rows = await clickHouse.rows<{ partition: number; last: number }>(
    `SELECT partition, max(last_offset) AS last FROM ${database}.ingest_batches GROUP BY partition`,
  )
  return new Map(rows.map(({ partition, last }) => [partition, last]))
}

/** Resolves when the ledger has reached the last acknowledged message of each partition. */
async function drain(run: Run): Promise<void> {
  await waitFor(
    'the classifiers to drain the log',
    async () => {
      const ends = await ledgerEnds(run)
      return run.manifest.partitions.every(
        (_, partition) => BigInt((ends.get(partition) ?? -1) + 1) >= run.manifest.messages(partition),
      )
    },
    { timeoutMs: drainMaxMs },
  )
}

async function judgeAll(run: Run): Promise<boolean> {
  const { clickHouse, steward, manifest, admin, record } = run
  const judged: Judged = {
    ...{ clickHouse, steward, database, manifest },
    async audit() {
      const { differences } = await audit({
        ...{ clickHouse, database, topic, stream: assistantIntents, looks: { max: 1, pauseMs: 0 } },
        log: () => readAuditedLog(admin, { topic, group }),
      })
      return differences.map(
        ({ kind, where, expected, found }) => `${kind} ${where}: expected ${expected}, found ${found}`,
      )
    },
  }
  const load = judgeLoad(manifest, await admin.watermarks(topic))
  const found = { load, judge: await judge(judged), audit: await judged.audit() }
  record.verdict(found, {
    classifiers: run.fleet.endedByThemselves().length,
    ClickHouse: run.clickHouseServer.ownEnds(),
    Kafka: run.kafkaServer.ownEnds(),
  })
  const clean = Object.values(found).every((differences) => differences.length === 0)
  if (!clean || !run.options.tamper) {
    return clean
  }
  return tamperAndJudge(judged, record.say)
}
