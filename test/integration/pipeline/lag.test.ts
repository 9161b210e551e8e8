/** What a classifier says of itself while it falls behind: on the real Kafka, with inserts that hang. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'

import kafkajs from 'kafkajs'

import type { ClassifierParts } from '../../../services/classifier/classifier.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import { createKafkaPeek } from '../../../services/shared/io/kafka-peek.ts'
import { createKafka } from '../../../services/shared/io/kafka.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { pipelineCase, type PipelineCase } from '../../support/pipeline-case.ts'
import { someValues } from '../../support/some-events.ts'
import { uniqueName } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const log = createLogger({ service: 'test', level: 'silent', pretty: false })
const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000

type Insert = ClassifierParts['store']['insert']

/** A classifier in this process whose inserts go through `around`, and its metrics. */
function observed(work: PipelineCase, env: Record<string, string>, around: (insert: Insert) => Insert) {
  let parts: ClassifierParts | undefined
  const classifier = work.startInProcess(env, (given) => {
    parts = given
    return { ...given, store: { ...given.store, insert: around((...args) => given.store.insert(...args)) } }
  })
  /** The value of a line of /metrics, undefined when it is not there. */
  const metric = async (name: string): Promise<number | undefined> => {
    const lines = (await parts!.metrics.registry.metrics()).split('\n')
    const line = lines.find((found) => found.startsWith(`${name} `))
    return line === undefined ? undefined : Number(line.slice(name.length))
  }
  return { classifier, metric }
}

