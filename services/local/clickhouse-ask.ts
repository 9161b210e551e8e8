import { request } from 'node:http'

export type Login = { httpPort: number; user: string; password: string; timeoutMs: number }

/**
 * One statement over a connection that is closed after it: the engine's shutdown waits up to 5 s for connections that a client
 * keeps alive. Resolves with the body of a 200, rejects on anything else.
 */
export function askClickHouse(login: Login, statement: string, settings: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request({
      host: '127.0.0.1',
      port: login.httpPort,
      path: `/?${new URLSearchParams(settings).toString()}`,
      method: 'POST',
      agent: false,
      timeout: login.timeoutMs,
      headers: { 'X-ClickHouse-User': login.user, 'X-ClickHouse-Key': login.password },
    })
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${login.timeoutMs} ms`)))
    asking.on('error', reject)
    asking.on('response', (response) => {
      response.toArray().then((chunks: Buffer[]) => {
        const body = Buffer.concat(chunks).toString()
        if (response.statusCode === 200) resolve(body)
        else reject(new Error(`status ${response.statusCode}: ${body}`))
      }, reject)
    })
    asking.end(statement)
  })
}
