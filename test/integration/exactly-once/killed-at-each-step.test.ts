/**
 * A classifier killed at each step of a batch, and what comes after it: the next process must finish the planned range, the
 * tables must hold everything once.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { pipelineCase } from '../../support/pipeline-case.ts'
import { waitFor } from '../../support/wait-for.ts'

/** The second batch, so that a first one is done. */
const steps = [
  'before_plan:2',
  'after_plan:2',
  'before_accepted:2',
  'after_accepted:2',
  'after_duplicates:2',
  'after_rejected:2',
  'before_ledger:2',
  'after_ledger:2',
  'before_done:2',
  'after_done:2',
]
/** Two waves of known traffic: second copies come at the end of each, so every kind of insert happens at least twice. */
const waves = [
  { events: 800, seed: 1 },
  { events: 800, seed: 2 },
]
/** One membership a process, so that each of two has a partition. */
const env = { BATCH_ROWS_MAX: '100', KAFKA_MEMBERSHIPS: '1' }

describe('killed and restarted alone', { concurrency: 4 }, () => {
  for (const step of steps) {
    test(`${step}: exact`, async (t) => {
      const work = await pipelineCase(t, { env })
      for (const wave of waves) {
        await work.simulate(wave)
      }
      const first = work.startProcess({ STOP_AT: step })
      assert.equal(await first.ended(), 'SIGKILL', first.stderr())
      await work.assertDrained([work.startProcess()])
    })
  }
})

describe('killed while a second member takes the partition over', { concurrency: 4 }, () => {
  for (const step of steps) {
    test(`${step}: exact`, async (t) => {
      const work = await pipelineCase(t, { partitions: 2, env })
      const first = work.startProcess({ STOP_AT: step })
      const second = work.startProcess()
      // The group counts members that are still joining; who has one of two partitions knows of the other.
      const hasOne = (member: typeof first) => /"partitions":\[\d\]/.test(member.stderr())
      await waitFor('each to have a partition', () => hasOne(first) && hasOne(second))
      for (const wave of waves) {
        await work.simulate(wave)
      }
      assert.equal(await first.ended(), 'SIGKILL', first.stderr())
      await work.assertDrained([second])
    })
  }
})
