import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { createEventEncoder } from '../../../services/shared/io/avro.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { latestSchema as latest, schemaWithRoom as withRoom, startRegistry } from '../../support/schema-registry.ts'
import { someEvent } from '../../support/some-events.ts'
import { waitFor } from '../../support/wait-for.ts'

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
