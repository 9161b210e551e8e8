import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { startStatusServer } from '../../../services/classifier/http.ts'
import { createMetrics } from '../../../services/classifier/metrics.ts'
import type { PipelineError } from '../../../services/shared/domain/faults.ts'

async function open(t: TestContext, notReady: () => string | undefined = () => undefined) {
  const metrics = createMetrics()
  const server = await startStatusServer({ host: '127.0.0.1', port: 0, metrics, notReady })
  t.after(() => server.close())
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init)
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() }
  }
  return { metrics, server, ask }
}

test('serves the metrics in the form of Prometheus', async (t) => {
  const { metrics, ask } = await open(t)
  metrics.memberships.inc()
  const { status, type, body } = await ask('/metrics')
  assert.equal(status, 200)
  assert.match(type!, /^text\/plain; version=0\.0\.4/)
  assert.match(body, /^intent_ledger_memberships_total 1$/m)
})

test('serves a path whatever its query', async (t) => {
  const { ask } = await open(t)
  for (const path of ['/metrics?x=1', '/metrics?name[]=a&b', '/healthz?', '/readyz?verbose']) {
    assert.equal((await ask(path)).status, 200, path)
  }
  assert.equal((await ask('/elsewhere?/metrics')).status, 404)
})

test('is alive while it is not ready, and says why it is not', async (t) => {
  let reason: string | undefined = 'ClickHouse can not be reached'
  const { ask } = await open(t, () => reason)
  assert.deepEqual(await ask('/healthz').then(({ status, body }) => [status, body]), [200, 'ok\n'])
  assert.deepEqual(await ask('/readyz').then(({ status, body }) => [status, body]), [503, `${reason}\n`])
  reason = undefined
  assert.deepEqual(await ask('/readyz').then(({ status, body }) => [status, body]), [200, 'ready\n'])
})

test('answers 404 elsewhere and 405 to anything but GET', async (t) => {
  const { ask } = await open(t)
  assert.equal((await ask('/')).status, 404)
  assert.equal((await ask('/metrics', { method: 'POST', body: 'x' })).status, 405)
})

test('says which port is taken, and which setting to change', async (t) => {
  const { server } = await open(t)
  const second = startStatusServer({
    host: '127.0.0.1',
    port: server.port,
    metrics: createMetrics(),
    notReady: () => undefined,
  })
  await assert.rejects(second, (thrown: PipelineError) => {
    assert.equal(thrown.code, 'config_invalid')
    assert.match(
      thrown.message,
      new RegExp(`^port ${server.port} on 127\\.0\\.0\\.1 can't be opened: .*EADDRINUSE.*; set HTTP_PORT$`),
    )
    return true
  })
})

test('closes although a client keeps its connection', async () => {
  const server = await startStatusServer({
    host: '127.0.0.1',
    port: 0,
    metrics: createMetrics(),
    notReady: () => undefined,
  })
  await fetch(`http://127.0.0.1:${server.port}/healthz`, { headers: { connection: 'keep-alive' } })
  await server.close()
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/healthz`))
})
