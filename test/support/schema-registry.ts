import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import { registryEntries, registryFile } from '../../services/shared/io/schema-registry.ts'

interface RecordSchema {
  readonly fields: readonly unknown[]
}

const latest = registryEntries().findLast(({ subject }) => subject === assistantIntents.subject)!
/** The newest writer schema of the requests that ships. */
export const latestSchema = JSON.parse(
  readFileSync(new URL(latest.file, `file://${registryFile}`), 'utf8'),
) as RecordSchema
/** What a team may register next: one more optional field, which nobody here has heard of. */
export const schemaWithRoom = {
  ...latestSchema,
  fields: [...latestSchema.fields, { name: 'room', type: ['null', 'string'], default: null }],
}

/** A registry as Confluent documents it: GET /schemas/ids/{id}. */
export async function startRegistry(t: Pick<TestContext, 'after'>, schemas: ReadonlyMap<number, unknown>) {
  const state = { failing: false, asked: [] as string[] }
  const server = createServer((request, response) => {
    state.asked.push(request.url!)
    const id = /^\/schemas\/ids\/(\d+)$/.exec(request.url!)?.[1]
    const schema = schemas.get(Number(id))
    const [status, body] = state.failing
      ? [500, { error_code: 50001, message: 'Error in the backend data store' }]
      : schema === undefined
        ? [404, { error_code: 40403, message: 'Schema not found' }]
        : [200, { schema: JSON.stringify(schema) }]
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
