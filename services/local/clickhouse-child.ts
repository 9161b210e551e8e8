/**
 * The process around the embedded engine, started by clickhouse-server.ts with its orders as the first line of standard input.
 *
 * The engine runs clickhouse-local's main function in a thread: open the HTTP port, then a statement that never ends. When
 * standard input closes (our owner stopped or died) that statement is killed, and the engine shuts down cleanly.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { DataType, load, open, restorePointer, wrapPointer, type JsExternal } from 'ffi-rs'
import { askClickHouse } from './clickhouse-ask.ts'

export type ChildOrders = {
  /** Path of libchdb.so. */
  enginePath: string
  configFile: string
  httpPort: number
  pipelinePassword: string
  /** What the configuration files read by `from_env`. */
  environment: Record<string, string>
}

const killRetryMs = 200
const killTimeoutMs = 5_000

// `default` may do just these two (infra/clickhouse/users.xml). Blocks of one row: it sleeps, and piles up nothing.
const statements = [
  'SYSTEM START LISTEN HTTP',
  'SELECT sleepEachRow(1) FROM system.numbers FORMAT Null SETTINGS max_block_size = 1, max_threads = 1',
]

const input = createInterface({ input: process.stdin })
const [firstLine] = (await once(input, 'line')) as [string]
const orders = JSON.parse(firstLine) as ChildOrders
let asked = false
input.once('close', () => {
  asked = true
  void endEngine()
})
// Assigning to process.env calls setenv, so the engine's getenv sees it.
Object.assign(process.env, orders.environment)

open({ library: 'chdb', path: orders.enginePath })
const args = [
  'clickhouse',
  `--config-file=${orders.configFile}`,
  '--log-level=warning',
  '--query',
  statements.join('; '),
]
const result = await load({
  library: 'chdb',
  funcName: 'query_stable_v2',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
  runInNewThread: true,
})
// Killed on purpose, the never-ending statement ends in an error as well; whatever else ends it, the server has died.
if (!asked) process.stderr.write(`the engine ended by itself: ${errorOf(result) ?? 'no error was reported'}\n`)
process.exit(asked ? 0 : 1)

/** Tries again until this process is gone: while the engine starts its port is not open yet. */
async function endEngine(): Promise<never> {
  const login = {
    httpPort: orders.httpPort,
    user: 'pipeline',
    password: orders.pipelinePassword,
    timeoutMs: killTimeoutMs,
  }
  for (;;) {
    try {
      // ASYNC: the engine's shutdown waits for open connections, and under SYNC would wait 5 s for this very one.
      await askClickHouse(login, "KILL QUERY WHERE user = '' ASYNC")
    } catch {
      // Not up yet, or just gone.
    }
    await delay(killRetryMs)
  }
}

/**
 * chdb.h: struct local_result_v2 { char *buf; size_t len; void *vec; double elapsed; uint64 rows, bytes; char *error_message }.
 * The message's pointer is null when all went well, so it is looked at before it is read as text.
 */
function errorOf(external: JsExternal): string | undefined {
  const layout = (error: DataType) => ({
    buf: DataType.External,
    len: DataType.BigInt,
    vec: DataType.External,
    elapsed: DataType.Double,
    rows: DataType.BigInt,
    bytes: DataType.BigInt,
    error,
  })
  const read = (error: DataType) =>
    restorePointer({ retType: [layout(error)], paramsValue: wrapPointer([external]) })[0] as unknown as {
      error: unknown
    }
  if (read(DataType.BigInt).error === 0n) return undefined
  return String(read(DataType.String).error)
}
