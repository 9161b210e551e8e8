/** Several memberships of the group in one process: what one of them suffers, and what they do to each other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ClassifierParts } from '../../../services/classifier/classifier.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import { startLogConsumer, type BatchHandle } from '../../../services/shared/io/kafka-consumer.ts'
import { waitUntilDrained } from '../../support/assert-exact.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { waitFor } from '../../support/wait-for.ts'

const env = { KAFKA_MEMBERSHIPS: '2', BATCH_ROWS_MAX: '200' }

/** `around` stands around each batch handle; it is told which joined consumer of the process, the first being 1, it belongs to. */
const watching =
  (around: (consumer: number, handle: BatchHandle) => BatchHandle, seen: (parts: ClassifierParts) => void) =>
  (parts: ClassifierParts): ClassifierParts => {
    let started = 0
    seen(parts)
    return {
      ...parts,
      startConsumer(options) {
        const consumer = ++started
        return startLogConsumer({
          ...options,
          onBatch: (batch, handle) => options.onBatch(batch, around(consumer, handle)),
        })
      },
    }
  }

test('one membership that faults again and again while the other works: comes back each time, exact', async (t) => {
  const work = await pipelineCase(t, { partitions: 4, env })
  const faultsDue = 3
  const faulted: number[] = []
  let spared: number | undefined
  const closed = new Map<number, number>()
  // As a commit whose answer never came: the broker has it, and the member must not go on.
  const around = (consumer: number, handle: BatchHandle): BatchHandle => ({
    ...handle,
    async commit(offset, metadata) {
      await handle.commit(offset, metadata)
      if (metadata !== '') {
        return
      }
      const own = (closed.get(consumer) ?? 0) + 1
      closed.set(consumer, own)
      spared ??= consumer
      if (consumer !== spared && own === 2 && faulted.length < faultsDue) {
        faulted.push(consumer)
        throw new PipelineError('the outcome is unknown', { code: 'membership_lost', retryable: true })
      }
    },
  })
  let metrics: ClassifierParts['metrics']
  const classifier = work.startInProcess(
    {},
    watching(around, (parts) => (metrics = parts.metrics)),
  )
  // A quick machine drains before the next fault is due: more comes until all have happened.
  const bothJoined = async () => (await work.admin.groupMembers(work.group)) === 2
  for (let wave = 0; faulted.length < faultsDue && wave < 40; wave++) {
    classifier.assertAlive()
    await waitFor('both to be members', bothJoined)
    await work.simulate({ events: 2_000 })
    await sleep(500)
  }
  assert.equal(faulted.length, faultsDue, 'all faults have happened')
  const log = await work.readLog()
  await waitUntilDrained([log], { ...work, check: classifier.assertAlive })
  await waitFor('both to be members again', bothJoined)
  assert.match(
    await metrics!.registry.metrics(),
    new RegExp(`^intent_ledger_faults_total{code="membership_lost"} ${faultsDue}$`, 'm'),
  )
  assert.equal(new Set(faulted).size, faultsDue, 'each time it was a new member')
  await work.assertDrained([classifier], { logs: [log] })
})

test('a fault that no new membership can mend ends all of them and the process; the next one goes on, exact', async (t) => {
  const work = await pipelineCase(t, { partitions: 4, env })
  await work.simulate({ events: 2_000 })
  const log = await work.readLog()
  const refused = new PipelineError('the column is gone', { code: 'clickhouse_refused' })
  let inserts = 0
  const classifier = work.startInProcess({}, (parts) => ({
    ...parts,
    store: {
      ...parts.store,
      insert: (insert, leaseEndsMs) =>
        ++inserts === 5 ? Promise.reject(refused) : parts.store.insert(insert, leaseEndsMs),
    },
  }))
  await assert.rejects(classifier.running, /the column is gone/)
  assert.equal(await work.admin.groupMembers(work.group), 0)
  await work.assertDrained([work.startProcess()], { logs: [log] })
})

test('a stop: no member leaves while another has a batch under way, and no plan is left standing', async (t) => {
  const work = await pipelineCase(t, { partitions: 4, env: { ...env, STOP_TIMEOUT_MS: '60000' } })
  await work.simulate({ events: 1_600 })
  const log = await work.readLog()
  const heartbeatsDue = 8
  let heartbeats = 0
  let stopping = false
  let holds = 0
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const around = (_: number, handle: BatchHandle): BatchHandle => ({
    ...handle,
    async heartbeat() {
      await handle.heartbeat()
      if (stopping && ++heartbeats === heartbeatsDue) {
        open()
      }
    },
  })
  const classifier = work.startInProcess({}, (parts) => {
    const watched = watching(around, () => undefined)(parts)
    return {
      ...watched,
      store: {
        ...parts.store,
        async insert(insert, leaseEndsMs) {
          if (insert.table === 'ingest_batches' && ++holds === 3) {
            await opened
          }
          await parts.store.insert(insert, leaseEndsMs)
        },
      },
    }
  })
  await waitFor('an insert to be held', () => holds >= 3)
  stopping = true
  await classifier.stop()
  assert.ok(heartbeats >= heartbeatsDue)
  const committed = await work.admin.committed(work.group, work.topic)
  assert.deepEqual(
    [...committed.values()].map(({ metadata }) => metadata ?? ''),
    log.partitions.map(() => ''),
  )
  await work.simulate({ events: 400 })
  await work.assertDrained([work.startProcess()])
})

test('more memberships than partitions: one has nothing to do, and the process is ready', async (t) => {
  const work = await pipelineCase(t, { partitions: 1, env })
  const classifier = work.startProcess()
  await waitFor('both to be members', async () => (await work.admin.groupMembers(work.group)) === 2)
  await work.simulate({ events: 500 })
  await waitFor('it to be ready', async () => (await classifier.notReady()) === undefined)
  await work.assertDrained([classifier])
})
