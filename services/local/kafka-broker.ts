/** One broker of the embedded Kafka, in KRaft mode: broker and controller in one Java process. */
import { execFile } from 'node:child_process'
import { access, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, PipelineError } from '../shared/domain/faults.ts'
import { createManagedServer, type ManagedServer } from './managed-server.ts'
import { spawnSupervised } from './spawn-server.ts'

export type BrokerOptions = {
  java: string
  jarsFolder: string
  /** Data and the filled-in server.properties. Formatted when it is new. */
  folder: string
  logFile: string
  nodeId: number
  brokerPort: number
  controllerPort: number
  /** `id@host:port` of every controller, with commas. */
  voters: string
  /** The same for all nodes of a cluster: 22 characters of base64url. */
  clusterId?: string
  /** Lines of server.properties to add or to replace; they may hold its blanks. */
  overrides?: Record<string, string>
  /** More arguments of the formatting, e.g. --add-scram with the first users. */
  formatArguments?: readonly string[]
  heapMaxMb?: number
  onDeath: (error: Error) => void
}

const templateFile = join(import.meta.dirname, '..', '..', 'infra', 'kafka', 'server.properties')
const defaultClusterId = 'IntentLedgerLocalStack'
const startedLine = 'Kafka Server started'
const startDeadlineMs = 60_000
const stopDeadlineMs = 20_000

/** Starts it and resolves when it takes requests. */
export async function startBroker(options: BrokerOptions): Promise<ManagedServer> {
  await mkdir(options.folder, { recursive: true })
  const propertiesFile = join(options.folder, 'server.properties')
  const logFolder = join(options.folder, 'data')
  await writeFile(propertiesFile, await fillTemplate({ ...options, logFolder }))
  await formatOnce(options, { propertiesFile, logFolder })

  let logStart = 0
  const server = createManagedServer({
    name: 'Kafka',
    logFile: options.logFile,
    launch: async () => {
      logStart = await sizeOf(options.logFile)
      return spawnSupervised({
        command: options.java,
        args: [...javaArgs(options), 'kafka.Kafka', propertiesFile],
        logFile: options.logFile,
        graceMs: stopDeadlineMs,
      })
    },
    answers: async () => (await textFrom(options.logFile, logStart)).includes(startedLine),
    startDeadlineMs,
    stopDeadlineMs,
    onDeath: options.onDeath,
  })
  await server.start()
  return server
}

function javaArgs(options: { jarsFolder: string; heapMaxMb?: number }): string[] {
  const log = '-Dorg.slf4j.simpleLogger'
  return [
    `-Xmx${options.heapMaxMb ?? 512}m`,
    // Two cores and a small heap: the serial collector needs least memory. The optimising compiler is left out: a start takes
    // 3.2 s instead of 4.9 and 2.8 CPU s instead of 4.6; producing and consuming 600,000 records costs no more without it.
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    `${log}.defaultLogLevel=warn`,
    // Its one line `Kafka Server started` is how we know.
    `${log}.log.kafka.server.KafkaRaftServer=info`,
    `${log}.showDateTime=true`,
    `${log}.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX`,
    '-cp',
    join(options.jarsFolder, '*'),
  ]
}

async function fillTemplate(options: BrokerOptions & { logFolder: string }): Promise<string> {
  const values: Record<string, string | number> = {
    nodeId: options.nodeId,
    voters: options.voters,
    brokerPort: options.brokerPort,
    controllerPort: options.controllerPort,
    logFolder: options.logFolder,
  }
  const template = await readFile(templateFile, 'utf8')
  const overrides = Object.entries(options.overrides ?? {}).map(([key, value]) => `${key}=${value}\n`)
  const whole =
    overrides.length === 0
      ? template
      : `${template}\n# Overrides: of two lines with one key, the later counts.\n${overrides.join('')}`
  return whole.replace(/^(?!#)(.*)$/gm, (line) =>
    line.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const value = values[name]
      if (value === undefined)
        throw new PipelineError(`${templateFile}: nothing fills in ${name}`, { code: 'file_invalid' })
      return String(value)
    }),
  )
}

/** A formatted folder holds meta.properties; formatting starts a JVM of its own (about a second), so once is enough. */
async function formatOnce(options: BrokerOptions, files: { propertiesFile: string; logFolder: string }): Promise<void> {
  try {
    await access(join(files.logFolder, 'meta.properties'))
    return
  } catch {
    // Not formatted yet.
  }
  const format = ['format', '--cluster-id', options.clusterId ?? defaultClusterId, '--config', files.propertiesFile]
  format.push(...(options.formatArguments ?? []))
  try {
    await promisify(execFile)(options.java, [...javaArgs(options), 'kafka.tools.StorageTool', ...format])
  } catch (error) {
    throw new PipelineError(`formatting the Kafka folder ${files.logFolder}: ${messageOf(error)}`, {
      code: 'stack_failed',
      cause: error,
    })
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0
  }
}

async function textFrom(file: string, start: number): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const chunks = await handle.createReadStream({ start, encoding: 'utf8', autoClose: false }).toArray()
    return chunks.join('')
  } finally {
    await handle.close()
  }
}
