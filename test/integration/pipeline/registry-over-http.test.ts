import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { createEventEncoder } from '../../../services/shared/io/avro.ts'
import { registryEntries, registryFile } from '../../../services/shared/io/schema-registry.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { someEvent } from '../../support/some-events.ts'
import { waitFor } from '../../support/wait-for.ts'

interface RecordSchema {
  readonly fields: readonly unknown[]
}

const latest = JSON.parse(
  readFileSync(new URL(registryEntries().at(-1)!.file, `file://${registryFile}`), 'utf8'),
) as RecordSchema
/** What a team may register next: one more optional field, which nobody here has heard of. */
const withRoom = { ...latest, fields: [...latest.fields, { name: 'room', type: ['null', 'string'], default: null }] }

/** A registry as Confluent documents it: GET /schemas/ids/{id}. */
async function startRegistry(t: TestContext, schemas: Map<number, unknown>) {
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
  t.after(() => server.close())
  return { ...state, state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('takes a writer schema with an added optional field from the registry, without a restart and without loss', async (t) => {
  const schemas = new Map<number, unknown>([[7, latest]])
  const registry = await startRegistry(t, schemas)
  const work = await pipelineCase(t, { env: { SCHEMA_REGISTRY_URL: registry.url } })
  const send = (schemaId: number, schema: unknown, count: number) => {
    const encoder = createEventEncoder({ schemaId, schema })
    return work.send(
      Array.from({ length: count }, () => ({ value: encoder.encode(someEvent({ eventId: randomBytes(16) })) })),
    )
  }
  const classifier = work.startInProcess()
  const held = async () => {
    classifier.assertAlive()
    const [row] = await work.clickHouse.rows<{ accepted: number; rejected: number }>(
      `SELECT sum(b.accepted) AS accepted, sum(b.rejected) AS rejected FROM ${work.database}.ingest_batches AS b`,
    )
    return row!
  }
  await send(7, latest, 20)
  await waitFor('the first schema', async () => (await held()).accepted === 20)

  schemas.set(9, withRoom)
  await send(9, withRoom, 30)
  await send(7, latest, 5)
  await waitFor('the added schema', async () => (await held()).accepted === 55)
  assert.equal((await held()).rejected, 0)
  // Schemas are kept: each id was asked for once.
  assert.deepEqual(registry.state.asked.toSorted(), ['/schemas/ids/7', '/schemas/ids/9'])

  await send(404, withRoom, 3)
  await waitFor('the unknown id', async () => (await held()).rejected === 3)
  await classifier.stop()
})

test('rejects nothing while the registry is out of order, and goes on when it is back', async (t) => {
  const registry = await startRegistry(t, new Map([[7, latest]]))
  const work = await pipelineCase(t, { env: { SCHEMA_REGISTRY_URL: registry.url } })
  registry.state.failing = true
  const encoder = createEventEncoder({ schemaId: 7, schema: latest })
  await work.send(Array.from({ length: 10 }, () => ({ value: encoder.encode(someEvent()) })))
  const classifier = work.startInProcess()
  await waitFor('several attempts', () => registry.state.asked.length >= 2)
  const read = async () => {
    classifier.assertAlive()
    const [row] = await work.clickHouse.rows<{ batches: number; accepted: number; rejected: number }>(
      `SELECT count() AS batches, sum(b.accepted) AS accepted, sum(b.rejected) AS rejected FROM ${work.database}.ingest_batches AS b`,
    )
    return row!
  }
  assert.equal((await read()).batches, 0)
  registry.state.failing = false
  await waitFor('the batch', async () => (await read()).accepted === 10)
  assert.equal((await read()).rejected, 0)
  await classifier.stop()
})
