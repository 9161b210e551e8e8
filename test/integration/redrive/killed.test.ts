/** `redrive` killed at each step, killed at random, and two at once: no message is sent twice, and none is left out in the end. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { redriveCase, type RedriveCase } from '../../support/redrive-case.ts'
import { waitFor } from '../../support/wait-for.ts'

/** A batch of each of two partitions; the second, so that a first one is done. */
const steps = [
  'after_open',
  'before_plan:2',
  'after_plan:2',
  'after_begin:2',
  'after_send:2',
  'before_commit:2',
  'after_commit:2',
  'after_note:2',
]

/** A broker takes 1 MB at once. */
const sentAtOnce = 2_000

async function rejected(work: RedriveCase, perPartition: number, partitions = 2): Promise<Buffer[]> {
  const values = work.values(perPartition * partitions)
  for (let partition = 0; partition < partitions; partition++) {
    const own = values.slice(partition * perPartition, (partition + 1) * perPartition)
    for (let at = 0; at < own.length; at += sentAtOnce) {
      await work.send(
        own.slice(at, at + sentAtOnce).map((value) => ({ value })),
        partition,
      )
    }
  }
  await work.settle()
  assert.equal(await work.count('rejected_events'), values.length)
  work.register()
  return values
}

async function assertEachOnceMore(work: RedriveCase, values: readonly Buffer[]): Promise<void> {
  const standing = await work.standing(values)
  assert.deepEqual(new Set(standing), new Set([2]), 'each stands in the log as it came and once more')
  const origins = `SELECT DISTINCT topic_id, partition, kafka_offset, to_offset FROM ${work.database}.redriven_events WHERE state = 'sent'`
  const [row] = await work.clickHouse.rows<{ sent: number }>(`SELECT count() AS sent FROM (${origins})`)
  assert.equal(row!.sent, values.length, 'and is noted as sent to one place')
  await work.settle()
  assert.equal(await work.count('intent_events'), values.length)
  assert.equal(await work.count('duplicate_events'), 0)
}

describe('killed at each step', { concurrency: 4 }, () => {
  for (const step of steps) {
    test(`${step}: the next run sends the rest, each once`, async (t) => {
      const work = await redriveCase(t, { partitions: 2 })
      const values = await rejected(work, 12)
      const killed = work.startRedrive({ STOP_AT: step })
      await killed.ended
      assert.equal(killed.child.signalCode, 'SIGKILL')
      const report = await work.redrive()
      assert.ok(report.finished)
      await assertEachOnceMore(work, values)
      assert.deepEqual([(await work.redrive()).candidates, (await work.redrive()).settled.sent], [0, 0])
    })
  }
})

describe('killed while it settles what a killed one left', { concurrency: 4 }, () => {
  for (const first of ['after_send', 'after_commit']) {
    for (const second of ['before_settle', 'after_settle']) {
      test(`${first}, then ${second}`, async (t) => {
        const work = await redriveCase(t, { partitions: 2 })
        const values = await rejected(work, 12)
        for (const step of [first, second]) {
          const killed = work.startRedrive({ STOP_AT: step })
          await killed.ended
          assert.equal(killed.child.signalCode, 'SIGKILL', step)
        }
        await work.redrive()
        await assertEachOnceMore(work, values)
      })
    }
  }
})

describe('one that sleeps while another begins', { concurrency: 4 }, () => {
  for (const step of ['before_plan', 'after_plan', 'after_send', 'before_commit', 'after_commit']) {
    test(`${step}: it wakes to one sentence, and nothing is sent twice`, async (t) => {
      const work = await redriveCase(t, { partitions: 2 })
      const values = await rejected(work, 12)
      const old = work.startRedrive({ STOP_AT: step, STOP_SIGNAL: 'SIGSTOP' })
      await old.said('stopping')
      await work.redrive()
      assert.deepEqual(new Set(await work.standing(values)), new Set([2]))
      old.child.kill('SIGCONT')
      const { code, stderr } = await old.ended
      // One that had committed the first batch finds nothing left to send: it is not even told.
      if (step !== 'after_commit') {
        assert.equal(code, 1)
        assert.match(stderr, /another redrive of \S+ has begun and this one has ended.*; \d+ messages were sent before/)
      }
      // What the old one has planned too late is settled by whoever comes next.
      await work.redrive()
      await assertEachOnceMore(work, values)
    })
  }
})

test('two at once: one ends well, the other well or with a sentence; each message once', async (t) => {
  const work = await redriveCase(t, { partitions: 2 })
  const values = await rejected(work, 3_000)
  const runs = await Promise.all([work.startRedrive(), work.startRedrive()].map(({ ended }) => ended))
  for (const { code, stderr } of runs) {
    assert.ok(code === 0 || /another redrive of/.test(stderr), stderr)
  }
  await work.redrive()
  await assertEachOnceMore(work, values)
})

test('SIGKILL at random, again and again, beside a running classifier: each message once', async (t) => {
  const work = await redriveCase(t, { partitions: 2 })
  const values = await rejected(work, 10_000)
  const classifier = work.startInProcess()
  let kills = 0
  for (let run = 1; ; run++) {
    const running = work.startRedrive()
    const before = await work.count('redriven_events')
    // From here on it is in the middle of its work; how far in is left to chance.
    await Promise.race([
      running.ended,
      waitFor('it to begin', async () => (await work.count('redriven_events')) > before, { everyMs: 5 }),
    ])
    await sleep(Math.random() * 60)
    running.child.kill('SIGKILL')
    await running.ended
    kills += running.child.signalCode === 'SIGKILL' ? 1 : 0
    classifier.assertAlive()
    if (running.child.exitCode === 0 || run === 8) {
      break
    }
  }
  t.diagnostic(`${kills} kills`)
  assert.ok(kills > 0)
  await classifier.stop()
  await work.redrive()
  await assertEachOnceMore(work, values)
})

test('Ctrl-C ends it after the batch, with exit code 130', async (t) => {
  const work = await redriveCase(t, { partitions: 2 })
  const values = await rejected(work, 12)
  const running = work.startRedrive({ STOP_AT: 'after_plan', STOP_SIGNAL: 'SIGSTOP' })
  await running.said('stopping')
  running.child.kill('SIGINT')
  // It says that it stops before it does, so one waking could come too early.
  const waking = setInterval(() => running.child.kill('SIGCONT'), 50)
  const { code, stdout } = await running.ended
  clearInterval(waking)
  assert.equal(code, 130)
  const { finished, sent } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { finished: boolean; sent: number }
  assert.deepEqual([finished, sent], [false, 12])
  assert.equal((await work.redrive()).sent, 12)
  await assertEachOnceMore(work, values)
})
