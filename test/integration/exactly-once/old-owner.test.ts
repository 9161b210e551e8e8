/** A process that slept (SIGSTOP) while another took its partition over, and wakes in the middle of its batch. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { pipelineCase } from '../../support/pipeline-case.ts'
import { waitFor } from '../../support/wait-for.ts'
import { waitUntilDrained } from '../../support/assert-exact.ts'

/** Joins are counted. */
const oneMembership = { KAFKA_MEMBERSHIPS: '1' }

describe('an old owner that wakes', { concurrency: 4 }, () => {
  for (const step of ['before_plan:2', 'before_accepted:2', 'before_ledger:2', 'before_done:2']) {
    test(`${step}: stores nothing twice and joins anew`, async (t) => {
      const work = await pipelineCase(t, { env: oneMembership })
      await work.simulate({ events: 2_000 })
      const log = await work.readLog()
      const old = work.startProcess({ STOP_AT: step, STOP_SIGNAL: 'SIGSTOP' })
      await old.atStep()
      const next = work.startProcess()
      await waitUntilDrained([log], { ...work, check: next.assertAlive })
      old.child.kill('SIGCONT')
      await old.logged('joined the consumer group', 2)
      await work.assertDrained([old, next], { logs: [log] })
    })
  }
})

describe('an old owner whose lease has ended', { concurrency: 2 }, () => {
  test('its insert is refused by the server and its commit by Kafka', async (t) => {
    const work = await pipelineCase(t, { env: { ...oneMembership, LEASE_MS: '1000' } })
    await work.simulate({ events: 2_000 })
    const log = await work.readLog()
    const old = work.startProcess({ STOP_AT: 'before_accepted:2', STOP_SIGNAL: 'SIGSTOP' })
    await old.atStep()
    const next = work.startProcess({ LEASE_MS: '60000' })
    await waitUntilDrained([log], { ...work, check: next.assertAlive })
    old.child.kill('SIGCONT')
    await old.logged('joined the consumer group', 2)
    assert.ok((await old.counter('intent_ledger_insert_failures_total', 'lease_expired')) >= 1)
    await work.assertDrained([old, next], { logs: [log] })
  })

  test('while it still owns the partition it plans anew and goes on', async (t) => {
    const work = await pipelineCase(t, { env: { ...oneMembership, LEASE_MS: '1000', SESSION_TIMEOUT_MS: '10000' } })
    await work.simulate({ events: 2_000 })
    const only = work.startProcess({ STOP_AT: 'before_accepted:2', STOP_SIGNAL: 'SIGSTOP' })
    await only.atStep()
    const stoppedAt = performance.now()
    await waitFor('the lease to end', () => performance.now() - stoppedAt > 1_500)
    only.child.kill('SIGCONT')
    await only.logged('batch settled', 2)
    assert.ok((await only.counter('intent_ledger_insert_failures_total', 'lease_expired')) >= 1)
    await work.assertDrained([only])
    assert.equal(only.stderr().split('joined the consumer group').length, 2, 'it left the group')
  })
})
