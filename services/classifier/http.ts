import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { messageOf, mistake } from '../shared/domain/faults.ts'
import type { ClassifierMetrics } from './metrics.ts'

export interface StatusServer {
  readonly port: number
  close(): Promise<void>
}

/** `/metrics` for Prometheus, `/healthz` (the process lives), `/readyz` (503 and the reason while it can't do its work). */
export async function startStatusServer(options: {
  host: string
  port: number
  metrics: ClassifierMetrics
  notReady(): string | undefined
}): Promise<StatusServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': type }).end(body)
    }
    if (request.method !== 'GET') {
      return answer(405, 'only GET is served here\n')
    }
    // A query changes nothing: scrapers and probes add one of their own.
    switch ((request.url ?? '').replace(/\?.*/s, '')) {
      case '/metrics':
        options.metrics.registry.metrics().then(
          (text) => answer(200, text, options.metrics.registry.contentType),
          (thrown: unknown) => answer(500, `${messageOf(thrown)}\n`),
        )
        return
      case '/healthz':
        return answer(200, 'ok\n')
      case '/readyz': {
        const reason = options.notReady()
        return reason === undefined ? answer(200, 'ready\n') : answer(503, `${reason}\n`)
      }
      default:
        return answer(404, 'there are /metrics, /healthz and /readyz\n')
    }
  })
  await listen(server, options)
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (thrown) =>
      reject(mistake(`port ${port} on ${host} can't be opened: ${thrown.message}; set HTTP_PORT`, 'config_invalid')),
    )
    server.listen(port, host, resolve)
  })
}
