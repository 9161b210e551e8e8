import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { createRandom } from '../../services/producer/random.ts'
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import { createClickHouse, type ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { connectKafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { createKafka } from '../../services/shared/io/kafka.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { audit, readAuditedLog } from '../../services/shared/pipeline/audit.ts'
import { drawFaults, faults } from './faults.ts'
import { createFleet } from './fleet.ts'
import { judge, judgeLoad } from './judge.ts'
import { keepRunning } from './kept-server.ts'
import { startLoad } from './load.ts'
import { createManifest, type Manifest } from './manifest.ts'
import type { ChaosOptions } from './options.ts'
import { createProgress } from './progress.ts'
import { createRecord, type ChaosRecord, type Summary } from './record.ts'
import { startServers, type Servers } from './servers.ts'
import { tamperAndJudge } from './tamper.ts'
import type { FaultedWorld } from './world.ts'

const topic = 'chaos-intents'
const group = 'chaos-classifiers'
const database = 'intent_ledger_chaos'
/** At the beginning; a fault adds some. */
const partitions = 6
const classifiers = 3
const sessionTimeoutMs = 4_000
const memberships = 2
/** Shorter than the longest pause of a classifier, so that the lease is asked for too. */
const leaseMs = 6_000
/** As the product's default: it must outlast a takeover. The fault that is about the window makes it small itself. */
const dedupWindowBlocks = 10_000

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
  readonly steward: ClickHouse
  readonly record: ChaosRecord
}

interface Parts {
  readonly servers: Servers
  readonly options: ChaosOptions
  readonly folder: string
  readonly record: ChaosRecord
  /** What ends the run's parts, in the order in which they were made. */
  readonly ending: (() => Promise<void> | void)[]
}

/** What was done and found. Leaves no process behind, and no folder unless something was wrong. */
export async function runChaos(options: ChaosOptions, { say, interrupted }: ChaosSurroundings): Promise<Summary> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-chaos-'))
  const record = createRecord(options, say)
  const { seed, kills, brokers, ratePerSecond } = options
  record.say(`seed ${seed}, ${kills} faults, ${brokers} broker(s), ${ratePerSecond} events/s; logs in ${folder}`)
  const ending: Parts['ending'] = []
  let summary: Summary | undefined
  let isInterrupted = false
  interrupted.catch(() => (isInterrupted = true))
  try {
    const work = async () => {
      const servers = await startServers({ folder, brokers, ending })
      return runOnServers({ servers, options, folder, record, ending })
    }
    summary = await Promise.race([work(), interrupted])
    return summary
  } finally {
    for (const end of ending.toReversed()) {
      await end()
    }
    if ((summary?.clean === true || isInterrupted) && !options.keep) {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function runOnServers(parts: Parts): Promise<Summary> {
  const { servers, options, folder, record, ending } = parts
  const login = { url: servers.clickHouseUrl, requestTimeoutMs: 60_000 }
  const clickHouse = createClickHouse({ ...login, user: 'pipeline', password: servers.secrets.pipelinePassword })
  const steward = createClickHouse({ ...login, user: 'steward', password: servers.secrets.stewardPassword })
  ending.push(async () => {
    await Promise.all([clickHouse.close(), steward.close()])
  })
  const log = createLogger({ service: 'chaos', level: 'silent', pretty: false })
  const kafka = createKafka({ brokers: servers.brokerAddresses, clientId: 'chaos', ssl: false }, log)
  const admin = await connectKafkaAdmin(kafka)
  await migrate(clickHouse, { database, dedupWindowBlocks })
  await admin.ensureTopic({ topic, partitions, replicas: options.brokers, configs: {} })

  const ports = new Map<number, number>()
  const fleet = createFleet({
    async environmentOf(member) {
      const port = await servers.clickHouseProxy.listen()
      ports.set(member, port)
      return classifierEnvironment(parts, port)
    },
    folder,
    say: record.say,
  })
  ending.push(() => fleet.killAll())
  for (let nth = 0; nth < classifiers; nth++) {
    await fleet.add()
  }
  const clickHouseServer = keepRunning('ClickHouse', servers.clickHouse, record.say)
  const kafkaServers = servers.brokers.map((server, nth) => keepRunning(`Kafka ${nth + 1}`, server, record.say))
  ending.push(async () => {
    await Promise.all([clickHouseServer, ...kafkaServers].map((server) => server.release()))
  })
  const manifest = createManifest(partitions)
  const load = await startLoad({ ...options, brokers: servers.brokerAddresses, topic, manifest })
  const run: Run = {
    ...{ topic, group, database, sessionTimeoutMs, memberships, dedupWindowBlocks, options, record },
    ...{ clickHouse, steward, kafka, admin, fleet, load, manifest, clickHouseServer, kafkaServers },
    clickHouseProxy: servers.clickHouseProxy,
    kafkaProxies: servers.kafkaProxies,
    portOf: (member) => ports.get(member)!,
    progress: createProgress({ clickHouse, database, manifest }),
  }
  const loadFailed = load.failed.then((fault) => Promise.reject(fault))
  loadFailed.catch(() => undefined)

  const work = async () => {
    await breakThings(run)
    record.load(await load.finish(), manifest)
    await run.progress.drained()
    await fleet.stop()
    return judgeAll(run)
  }
  return Promise.race([work(), loadFailed])
}

function classifierEnvironment({ servers, folder }: Parts, clickHousePort: number): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return {
    ...{ PATH, HOME, INTENT_LEDGER_DATA: join(folder, 'none') },
    KAFKA_BROKERS: servers.brokerAddresses.join(','),
    KAFKA_TOPIC: topic,
    KAFKA_GROUP: group,
    KAFKA_MEMBERSHIPS: String(memberships),
    CLICKHOUSE_URL: `http://127.0.0.1:${clickHousePort}`,
    CLICKHOUSE_USER: 'pipeline',
    CLICKHOUSE_PASSWORD: servers.secrets.pipelinePassword,
    CLICKHOUSE_DATABASE: database,
    SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
    LEASE_MS: String(leaseMs),
    // Small batches: many plans, inserts and commits for the faults to fall between.
    BATCH_ROWS_MAX: '5000',
    GATHER_MAX_MS: '1000',
    METADATA_MAX_AGE_MS: '1000',
  }
}

/** Faults that are not waited for meet the next one while the group still recovers. */
async function breakThings(run: Run): Promise<void> {
  const { options, progress, record } = run
  const random = createRandom(options.seed, 2)
  await progress.goneOn(new Map())
  const kinds = drawFaults(createRandom(options.seed, 3), options)
  for (let nth = 1; nth <= options.kills; nth++) {
    await sleep(random.integer(0, 1_000))
    const kind = kinds.next().value
    const isWaitedFor = random.chance(options.waitedPercent / 100)
    record.begins(nth, kind)
    const deeds = await faults[kind](run, random)
    const endedMs = performance.now()
    if (isWaitedFor || nth === options.kills) {
      await progress.goesOn()
      record.ended(deeds, performance.now() - endedMs)
    } else {
      record.ended(deeds)
    }
  }
}

async function judgeAll(run: Run): Promise<Summary> {
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
  const summary = record.verdict(found, {
    classifiers: run.fleet.endedByThemselves().length,
    ClickHouse: run.clickHouseServer.ownEnds(),
    Kafka: run.kafkaServers.reduce((sum, server) => sum + server.ownEnds(), 0),
  })
  if (!summary.clean || !run.options.tamper) {
    return summary
  }
  return { ...summary, clean: await tamperAndJudge(judged, record.say) }
}
