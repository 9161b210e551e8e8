import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { choosePort } from '../../../services/local/ports.ts'

test('the preferred port is taken when it is free, and only then', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.notEqual(await choosePort({ preferred: port, taken: new Set() }), port)

  const free = await choosePort({ taken: new Set() })
  assert.equal(await choosePort({ preferred: free, taken: new Set() }), free)
  assert.notEqual(await choosePort({ preferred: free, taken: new Set([free]) }), free)
})

test('two ports of one set differ and lie below the range of outgoing connections', async () => {
  const taken = new Set<number>()
  const ports = [await choosePort({ taken }), await choosePort({ taken })]
  assert.deepEqual([...taken], ports)
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_000))
})
