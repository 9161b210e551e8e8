/**
 * One statement to ClickHouse' own engine in a process of its own, as clickhouse-local runs it: no server, no users, so the
 * statement may read files. Arguments: the path of libchdb.so and the statement. Exit code 1: the engine's error, on standard error.
 */
import { DataType, load, open, restorePointer, wrapPointer, type JsExternal } from 'ffi-rs'

const [, , engine, query] = process.argv as [string, string, string, string]
open({ library: 'chdb', path: engine })
const args = ['clickhouse', '--log-level=fatal', '--query', query]
const result: JsExternal = await load({
  library: 'chdb',
  funcName: 'query_stable_v2',
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
  runInNewThread: true,
})

/** chdb.h: struct local_result_v2. A pointer that is null must not be read as text. */
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
  (restorePointer({ retType: [layout(error)], paramsValue: wrapPointer([result]) })[0] as unknown as { error: unknown })
    .error
const failed = read(DataType.BigInt) !== 0n
if (failed) {
  process.stderr.write(String(read(DataType.String)))
}
process.exit(failed ? 1 : 0)
