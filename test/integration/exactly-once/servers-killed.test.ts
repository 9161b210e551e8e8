/** ClickHouse and Kafka killed in the middle of the work. Each test has servers of its own. */
import assert from 'node:assert/strict'
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import type { LocalStack } from '../../../services/local/stack.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import { waitUntilDrained } from '../../support/assert-exact.ts'
import { pipelineCase, type PipelineCase } from '../../support/pipeline-case.ts'
import { ownStack } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const env = { BATCH_ROWS_MAX: '800', SESSION_TIMEOUT_MS: '4000' }

test('ClickHouse killed four times during inserts: two classifiers go on by themselves, exact', async (t) => {
  const stack = await ownStack(t)
  const work = await pipelineCase(t, { stack, partitions: 2, env })
  await work.simulate({ events: 60_000 })
  const log = await work.readLog()
  const classifiers = [work.startProcess(), work.startProcess()]
  for (let kill = 1; kill <= 4; kill++) {
    const reached = await batches(work)
    await waitFor('some more batches', async () => (await batches(work)) >= reached + 6, { everyMs: 20 })
    await stack.clickhouse.kill('SIGKILL')
    await stack.clickhouse.start()
  }
  await waitUntilDrained([log], { ...work, check: () => classifiers.forEach((one) => one.assertAlive()) })
  const failures = await Promise.all(classifiers.map((one) => one.counter('intent_ledger_insert_failures_total')))
  t.diagnostic(`inserts whose outcome was unknown: ${failures.join(' + ')}`)
  await work.assertDrained(classifiers, { logs: [log] })
})

test('Kafka killed and started again during the work: the classifier goes on by itself, exact', async (t) => {
  const stack = await ownStack(t)
  const work = await pipelineCase(t, { stack, partitions: 2, env })
  await work.simulate({ events: 20_000 })
  const log = await work.readLog()
  const classifiers = [work.startProcess(), work.startProcess()]
  await waitFor('some batches', async () => (await batches(work)) >= 6, { everyMs: 20 })
  await stack.kafka.kill('SIGKILL')
  await stack.kafka.start()
  await work.assertDrained(classifiers, { logs: [log], timeoutMs: 90_000 })
})

test('parts lost behind their deduplication record are restored, in every table, also by the next process', async (t) => {
  // Without the mend at the server's start: as on a server whose disk is not ours.
  const stack = await ownStack(t, { mendDeduplication: false })
  const work = await pipelineCase(t, { stack, env })
  await work.simulate({ events: 2_000 })
  const toLose = new Set(['intent_events', 'duplicate_events', 'rejected_events'])
  const classifier = work.startInProcess({}, (parts) => ({
    ...parts,
    store: {
      ...parts.store,
      async insert(insert, leaseEndsMs) {
        await parts.store.insert(insert, leaseEndsMs)
        if (toLose.delete(insert.table)) {
          await losePart(stack, work, insert.table)
          throw new PipelineError('the answer was lost', { code: 'clickhouse_unreachable', retryable: true })
        }
      },
    },
  }))
  await work.assertDrained([classifier])
  assert.equal(toLose.size, 0)

  const killed = await pipelineCase(t, { stack, env })
  await killed.simulate({ events: 2_000 })
  assert.equal(await killed.startProcess({ STOP_AT: 'after_accepted:2' }).ended(), 'SIGKILL')
  await losePart(stack, killed, 'intent_events')
  await killed.assertDrained([killed.startProcess()])
})

/** Kills ClickHouse and puts the newest part of a table back to what it is just before its rename. */
async function losePart(stack: LocalStack, work: PipelineCase, table: string): Promise<void> {
  const [row] = await work.steward.rows<{ path: string; name: string; level: number }>(
    `SELECT path, name, level FROM system.parts WHERE active AND database = {database:String} AND table = {table:String}
     ORDER BY min_block_number DESC LIMIT 1`,
    { database: work.database, table },
  )
  assert.equal(row!.level, 0, 'the part was merged')
  await stack.clickhouse.kill('SIGKILL')
  const folder = join(row!.path, '..')
  await rename(join(folder, row!.name), join(folder, `tmp_insert_${row!.name}`))
  assert.ok((await readdir(folder)).includes('deduplication_logs'))
  await stack.clickhouse.start()
}

async function batches(work: PipelineCase): Promise<number> {
  const [row] = await work.clickHouse.rows<{ batches: number }>(
    `SELECT count() AS batches FROM ${work.database}.ingest_batches`,
  )
  return row!.batches
}
