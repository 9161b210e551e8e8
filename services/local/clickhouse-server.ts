/** The embedded ClickHouse: the whole engine as a library in a Node process of its own, with HTTP on loopback. */
import { copyFile, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { mistake } from '../shared/domain/faults.ts'
import { askClickHouse } from './clickhouse-ask.ts'
import type { ChildOrders } from './clickhouse-child.ts'
import { mendDeduplicationLogs } from './dedup-mend.ts'
import { createManagedServer, type ManagedServer } from './managed-server.ts'
import { passwordHashes, type StackSecrets } from './secrets.ts'
import { spawnWatching } from './spawn-server.ts'

export type ClickHouseOptions = {
  /** Path of libchdb.so. */
  engine: string
  folder: string
  logFile: string
  httpPort: number
  secrets: StackSecrets
  mendDeduplication: boolean
  onLog: (line: string) => void
  onDeath: (error: Error) => void
}

const infraFolder = join(import.meta.dirname, '..', '..', 'infra', 'clickhouse')
const startDeadlineMs = 60_000
const stopDeadlineMs = 20_000
const answerTimeoutMs = 2_000

/** Path of libchdb.so. Throws a mistake where the package isn't installed. */
export function findEngine(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@chdb/lib-linux-x64-gnu/package.json')), 'libchdb.so')
  } catch {
    throw mistake(
      'the embedded ClickHouse runs on 64-bit x86 Linux with glibc only, and its package @chdb/lib-linux-x64-gnu is not installed here: ' +
        'use `docker compose up`, or name running servers with KAFKA_BROKERS and CLICKHOUSE_URL',
    )
  }
}

/** Starts it and resolves when the pipeline user can log in. Each start on a folder with data first mends it (dedup-mend.ts). */
export async function startClickHouse(options: ClickHouseOptions): Promise<ManagedServer> {
  const configFolder = join(options.folder, 'etc')
  const dataFolder = join(options.folder, 'data')
  await mkdir(join(configFolder, 'config.d'), { recursive: true })
  await mkdir(dataFolder, { recursive: true })
  await copyFile(join(infraFolder, 'embedded.xml'), join(configFolder, 'config.xml'))
  await copyFile(join(infraFolder, 'config.xml'), join(configFolder, 'config.d', 'intent-ledger.xml'))

  const server = createManagedServer({
    name: 'ClickHouse',
    logFile: options.logFile,
    launch: async () => {
      if (options.mendDeduplication) {
        const mended = await mendDeduplicationLogs(dataFolder)
        if (mended > 0) options.onLog(`mended ${mended} deduplication records of inserts that a kill had cut off`)
      }
      return spawnWatching({
        command: process.execPath,
        args: [join(import.meta.dirname, 'clickhouse-child.ts')],
        firstLine: JSON.stringify({
          enginePath: options.engine,
          configFile: join(configFolder, 'config.xml'),
          httpPort: options.httpPort,
          pipelinePassword: options.secrets.pipelinePassword,
          environment: {
            ...passwordHashes(options.secrets),
            CLICKHOUSE_LOG_FILE: options.logFile,
            CLICKHOUSE_HTTP_PORT: String(options.httpPort),
            CLICKHOUSE_DATA_FOLDER: `${dataFolder}/`,
            CLICKHOUSE_USERS_FILE: join(infraFolder, 'users.xml'),
          },
        } satisfies ChildOrders),
        logFile: options.logFile,
        cwd: dataFolder,
      })
    },
    answers: () => answers(options),
    startDeadlineMs,
    stopDeadlineMs,
    onDeath: options.onDeath,
  })
  await server.start()
  return server
}

/** Logs in instead of asking /ping: whatever else may answer on the port doesn't know the password. */
async function answers(options: { httpPort: number; secrets: StackSecrets }): Promise<boolean> {
  try {
    const { httpPort, secrets } = options
    const login = { httpPort, user: 'pipeline', password: secrets.pipelinePassword, timeoutMs: answerTimeoutMs }
    return (await askClickHouse(login, 'SELECT 1')) === '1\n'
  } catch {
    return false
  }
}
