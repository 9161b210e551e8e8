import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { ClickHouseError, createClient, type ClickHouseSettings } from '@clickhouse/client'

import { messageOf, PipelineError, type FaultCode } from '../domain/faults.ts'
import { certificateFault, readAuthority } from './certificates.ts'

export interface ClickHouseConnection {
  readonly url: string
  readonly user: string
  readonly password: string
  /** Path of a PEM file with the certificate authority, when it is not one the system trusts. */
  readonly sslCaFile?: string | undefined
  /** Milliseconds until a request without an answer is given up; its outcome is then unknown. */
  readonly requestTimeoutMs?: number
}

export type QueryParams = Record<string, unknown>
export type { ClickHouseSettings }

export interface ClickHouse {
  /** Rows of a SELECT as objects. 64-bit integers come as numbers: select `toString(x)` where they may pass 2^53. */
  rows<T>(sql: string, params?: QueryParams, settings?: ClickHouseSettings): Promise<T[]>
  /** The answer's bytes; the statement names its own FORMAT. */
  bytes(sql: string, params?: QueryParams): Promise<Buffer>
  /**
   * The answer's bytes as they come; the statement names its own FORMAT. The server begins to send when all of it is there, so that a
   * fault is thrown here and never cuts the answer short.
   */
  stream(sql: string, params: QueryParams): Promise<{ stream: Readable; rows: number }>
  /** A statement without an answer. */
  command(sql: string, params?: QueryParams, settings?: ClickHouseSettings): Promise<void>
  /** INSERT with its data as the body. One attempt: the caller decides what a fault means. */
  insert(
    sql: string,
    body: readonly Uint8Array[],
    options: { params: QueryParams; settings: ClickHouseSettings },
  ): Promise<void>
  close(): Promise<void>
}

/** A client for one user. Every fault is a PipelineError with one clear sentence; see `clickHouseFault`. */
export function createClickHouse(connection: ClickHouseConnection): ClickHouse {
  const client = createClient({
    url: connection.url,
    username: connection.user,
    password: connection.password,
    application: 'intent-ledger',
    request_timeout: connection.requestTimeoutMs ?? 60_000,
    max_open_connections: 16,
    ...(connection.sslCaFile === undefined
      ? {}
      : { tls: { ca_cert: Buffer.from(readAuthority(connection.sslCaFile, 'CLICKHOUSE_SSL_CA_FILE')) } }),
    keep_alive: { enabled: true, idle_socket_ttl: 1_500 },
    // Faults are thrown and handled here; the client's own log lines would only repeat them.
    log: { LoggerClass: SilentLogger },
  })
  const wrap = (thrown: unknown) => clickHouseFault(connection, thrown)

  return {
    async rows<T>(sql: string, params: QueryParams = {}, settings: ClickHouseSettings = {}) {
      try {
        const result = await client.query({
          query: sql,
          query_params: params,
          format: 'JSONEachRow',
          clickhouse_settings: { ...settings, output_format_json_quote_64bit_integers: 0 },
        })
        return await result.json<T>()
      } catch (thrown) {
        throw wrap(thrown)
      }
    },
    async bytes(sql, params = {}) {
      try {
        const result = await client.exec({ query: sql, query_params: params })
        return await buffer(result.stream)
      } catch (thrown) {
        throw wrap(thrown)
      }
    },
    async stream(sql, params) {
      try {
        const result = await client.exec({
          query: sql,
          query_params: params,
          clickhouse_settings: { http_wait_end_of_query: 1 },
        })
        return { stream: result.stream, rows: Number(result.summary?.result_rows ?? 0) }
      } catch (thrown) {
        throw wrap(thrown)
      }
    },
    async command(sql, params = {}, settings = {}) {
      try {
        await client.command({ query: sql, query_params: params, clickhouse_settings: settings })
      } catch (thrown) {
        throw wrap(thrown)
      }
    },
    async insert(sql, body, { params, settings }) {
      try {
        const result = await client.exec({
          query: sql,
          query_params: params,
          values: Readable.from(body, { objectMode: false }),
          clickhouse_settings: settings,
        })
        await buffer(result.stream)
      } catch (thrown) {
        throw wrap(thrown)
      }
    },
    close: () => client.close(),
  }
}

/** Codes that no retry mends: a person must change something. */
const finalCodes: Record<string, FaultCode> = {
  16: 'clickhouse_refused', // NO_SUCH_COLUMN_IN_TABLE
  8: 'clickhouse_refused', // THERE_IS_NO_COLUMN
  47: 'clickhouse_refused', // UNKNOWN_IDENTIFIER
  53: 'clickhouse_refused', // TYPE_MISMATCH
  60: 'clickhouse_refused', // UNKNOWN_TABLE
  62: 'clickhouse_refused', // SYNTAX_ERROR
  81: 'clickhouse_refused', // UNKNOWN_DATABASE
  115: 'clickhouse_refused', // UNKNOWN_SETTING
  164: 'clickhouse_refused', // READONLY
  192: 'clickhouse_refused', // UNKNOWN_USER
  193: 'clickhouse_refused', // WRONG_PASSWORD
  194: 'clickhouse_refused', // REQUIRED_PASSWORD
  456: 'clickhouse_refused', // UNKNOWN_QUERY_PARAMETER
  497: 'clickhouse_refused', // ACCESS_DENIED
  516: 'clickhouse_refused', // AUTHENTICATION_FAILED
  // Thrown by the insert's own lease check (`throwIf`), see services/shared/pipeline/insert.ts.
  395: 'lease_expired',
}

/** What ClickHouse or the way to it said, as one sentence. Passwords never stand in it: they travel in a header. */
export function clickHouseFault(connection: { url: string; user: string }, thrown: unknown): PipelineError {
  if (thrown instanceof PipelineError) {
    return thrown
  }
  const where = `ClickHouse at ${withoutCredentials(connection.url)}`
  if (thrown instanceof ClickHouseError) {
    const code = finalCodes[thrown.code]
    const said = firstSentence(thrown.message)
    if (thrown.code === '516') {
      return new PipelineError(
        `${where} refused user ${connection.user}: wrong user or password; check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD`,
        {
          code: 'clickhouse_refused',
          cause: thrown,
        },
      )
    }
    if (thrown.code === '60' || thrown.code === '81') {
      return new PipelineError(`${where} has no such table (${said}); run \`npx intent-ledger migrate\``, {
        code: 'clickhouse_refused',
        cause: thrown,
      })
    }
    const isFull = thrown.code === '243' || said.includes('No space left on device')
    const what = isFull ? 'has too little room on its disk, make room' : `answered error ${thrown.code}`
    return new PipelineError(`${where} ${what}: ${said}`, {
      code: code ?? 'clickhouse_unreachable',
      retryable: code === undefined,
      cause: thrown,
    })
  }
  const certificate = certificateFault(thrown)
  if (certificate !== undefined) {
    return new PipelineError(
      `${where} can't be trusted: ${certificate}; check CLICKHOUSE_URL and CLICKHOUSE_SSL_CA_FILE`,
      { code: 'clickhouse_refused', cause: thrown },
    )
  }
  return new PipelineError(`${where} can't be reached: ${messageOf(thrown)}`, {
    code: 'clickhouse_unreachable',
    retryable: true,
    cause: thrown,
  })
}

function firstSentence(message: string): string {
  const line = message.split('\n')[0]!.trim()
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}

class SilentLogger {
  trace(): void {}
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}
