/** A replay under the definitions of the live run leaves the digest of the live tables, however it is cut, shared and stopped. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assertExact } from '../../support/assert-exact.ts'
import { replayCase } from '../../support/replay-case.ts'
import { replayDatabase } from '../../../services/replay/names.ts'

test('one digest for 1, 2 and 4 processes and small and large batches, that of the live tables; tables like the log', async (t) => {
  const work = await replayCase(t, { partitions: 4 })
  await work.simulate({ events: 8_000 })
  await work.assertDrained([work.startInProcess()])
  const digests: string[] = []
  for (const [processes, rows] of [
    ['1', '100000'],
    ['2', '1000'],
    ['4', '1000'],
  ] as const) {
    const name = work.name()
    const manifest = await work.run(name, ['--processes', processes], { BATCH_ROWS_MAX: rows })
    digests.push(manifest.digest)
    assert.deepEqual(Object.keys(manifest.schemas), ['1', '2'], 'both writer schemas')
    await assertExact([await work.readLog()], { clickHouse: work.clickHouse, database: replayDatabase(name) })
    await work.assertLikeLive(name)
    const { code, stdout } = await work.replay(['verify', name])
    assert.equal(code, 0, stdout)
  }
  assert.equal(new Set(digests).size, 1, digests.join())
  t.diagnostic(`digest ${digests[0]}`)
})
