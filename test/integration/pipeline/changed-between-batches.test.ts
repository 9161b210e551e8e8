/** What may change between two batches, or between a plan and its end, and what must not change with it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'

import { decodePlan } from '../../../services/shared/domain/plan.ts'
import { waitUntilDrained } from '../../support/assert-exact.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'

const anotherClock = join(import.meta.dirname, '../../support/another-clock.ts')

test('a batch redone 500 days later has the fates it had: only the time of the record counts', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 2_000 })
  const first = work.startProcess({ STOP_AT: 'after_plan:2' })
  assert.equal(await first.ended(), 'SIGKILL')
  const later = work.startProcess({ CLOCK_AHEAD_DAYS: '500' }, ['--import', anotherClock])
  await later.logged('partition opened')
  const [, loggedAt] = /"time":(\d+)/.exec(later.stderr())!
  assert.ok(Number(loggedAt) > Date.now() + 400 * 86_400_000, 'the clock was not moved')
  await work.assertDrained([later])
})

test('a batch planned under one taxonomy and window is finished under them by a process that has others', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 2_000 })
  const first = work.startProcess({ STOP_AT: 'after_accepted:2' })
  assert.equal(await first.ended(), 'SIGKILL')
  const plan = decodePlan((await work.admin.committed(work.group, work.topic)).get(0)?.metadata)
  assert.ok(plan !== undefined && plan.first > 0)
  const judged = await work.assertDrained([work.startProcess({ TAXONOMY_VERSION: '2', BATCH_ROWS_MAX: '333' })], {
    taxonomyVersionAt: (_partition, offset) => (offset <= plan.last ? 1 : 2),
  })
  const versions = new Set(judged.flatMap((one) => (one.fate === 'accepted' ? [one.taxonomyVersion] : [])))
  assert.deepEqual([...versions], [1, 2])
})

test('a taxonomy changed between two batches shows as two versions, never as one mixed number', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 2_000 })
  const before = await work.readLog()
  await work.assertDrained([work.startInProcess()], { logs: [before] })
  const changedAt = before.partitions[0]!.length
  await work.simulate({ events: 2_000 })
  await work.assertDrained([work.startInProcess({ TAXONOMY_VERSION: '2' })], {
    taxonomyVersionAt: (_partition, offset) => (offset < changedAt ? 1 : 2),
  })
  const rows = await work.clickHouse.rows<{ version: number; requests: number }>(
    `SELECT taxonomy_version AS version, sum(requests) AS requests FROM ${work.database}.usage_by_cohort_daily
     GROUP BY version ORDER BY version`,
  )
  assert.deepEqual(
    rows.map(({ version }) => version),
    [1, 2],
  )
})

test('partitions added while it runs are read from their first event on', async (t) => {
  const work = await pipelineCase(t)
  await work.send(someValues(100))
  const classifier = work.startInProcess()
  await waitUntilDrained([await work.readLog()], { ...work, check: classifier.assertAlive })
  assert.equal(await work.admin.ensureTopic({ topic: work.topic, partitions: 3, replicas: 1, configs: {} }), 'grown')
  for (const partition of [0, 1, 2]) {
    await work.send(someValues(100), partition)
  }
  const judged = await work.assertDrained([classifier])
  assert.equal(judged.length, 400)
})
