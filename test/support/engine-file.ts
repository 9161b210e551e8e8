/** ClickHouse' own reading of a file, by its engine in a process without a server (`engine-query.ts`). */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** A file as what stands after FROM in `queryEngine`. */
export const fileTable = (path: string, format: 'Avro' | 'Parquet' | 'CSVWithNames') => `file('${path}', ${format})`

/** Rows of a SELECT that reads files. */
export async function queryEngine<T>(select: string): Promise<T[]> {
  const engine = join(
    dirname(createRequire(import.meta.url).resolve('@chdb/lib-linux-x64-gnu/package.json')),
    'libchdb.so',
  )
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-engine-'))
  try {
    const answer = join(folder, 'answer.json')
    await execute(process.execPath, [
      ...[join(import.meta.dirname, 'engine-query.ts'), engine],
      `INSERT INTO FUNCTION file('${answer}', JSONEachRow) ${select} SETTINGS output_format_json_quote_64bit_integers = 0`,
    ])
    const text = await readFile(answer, 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as T)
  } finally {
    await rm(folder, { recursive: true })
  }
}