/** Inserts that hang until they are let through, with nothing said of it. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const around =
    (insert: Insert): Insert =>
    async (...args) => {
      await promise
      return insert(...args)
    }
  return { around, open: resolve }
}

describe('a classifier that falls behind', { concurrency: 4 }, () => {
  test('a message that waits for too long is seen while nothing can be stored, also where nobody fetches', async (t) => {
    const work = await pipelineCase(t, { partitions: 3 })
    const stored = gate()
    const { classifier, metric } = observed(work, { READY_LAG_MAX_S: '1000' }, stored.around)
    const old = (minutes: number) => someValues(3).map((message) => ({ ...message, timestampMs: minutesAgo(minutes) }))
    const lagOf = (partition: number) => metric(`intent_ledger_lag_seconds{partition="${partition}"}`)

    await waitFor('the classifier to be ready', async () => (await metric('intent_ledger_ready_state')) === 1)
    // Two partitions are worked on at a time: both hang in their inserts, and the third waits behind them.
    await work.send(old(5), 0)
    await work.send(old(6), 1)
    await waitFor('both to be seen', async () => (await lagOf(0))! > 300 && (await lagOf(1))! > 360)
    const early = await lagOf(0)
    await work.send(old(10), 2)
    await waitFor('the third to be seen', async () => (await lagOf(2))! > 600)
    assert.equal(await metric('intent_ledger_lag_offsets{partition="2"}'), 3)
    assert.ok((await lagOf(0))! > early!, 'the age grows by itself')
    assert.equal(await metric('intent_ledger_ready_state'), 1, 'all are younger than 1,000 s')

    await work.send(old(20), 2)
    assert.equal(await metric('intent_ledger_ready_state'), 1, 'the first that waits is what counts')
    stored.open()
    await waitFor(
      'the backlog to be stored',
      async () => (await metric('intent_ledger_lag_offsets{partition="2"}')) === 0,
    )
    await waitFor('readiness', async () => (await metric('intent_ledger_ready_state')) === 1)
    assert.equal(await lagOf(0), 0)
    await work.assertDrained([classifier])
  })

  test('is not ready while a message is older than the bound, and ready again once it is stored', async (t) => {
    const work = await pipelineCase(t)
    const stored = gate()
    const { classifier, metric } = observed(work, { READY_LAG_MAX_S: '60' }, stored.around)
    await work.send(someValues(2).map((message) => ({ ...message, timestampMs: minutesAgo(2) })))
    await waitFor('it to be not ready', async () => (await metric('intent_ledger_lag_seconds{partition="0"}'))! > 120)
    assert.equal(await metric('intent_ledger_ready_state'), 0)
    stored.open()
    await waitFor('it to be ready', async () => (await metric('intent_ledger_ready_state')) === 1)
    await work.assertDrained([classifier])
  })

  test('a partition that goes to another member goes from the metrics', async (t) => {
    const work = await pipelineCase(t, { partitions: 2 })
    const one = { KAFKA_MEMBERSHIPS: '1' }
    const { classifier, metric } = observed(work, one, (insert) => insert)
    const both = [0, 1].map((partition) => `intent_ledger_lag_offsets{partition="${partition}"}`)
    const known = async () => (await Promise.all(both.map(metric))).filter((value) => value !== undefined).length
    await waitFor('it to own both partitions', async () => (await known()) === 2)
    const second = work.startInProcess(one)
    await waitFor('it to own one', async () => (await known()) === 1)
    await work.assertDrained([classifier, second])
  })

  test('an insert whose answer was lost is counted as repeated, and its rows once', async (t) => {
    const work = await pipelineCase(t)
    const tables = ['intent_events', 'duplicate_events', 'rejected_events', 'ingest_batches']
    const toLose = new Set(tables)
    // The joining of a second member could have the batch planned by one and finished by the other, which repeats once more.
    const { classifier, metric } = observed(
      work,
      { KAFKA_MEMBERSHIPS: '1' },
      (insert) => async (given, leaseEndsMs) => {
        await insert(given, leaseEndsMs)
        if (toLose.delete(given.table)) {
          throw new PipelineError('the answer was lost', { code: 'clickhouse_unreachable', retryable: true })
        }
      },
    )
    await work.simulate({ events: 400 })
    await work.assertDrained([classifier])
    for (const table of tables) {
      assert.equal(await metric(`intent_ledger_deduplicated_inserts_total{table="${table}"}`), 1, table)
    }
    assert.equal(await metric('intent_ledger_restored_rows_total'), 0)
  })

  test('a look at the log finds the first message at an offset, past aborted records, in a batch of any kind', async (t) => {
    const work = await pipelineCase(t)
    const peek = openPeek(t, work)
    assert.deepEqual(await peek.at(0, 0), { high: 0, firstOffset: undefined, firstTimeMs: undefined, emptyTo: 0 })
    const at = (index: number) => Date.UTC(2026, 5, 1) + index * 1_000
    const stamped = (count: number, first: number) =>
      someValues(count).map((message, index) => ({ ...message, timestampMs: at(first + index) }))
    await work.send(stamped(5, 0))
    assert.deepEqual(await peek.at(0, 3), { high: 5, firstOffset: 3, firstTimeMs: at(3), emptyTo: 3 })
    assert.deepEqual(await peek.at(0, 5), { high: 5, firstOffset: undefined, firstTimeMs: undefined, emptyTo: 5 })

    const transactional = work.kafka.producer({
      ...{ transactionalId: uniqueName('peek'), idempotent: true, maxInFlightRequests: 1 },
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    await transactional.connect()
    t.after(() => transactional.disconnect())
    const transaction = await transactional.transaction()
    await transaction.send({
      topic: work.topic,
      messages: someValues(2).map((message) => ({ ...message, partition: 0 })),
    })
    assert.deepEqual(
      await peek.at(0, 5),
      { high: 7, firstOffset: undefined, firstTimeMs: undefined, emptyTo: 5 },
      'open',
    )
    await transaction.abort()
    await waitFor('the marker', async () => (await peek.at(0, 5)).high === 8)
    assert.deepEqual(
      await peek.at(0, 5),
      { high: 8, firstOffset: undefined, firstTimeMs: undefined, emptyTo: 8 },
      'aborted',
    )

    // A batch larger than a look asks for, compressed or not, is given whole.
    for (const compression of [kafkajs.CompressionTypes.None, kafkajs.CompressionTypes.GZIP]) {
      const { high } = await peek.at(0, 8)
      const producer = work.kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
      await producer.connect()
      const messages = [1, 2, 3].map((index) => ({
        ...{ value: Buffer.alloc(100_000, index), partition: 0, timestamp: String(at(high + index)) },
      }))
      await producer.send({ topic: work.topic, compression, messages })
      await producer.disconnect()
      assert.deepEqual(await peek.at(0, high), {
        high: high + 3,
        firstOffset: high,
        firstTimeMs: at(high + 1),
        emptyTo: high,
      })
      assert.deepEqual((await peek.at(0, high + 2)).firstTimeMs, at(high + 3))
    }
  })
})

function openPeek(t: TestContext, work: PipelineCase) {
  const kafka = createKafka({ brokers: work.stack.kafkaBrokers, clientId: 'test', ssl: false }, log)
  const peek = createKafkaPeek(kafka, work.topic)
  t.after(() => peek.close())
  return peek
}
