/** A replay judges by the registry of now: it agrees with live where it meets the copies, and not where it meets their originals. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createEventEncoder } from '../../../services/shared/io/avro.ts'
import { redriveCase } from '../../support/redrive-case.ts'
import { latestSchema } from '../../support/schema-registry.ts'
import { someEvent } from '../../support/some-events.ts'
import { uniqueName } from '../../support/stack.ts'

test('a replay over the copies equals live, one over their originals does not', async (t) => {
  const work = await redriveCase(t, { env: { DUPLICATE_WINDOW_OFFSETS: '5' } })
  const known = createEventEncoder({ schemaId: 7, schema: latestSchema })
  await work.send(work.values(6).map((value) => ({ value })))
  await work.send(Array.from({ length: 20 }, () => ({ value: known.encode(someEvent()) })))
  await work.settle()
  work.register()
  assert.equal((await work.redrive()).sent, 6)
  await work.settle()
  const verifyFrom = async (offset: number) => {
    const name = uniqueName('r')
    const { code, stderr } = await work.verb(['replay', 'run', name, '--from', `0:${offset}`, '--format', 'json'])
    assert.equal(code, 0, stderr)
    const verified = await work.verb(['replay', 'verify', 'live', '--like', name])
    const steward = { CLICKHOUSE_USER: 'steward', CLICKHOUSE_PASSWORD: work.stack.secrets.stewardPassword }
    assert.equal((await work.verb(['replay', 'drop', name, '--yes'], steward)).code, 0)
    return verified
  }
  assert.equal((await verifyFrom(12)).code, 0)
  const { code, stdout } = await verifyFrom(0)
  assert.equal(code, 1)
  assert.match(stdout, /rejected_events/)
})
