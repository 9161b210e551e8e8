/** A Confluent-compatible registry on the loopback, as little of it as ClickHouse asks: `GET /schemas/ids/{id}`. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'

import { registryEntries, registryFile } from '../../services/shared/io/schema-registry.ts'

export interface SchemaEndpoint {
  readonly url: string
  close(): Promise<void>
}

/** Serves the schemas of the registry file. An unknown id gets the registry's own answer, 404 with code 40403. */
export async function startSchemaEndpoint(): Promise<SchemaEndpoint> {
  const schemas = new Map(
    registryEntries().map(({ id, file }) => [String(id), readFileSync(join(dirname(registryFile), file), 'utf8')]),
  )
  const server = createServer((request, response) => {
    const schema = schemas.get(/^\/schemas\/ids\/(\d+)(\?|$)/.exec(request.url ?? '')?.[1] ?? '')
    const body = schema === undefined ? { error_code: 40_403, message: 'Schema not found' } : { schema }
    response.writeHead(schema === undefined ? 404 : 200, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
    response.end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
