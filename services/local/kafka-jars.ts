/** Java and Kafka's jars: what the embedded broker needs from this machine and, once, from Maven's registry. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, mistake } from '../shared/domain/faults.ts'

const run = promisify(execFile)

export const kafkaVersion = '4.3.0'
const javaVersionMin = 17
const otherWays = 'or name running servers with KAFKA_BROKERS and CLICKHOUSE_URL, or use `docker compose up`'

const projectFolder = join(import.meta.dirname, '..', '..')
const pomFile = join(projectFolder, 'infra', 'kafka', 'pom.xml')

/** The java command. Throws a mistake that says what to install. */
export async function findJava(javaHome?: string): Promise<string> {
  const java = javaHome === undefined ? 'java' : join(javaHome, 'bin', 'java')
  const install = `install it (Debian: apt-get install openjdk-17-jre-headless maven), ${otherWays}`
  let version: string
  try {
    version = (await run(java, ['-version'])).stderr
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw mistake(`the embedded Kafka needs Java ${javaVersionMin} or newer, and there is no ${java} here: ${install}`)
  }
  const major = Number(/version "(\d+)/.exec(version)?.[1])
  if (!(major >= javaVersionMin)) {
    throw mistake(
      `the embedded Kafka needs Java ${javaVersionMin} or newer, and ${java} is ${version.split('\n')[0]}: ${install}`,
    )
  }
  return java
}

/**
 * The folder with Kafka's jars. A folder that is there is complete, for it is renamed into place: then neither Maven nor a
 * network is needed, and two runs that fetch at once don't disturb each other. Its name holds a hash of the pom.
 */
export async function fetchKafkaJars(options: {
  cacheFolder?: string | undefined
  onLog: (line: string) => void
}): Promise<string> {
  const cache = options.cacheFolder ?? join(projectFolder, 'node_modules', '.cache', 'intent-ledger')
  const pomHash = createHash('sha256')
    .update(await readFile(pomFile))
    .digest('hex')
    .slice(0, 8)
  const folder = join(cache, `kafka-${kafkaVersion}-${pomHash}`)
  if (await exists(folder)) return folder

  options.onLog(`fetching Kafka ${kafkaVersion} (44 MB), once`)
  await mkdir(cache, { recursive: true })
  const aside = await mkdtemp(join(cache, 'fetching-'))
  try {
    await copyDependencies(aside)
    if (!(await readdir(aside)).includes(`kafka_2.13-${kafkaVersion}.jar`)) {
      throw new Error(`${pomFile} did not bring kafka_2.13-${kafkaVersion}.jar`)
    }
    await rename(aside, folder)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    // Another run was first: its folder is as good as ours.
    if (!(await exists(folder))) throw error
  }
  return folder
}

async function copyDependencies(folder: string): Promise<void> {
  const args = ['-q', '-B', '-f', pomFile, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`]
  try {
    await run('mvn', args)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw mistake(
        `fetching Kafka ${kafkaVersion} needs Maven, once, and there is no mvn here: install it (Debian: apt-get install maven), ${otherWays}`,
      )
    }
    const firstError = messageOf(error)
      .split('\n')
      .find((line) => line.includes('[ERROR]'))
    throw mistake(
      `fetching Kafka ${kafkaVersion} with Maven failed (${firstError ?? messageOf(error)}): look to the network and try again`,
    )
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
