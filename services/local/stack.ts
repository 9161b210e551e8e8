/**
 * The embedded stack: a real Kafka and a real ClickHouse on this machine, in one data folder.
 *
 * Whoever starts it owns it: both servers end when this process stops them, fails or is killed. A second start on the same folder
 * goes on with its data, its secrets and, while they are free, its ports; two stacks never open one folder at once.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { startBroker } from './kafka-broker.ts'
import { fetchKafkaJars, findJava } from './kafka-jars.ts'
import { findEngine, startClickHouse } from './clickhouse-server.ts'
import { mistake } from '../shared/domain/faults.ts'
import { lockFolder } from './folder-lock.ts'
import type { ManagedServer } from './managed-server.ts'
import { choosePort } from './ports.ts'
import { loadSecrets, type StackSecrets } from './secrets.ts'

export type StackOptions = {
  /** Holds everything: logs, data, secrets, ports. Made when it is missing. */
  dataDir: string
  /** Progress for a person, one line at a time. */
  onLog?: (line: string) => void
  kafka?: {
    /** Lines of server.properties to add or to replace; they may hold its blanks. */
    overrides?: Record<string, string>
    /** More arguments of the formatting, e.g. --add-scram with the first users. */
    formatArguments?: readonly string[]
    heapMaxMb?: number
  }
  /** Only false in the test that shows what the mend of the deduplication log is for. */
  mendDeduplication?: boolean
  /** Where Kafka's jars are kept between runs; node_modules/.cache/intent-ledger by default. */
  cacheFolder?: string
  /** The Java to use; the first `java` of the path by default. */
  javaHome?: string
  brokers?: 1
}

export type LocalStack = {
  /** `127.0.0.1:port` each. */
  kafkaBrokers: string[]
  clickhouseUrl: string
  dataDir: string
  secrets: StackSecrets
  kafka: ManagedServer
  clickhouse: ManagedServer
  /** Resolves, once, with what happened when a server ends without having been asked to. Never rejects. */
  died: Promise<Error>
  /** Ends both servers and frees the folder. Safe to call again. */
  stop(): Promise<void>
}

/** Throws a PipelineError whose message is one sentence for a person: what is missing, which folder is taken, which server died. */
export async function startStack(options: StackOptions): Promise<LocalStack> {
  const dataDir = resolve(options.dataDir)
  const log = options.onLog ?? (() => undefined)
  // Kafka's log.dirs is a list with commas in a properties file, where a backslash escapes.
  if (/[,\\\n]/.test(dataDir))
    throw mistake(`the data folder ${dataDir} has a comma or a backslash in its name: choose another`)
  const engine = findEngine()
  const java = await findJava(options.javaHome)
  const jarsFolder = await fetchKafkaJars({ cacheFolder: options.cacheFolder, onLog: log })

  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const lock = await lockFolder(dataDir)
  const death = Promise.withResolvers<Error>()
  const started: ManagedServer[] = []
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()))
    await lock.release()
  }
  const keep = (server: ManagedServer) => {
    started.push(server)
    return server
  }

  try {
    const secrets = await loadSecrets(dataDir)
    const ports = await choosePorts(dataDir)
    const starting = [
      startBroker({
        java,
        jarsFolder,
        folder: join(dataDir, 'kafka'),
        logFile: join(dataDir, 'kafka.log'),
        nodeId: 1,
        brokerPort: ports.kafka,
        controllerPort: ports.kafkaController,
        voters: `1@127.0.0.1:${ports.kafkaController}`,
        ...options.kafka,
        onDeath: death.resolve,
      }).then(keep),
      startClickHouse({
        engine,
        folder: join(dataDir, 'clickhouse'),
        logFile: join(dataDir, 'clickhouse.log'),
        httpPort: ports.clickhouse,
        secrets,
        mendDeduplication: options.mendDeduplication ?? true,
        onLog: log,
        onDeath: death.resolve,
      }).then(keep),
    ] as const
    await Promise.allSettled(starting)
    const [kafka, clickhouse] = await Promise.all(starting)
    await lock.describe([kafka.pid, clickhouse.pid])
    log(`Kafka on 127.0.0.1:${ports.kafka} and ClickHouse on http://127.0.0.1:${ports.clickhouse} (data in ${dataDir})`)
    return {
      kafkaBrokers: [`127.0.0.1:${ports.kafka}`],
      clickhouseUrl: `http://127.0.0.1:${ports.clickhouse}`,
      dataDir,
      secrets,
      kafka,
      clickhouse,
      died: death.promise,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const portsFormat = z.strictObject({ kafka: z.int(), kafkaController: z.int(), clickhouse: z.int() })
type Ports = z.infer<typeof portsFormat>

/** The folder's ports of last time where they are still free: clients that were told an address find it again. */
async function choosePorts(dataDir: string): Promise<Ports> {
  const file = join(dataDir, 'ports.json')
  const last = portsFormat.safeParse(await readJson(file)).data
  const taken = new Set<number>()
  const kafka = await choosePort({ preferred: last?.kafka, taken })
  const kafkaController = await choosePort({ preferred: last?.kafkaController, taken })
  const clickhouse = await choosePort({ preferred: last?.clickhouse, taken })
  const ports = { kafka, kafkaController, clickhouse }
  await writeFile(`${file}.new`, JSON.stringify(ports))
  await rename(`${file}.new`, file)
  return ports
}

/** Undefined when the file is missing or is not JSON: ports are a wish, not data. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}
