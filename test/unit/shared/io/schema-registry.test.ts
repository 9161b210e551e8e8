import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import type { PipelineError } from '../../../../services/shared/domain/faults.ts'
import { openFileRegistry, openHttpRegistry, registryEntries } from '../../../../services/shared/io/schema-registry.ts'
import { faultOf } from '../../../support/fault-of.ts'
import { writerSchema } from '../../../support/events.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/**
 * A registry as the Confluent API documents it: `GET /schemas/ids/{id}` gives {"schema": "..."}, and 404 with error code
 * 40403 for an id it does not have.
 */
async function registryServer(t: TestContext, answer: Answer): Promise<{ url: string; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const json =
  (status: number, body: unknown): Answer =>
  (_request, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
      .end(typeof body === 'string' ? body : JSON.stringify(body))
const schemaAnswer = json(200, { schema: JSON.stringify(writerSchema(2)) })
const notFound = json(404, { error_code: 40403, message: 'Schema 7 not found' })

test('fetches a writer schema by its id once and keeps it', async (t) => {
  const { url, asked } = await registryServer(t, schemaAnswer)
  const registry = openHttpRegistry({ url: `${url}/` })
  const first = await registry.schema(7)
  assert.ok(!('fault' in first))
  assert.equal(first.id, 7)
  assert.equal(first.node.kind, 'record')
  assert.match(first.fingerprint, /^[0-9a-f]{16}$/)
  assert.equal(await registry.schema(7), first)
  assert.deepEqual(
    asked.map(({ method, url: path }) => `${method} ${path}`),
    ['GET /schemas/ids/7'],
  )
  assert.equal(asked[0]!.headers.authorization, undefined)
})

test('gives a schema the same fingerprint as the file registry, so that a plan fits both', async (t) => {
  const { url } = await registryServer(t, schemaAnswer)
  const fromHttp = await openHttpRegistry({ url }).schema(2)
  const fromFile = await openFileRegistry().schema(2)
  assert.ok(!('fault' in fromHttp) && !('fault' in fromFile))
  assert.equal(fromHttp.fingerprint, fromFile.fingerprint)
})

test('sends user and password as basic auth, from the settings or from the URL, and prints neither', async (t) => {
  const { url, asked } = await registryServer(t, json(500, {}))
  const wanted = `Basic ${Buffer.from('me:p@ss/word').toString('base64')}`
  const bySettings = await faultOf(openHttpRegistry({ url, user: 'me', password: 'p@ss/word' }).schema(7))
  const byUrl = await faultOf(openHttpRegistry({ url: url.replace('//', '//me:p%40ss%2Fword@') }).schema(7))
  assert.deepEqual(
    asked.map(({ headers }) => headers.authorization),
    [wanted, wanted],
  )
  for (const { message } of [bySettings, byUrl]) {
    assert.doesNotMatch(message, /p@ss|p%40ss/)
    assert.match(message, /answered 500 without a schema for id 7/)
  }
})

test('takes 404 with error code 40403 for an answer, and believes it only for a while', async (t) => {
  const { url, asked } = await registryServer(t, (request, response) =>
    (asked.length < 2 ? notFound : schemaAnswer)(request, response),
  )
  const believing = openHttpRegistry({ url })
  assert.deepEqual(await believing.schema(7), { fault: 'id 7 is not registered' })
  assert.deepEqual(await believing.schema(7), { fault: 'id 7 is not registered' })
  assert.equal(asked.length, 1)
  const doubting = openHttpRegistry({ url, unknownForMs: 0 })
  assert.ok(!('fault' in (await doubting.schema(7))))
})

for (const [name, answer, code, retryable] of [
  ['500', json(500, { error_code: 50001, message: 'Error in the backend data store' }), 'registry_unreachable', true],
  ['503', json(503, 'starting'), 'registry_unreachable', true],
  ['429', json(429, {}), 'registry_unreachable', true],
  ['a 404 of some proxy or of a wrong path', json(404, '<html>Not Found</html>'), 'registry_unreachable', true],
  [
    'a 404 that is not about a schema',
    json(404, { error_code: 404, message: 'HTTP 404 Not Found' }),
    'registry_unreachable',
    true,
  ],
  ['a page instead of JSON', json(200, '<html>Welcome</html>'), 'registry_unreachable', true],
  ['JSON without a schema', json(200, { id: 7 }), 'registry_unreachable', true],
  ['401', json(401, {}), 'registry_refused', false],
  ['403', json(403, {}), 'registry_refused', false],
] as const) {
  test(`takes ${name} for ${retryable ? 'an outage: nothing is rejected because of it' : 'a refusal that a person must mend'}`, async (t) => {
    const { url, asked } = await registryServer(t, answer)
    const registry = openHttpRegistry({ url })
    const fault = await faultOf(registry.schema(7))
    assert.equal(fault.code, code)
    assert.equal(fault.retryable, retryable)
    await faultOf(registry.schema(7))
    assert.equal(asked.length, 2, 'an outage is not kept')
  })
}

test('does not ask for an id that no registry can have: its answer would be taken for an outage', async (t) => {
  const { url, asked } = await registryServer(t, json(404, { error_code: 404, message: 'HTTP 404 Not Found' }))
  const registry = openHttpRegistry({ url })
  for (const id of [2 ** 31, 2 ** 32 - 1]) {
    assert.deepEqual(await registry.schema(id), { fault: `id ${id} is not registered` })
  }
  assert.equal(asked.length, 0)
  await faultOf(registry.schema(2 ** 31 - 1))
})

test('gives up on a registry that is slow, before or after its first bytes', async (t) => {
  for (const answer of [
    () => undefined,
    (_: IncomingMessage, response: ServerResponse) => void response.writeHead(200).write('{"sch'),
  ]) {
    const { url } = await registryServer(t, answer)
    const fault = await faultOf(openHttpRegistry({ url, timeoutMs: 50 }).schema(7))
    assert.equal(fault.code, 'registry_unreachable')
    assert.equal(fault.retryable, true)
  }
})

test('says what failed when nothing listens', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const fault = await faultOf(openHttpRegistry({ url: `http://127.0.0.1:${port}` }).schema(7))
  assert.equal(fault.retryable, true)
  assert.match(fault.message, /^schema registry at http:\/\/127\.0\.0\.1:\d+ can't be reached: .*ECONNREFUSED/)
})

for (const [name, answer, fault] of [
  ['a schema of another kind', { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' }, /id 7 is PROTOBUF, not Avro/],
  ['a schema that is no JSON', { schema: 'record' }, /id 7 is no schema that can be read/],
  ['a schema that Avro refuses', { schema: '{"type":"record","name":"R"}' }, /id 7 is no schema that can be read/],
] as const) {
  test(`rejects events under ${name} instead of stopping`, async (t) => {
    const { url } = await registryServer(t, json(200, answer))
    const found = await openHttpRegistry({ url }).schema(7)
    assert.ok('fault' in found)
    assert.match(found.fault, fault)
  })
}

// The registry file

test('ships versions 1 and 2 of the event under ids 1 and 2, and the other streams behind them', async () => {
  assert.deepEqual(registryEntries(), [
    { subject: 'assistant-intents-value', id: 1, version: 1, file: 'assistant-intent-event/v1.avsc' },
    { subject: 'assistant-intents-value', id: 2, version: 2, file: 'assistant-intent-event/v2.avsc' },
    { subject: 'ecosystem-orders-value', id: 3, version: 1, file: 'ecosystem-order/v1.avsc' },
    { subject: 'device-activations-value', id: 4, version: 1, file: 'device-activation/v1.avsc' },
    { subject: 'experiment-arms-value', id: 5, version: 1, file: 'experiment-arm/v1.avsc' },
  ])
  const registry = openFileRegistry()
  for (const version of [1, 2] as const) {
    const found = await registry.schema(version)
    assert.ok(!('fault' in found))
    assert.deepEqual(found.json, writerSchema(version))
  }
  assert.deepEqual(await registry.schema(6), { fault: 'id 6 is not registered' })
})

test('adds to version 1 only an optional field: what version 1 wrote means the same under both', () => {
  const [one, two] = [writerSchema(1), writerSchema(2)]
  assert.deepEqual(two.fields.slice(0, -1), one.fields)
  assert.deepEqual(two.fields.at(-1)!.type, ['null', 'string'])
  assert.equal(two.fields.at(-1)!.default, null)
})

for (const [name, registry, schema, says] of [
  ['a registry file that is no JSON', '{', undefined, /registry\.json can't be read as JSON/],
  ['an unknown key', { subjects: {}, comment: 'x' }, undefined, /registry\.json: .*comment/s],
  [
    'an id that is no number',
    { subjects: { s: [{ id: '1', version: 1, file: 'a.avsc' }] } },
    '"string"',
    /registry\.json: /,
  ],
  [
    'one id twice',
    { subjects: { s: [{ id: 1, version: 1, file: 'a.avsc' }], r: [{ id: 1, version: 1, file: 'a.avsc' }] } },
    '"string"',
    /id 1 is given twice/,
  ],
  [
    'a schema file that is absent',
    { subjects: { s: [{ id: 1, version: 1, file: 'b.avsc' }] } },
    '"string"',
    /b\.avsc can't be read as JSON/,
  ],
  [
    'a schema file that Avro refuses',
    { subjects: { s: [{ id: 1, version: 1, file: 'a.avsc' }] } },
    '{"type":"enum"}',
    /a\.avsc is not an Avro schema: /,
  ],
] as const) {
  test(`refuses ${name} and names the file`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'intent-ledger-registry-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'registry.json')
    writeFileSync(file, typeof registry === 'string' ? registry : JSON.stringify(registry))
    writeFileSync(join(folder, 'a.avsc'), schema ?? '')
    assert.throws(
      () => openFileRegistry(file),
      (thrown: PipelineError) => thrown.code === 'file_invalid' && says.test(thrown.message),
    )
  })
}
