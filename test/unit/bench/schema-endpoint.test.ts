import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openFileRegistry, openHttpRegistry } from '../../../services/shared/io/schema-registry.ts'
import { startSchemaEndpoint } from '../../bench/schema-endpoint.ts'

test("serves the registry file's schemas and knows no others", async (t) => {
  const endpoint = await startSchemaEndpoint()
  t.after(() => endpoint.close())
  const served = openHttpRegistry({ url: endpoint.url })
  for (const id of [1, 2]) {
    assert.deepEqual(await served.schema(id), await openFileRegistry().schema(id))
  }
  assert.deepEqual(await served.schema(999), { fault: 'id 999 is not registered' })
})
