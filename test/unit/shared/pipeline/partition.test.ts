import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { assistantIntents } from '../../../../services/shared/domain/assistant-intents.ts'
import { parseSchema } from '../../../../services/shared/domain/avro-schema.ts'
import { createDuplicateMemory } from '../../../../services/shared/domain/duplicate-memory.ts'
import { defaultFateSettings } from '../../../../services/shared/domain/fate.ts'
import { PipelineError } from '../../../../services/shared/domain/faults.ts'
import { decodePlan, encodePlan, type Plan } from '../../../../services/shared/domain/plan.ts'
import { frame } from '../../../../services/shared/domain/wire.ts'
import { canonicalHash } from '../../../../services/shared/io/canonical-hash.ts'
import { openMessages, type BatchHandle, type LogBatch } from '../../../../services/shared/io/kafka-consumer.ts'
import { loadTaxonomy } from '../../../../services/shared/io/taxonomy-file.ts'
import { createPartition, type PartitionDeps } from '../../../../services/shared/pipeline/partition.ts'
import type { Tally } from '../../../../services/shared/pipeline/gather.ts'
import { encoders, makeEvent, sentAtMs, writerSchema } from '../../../support/events.ts'

interface Settled {
  readonly first: number
  readonly last: number
  readonly recovered: boolean
  readonly plan: Plan
  readonly tally: Tally
}

const values = [1, 2].map((version) => encoders[version as 1 | 2])
const noLimits = { batchRowsMax: 1_000, batchBytesMax: 1e9, gatherMaxMs: 0 }

/** The log of one partition: a value an offset; offsets that hold no message are left out. */
type Log = ReadonlyMap<number, Buffer | null>
const logOf = (
  offsets: readonly number[],
  valueOf = (offset: number): Buffer | null => values[offset % 2]!.encode(makeEvent(offset)),
): Log => new Map(offsets.map((offset) => [offset, valueOf(offset)]))
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

function fetchOf(log: Log, from: number, to: number, highWatermark: number): LogBatch {
  const messages = [...log]
    .filter(([offset]) => offset >= from && offset <= to)
    .map(([offset, value]) => ({
      offset: String(offset),
      timestamp: String(sentAtMs),
      key: null,
      value,
      attributes: 0,
      headers: {},
    }))
  return { partition: 3, fetchedOffset: from, records: openMessages(messages), highWatermark, lastOffset: to }
}

function open(
  over: Partial<PartitionDeps> = {},
  position: { offset: number; readFrom?: number; plan?: Plan } = { offset: 0 },
) {
  const settled: Settled[] = []
  const calls: string[] = []
  const handle: BatchHandle = {
    commit: () => Promise.resolve(),
    heartbeat: () => Promise.resolve(),
    resolve: (offset) => void calls.push(`resolve ${offset}`),
    seek: (offset) => void calls.push(`seek ${offset}`),
    pause: () => void calls.push('pause'),
    isCurrent: () => true,
  }
  const deps: PartitionDeps = {
    stream: assistantIntents,
    topic: 'assistant-intents',
    topicId: 'id',
    taxonomy: loadTaxonomy(1),
    fates: defaultFateSettings,
    limits: noLimits,
    schema: (id) => {
      const json = id <= 2 ? writerSchema(id as 1 | 2) : undefined
      return Promise.resolve(
        json === undefined
          ? { fault: `id ${id} is not registered` }
          : { id, json, node: parseSchema(json), fingerprint: canonicalHash(json) },
      )
    },
    taxonomyOf: loadTaxonomy,
    settle(batch, plan) {
      const { first, last, recovered } = batch
      const tally = { ...batch.gathered.tally, reasons: { ...batch.gathered.tally.reasons } }
      settled.push({ first, last, recovered, plan: decodePlan(encodePlan(plan))!, tally })
      return Promise.resolve()
    },
    ...over,
  }
  const memory = createDuplicateMemory(defaultFateSettings.duplicateWindowOffsets)
  const partition = createPartition(3, { plan: undefined, readFrom: position.offset, ...position }, memory, deps)
  const feed = (batch: LogBatch) => partition.feed(batch, handle)
  return { partition, settled, calls, feed, ranges: () => settled.map(({ first, last }) => [first, last]) }
}

// Where batches are cut

test('settles what a fetch brought when the end of the log is near, and asks for what comes after it', async () => {
  const { partition, feed, ranges, calls } = open()
  await feed(fetchOf(logOf(range(0, 9)), 0, 9, 10))
  assert.deepEqual(ranges(), [[0, 9]])
  assert.deepEqual(calls, ['resolve 9'])
  assert.equal(partition.expected, 10)
})

for (const [rows, wanted] of [
  [4, [[0, 3]]],
  [5, [[0, 4]]],
  [
    6,
    [
      [0, 4],
      [5, 5],
    ],
  ],
  [
    10,
    [
      [0, 4],
      [5, 9],
    ],
  ],
] as const) {
  test(`cuts ${rows} messages at 5 rows`, async () => {
    const { feed, ranges } = open({ limits: { ...noLimits, batchRowsMax: 5 } })
    await feed(fetchOf(logOf(range(0, rows - 1)), 0, rows - 1, rows))
    assert.deepEqual(ranges(), wanted)
  })
}

test('cuts at the bytes allowed, looked at every 64 messages', async () => {
  const { feed, ranges } = open({ limits: { ...noLimits, batchBytesMax: 1 } })
  await feed(fetchOf(logOf(range(0, 199)), 0, 199, 200))
  assert.deepEqual(ranges(), [
    [0, 63],
    [64, 127],
    [128, 191],
    [192, 199],
  ])
})

test('gathers on over several fetches only while a tenth of a batch is still ahead and the first row is young', async () => {
  const limits = { batchRowsMax: 20, batchBytesMax: 1e9, gatherMaxMs: 600_000 }
  const { feed, ranges } = open({ limits })
  const log = logOf(range(0, 60))
  await feed(fetchOf(log, 0, 9, 100))
  assert.deepEqual(ranges(), [])
  await feed(fetchOf(log, 10, 24, 27))
  assert.deepEqual(ranges(), [[0, 19]], '2 ahead, a tenth of a batch: the 5 rows after the cut wait')
  await feed(fetchOf(log, 25, 25, 27))
  assert.deepEqual(
    ranges(),
    [
      [0, 19],
      [20, 25],
    ],
    '1 ahead',
  )
  const old = open({ limits: { ...limits, gatherMaxMs: 0 } })
  await old.feed(fetchOf(log, 0, 9, 100))
  assert.deepEqual(old.ranges(), [[0, 9]])
})

test('ends a batch at a message that was there, never at the offset of a fetch', async () => {
  const { partition, feed, settled } = open()
  await feed(fetchOf(logOf([2, 5]), 0, 9, 10))
  assert.deepEqual([settled[0]!.first, settled[0]!.last, settled[0]!.tally.messages], [0, 5, 2])
  assert.equal(partition.expected, 10)
  await feed(fetchOf(logOf([12]), 10, 12, 13))
  assert.deepEqual([settled[1]!.first, settled[1]!.last], [6, 12], 'it starts where the last one ended')
})

test('settles nothing for a fetch without messages, and goes on after it', async () => {
  const { partition, feed, ranges, calls } = open()
  await feed(fetchOf(logOf([]), 0, 9, 10))
  assert.deepEqual([ranges(), calls, partition.expected], [[], ['resolve 9'], 10])
})

test('goes over a stretch without messages only when that very stretch is due', async () => {
  const { partition } = open({}, { offset: 10 })
  partition.skip(20, 29)
  partition.skip(0, 29)
  assert.equal(partition.expected, 10)
  partition.skip(10, 19)
  assert.equal(partition.expected, 20)
  await Promise.resolve()
})

test('settles a full mixture of schemas before the event of a 17th, in order', async () => {
  const { feed, ranges, settled } = open({
    schema: (id) => {
      const json = writerSchema(2)
      return Promise.resolve({ id, json, node: parseSchema(json), fingerprint: `f${id}` })
    },
  })
  const log = logOf(range(0, 19), (offset) => frame(100 + offset, encoders[2].encode(makeEvent(offset)).subarray(5)))
  await feed(fetchOf(log, 0, 19, 20))
  assert.deepEqual(ranges(), [
    [0, 15],
    [16, 19],
  ])
  assert.equal(Object.keys(settled[0]!.plan.schemas).length, 16)
  assert.deepEqual(settled[1]!.plan.schemas, { 116: 'f116', 117: 'f117', 118: 'f118', 119: 'f119' })
})

test('plans with everything that can change a fate', async () => {
  const { feed, settled } = open()
  await feed(
    fetchOf(
      logOf([0, 1, 2], (offset) => (offset === 2 ? frame(9, Buffer.of(1)) : values[offset]!.encode(makeEvent(offset)))),
      0,
      2,
      3,
    ),
  )
  assert.deepEqual(settled[0]!.plan, {
    topicId: 'id',
    first: 0,
    last: 2,
    taxonomyVersion: 1,
    taxonomyHash: loadTaxonomy(1).hash,
    fates: defaultFateSettings,
    schemas: { 1: canonicalHash(writerSchema(1)), 2: canonicalHash(writerSchema(2)) },
  })
  assert.equal(settled[0]!.recovered, false)
  assert.deepEqual(settled[0]!.tally.reasons, { unknown_schema: 1 })
})

test('loses and doubles nothing, wherever fetches and batches are cut', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(
      cuts,
      fc.integer({ min: 1, max: 9 }),
      fc.uniqueArray(fc.nat({ max: 240 }), { maxLength: 60 }),
      async (sizes, batchRowsMax, holes) => {
        const { feed, settled, partition } = open({ limits: { ...noLimits, batchRowsMax, gatherMaxMs: 600_000 } })
        const end = sizes.reduce((sum, size) => sum + size, 0)
        const log = logOf(range(0, end - 1).filter((offset) => !holes.includes(offset)))
        for (const size of sizes) {
          const from = partition.expected
          await feed(fetchOf(log, from, from + size - 1, end))
        }
        let next = 0
        for (const { first, last, tally } of settled) {
          assert.equal(first, next)
          const offsets = [...log.keys()].filter((offset) => offset >= first && offset <= last)
          assert.equal(offsets.at(-1), last)
          assert.deepEqual([tally.messages, tally.accepted], [offsets.length, offsets.length])
          assert.equal(
            tally.acceptedOffsets,
            offsets.reduce((sum, offset) => sum + offset - tally.base, 0),
          )
          next = last + 1
        }
        assert.deepEqual(
          [...log.keys()].filter((offset) => offset >= next),
          [],
        )
      },
    ),
    { numRuns: 60 },
  )
})

test('lets a fault of the registry through, so that nothing is rejected for it', async () => {
  const outage = new PipelineError('registry away', { code: 'registry_unreachable', retryable: true })
  const { feed, settled } = open({ schema: () => Promise.reject(outage) })
  await assert.rejects(feed(fetchOf(logOf([0]), 0, 0, 1)), outage)
  assert.deepEqual(settled, [])
})

// Recovered plans

const plan: Plan = {
  topicId: 'id',
  first: 10,
  last: 19,
  taxonomyVersion: 1,
  taxonomyHash: loadTaxonomy(1).hash,
  fates: { ...defaultFateSettings, eventBytesMax: 4_096 },
  schemas: { 1: canonicalHash(writerSchema(1)), 2: canonicalHash(writerSchema(2)) },
}
const planned = (over: Partial<Plan> = {}, deps: Partial<PartitionDeps> = {}) =>
  open(deps, { offset: 10, plan: { ...plan, ...over } })

test('re-reads exactly the planned range, whatever the fetches hold and whatever the limits are now', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 14 }), { minLength: 10, maxLength: 10 }), async (sizes) => {
      const { feed, settled, calls, partition } = planned(
        {},
        { limits: { batchRowsMax: 1, batchBytesMax: 1, gatherMaxMs: 0 } },
      )
      const log = logOf(range(10, 40))
      let done = false
      for (const size of sizes) {
        const from = partition.expected
        done = await feed(fetchOf(log, from, from + size - 1, 41))
        if (done) {
          break
        }
      }
      assert.ok(done)
      assert.equal(settled.length, 1)
      const [{ first, last, recovered, tally, plan: used }] = settled as [Settled]
      assert.deepEqual([first, last, recovered, tally.messages], [10, 19, true, 10])
      assert.deepEqual(used, plan)
      assert.equal(calls.at(-1), 'seek 20')
    }),
    { numRuns: 40 },
  )
})

test('closes a plan at the gap when its last offset has vanished', async () => {
  const { feed, settled } = planned()
  assert.equal(await feed(fetchOf(logOf(range(10, 15)), 10, 15, 41)), false)
  assert.equal(await feed(fetchOf(logOf([23]), 16, 23, 41)), true)
  assert.deepEqual([settled[0]!.first, settled[0]!.last, settled[0]!.tally.messages], [10, 19, 6])
})

test('finishes a plan under its own settings, not under those of this process', async () => {
  const long = encoders[2].encode(makeEvent(1, { skillId: 'x'.repeat(100) }))
  const under = planned({ last: 10, fates: { ...plan.fates, eventBytesMax: 64 } })
  await under.feed(
    fetchOf(
      logOf([10], () => long),
      10,
      10,
      11,
    ),
  )
  assert.deepEqual(under.settled[0]!.tally.reasons, { too_large: 1 })
  const two = loadTaxonomy(2)
  const other = planned({ last: 10, taxonomyVersion: 2, taxonomyHash: two.hash })
  await other.feed(fetchOf(logOf([10]), 10, 10, 11))
  assert.equal(other.settled[0]!.plan.taxonomyVersion, 2)
})

test('takes a schema that the plan does not name for unknown, though it is registered by now', async () => {
  const { feed, settled } = planned({ last: 11, schemas: { 1: plan.schemas[1]! } })
  await feed(fetchOf(logOf([10, 11]), 10, 11, 12))
  assert.deepEqual([settled[0]!.tally.accepted, settled[0]!.tally.reasons], [1, { unknown_schema: 1 }])
})

test('stops when the log ends before the plan does', async () => {
  const { feed, settled } = planned()
  await assert.rejects(feed(fetchOf(logOf(range(10, 14)), 10, 14, 15)), (thrown: PipelineError) => {
    assert.equal(thrown.code, 'ledger_disagrees')
    assert.match(thrown.message, /plan 10-19 reaches beyond the end of the log \(15\)/)
    return true
  })
  assert.deepEqual(settled, [])
})

test('stops when the taxonomy of a plan was edited, and names both', () => {
  assert.throws(
    () => planned({ taxonomyHash: '0000000000000000' }),
    (thrown: PipelineError) =>
      thrown.code === 'plan_unreadable' &&
      !thrown.retryable &&
      thrown.message.includes('batch 10-19 was planned under taxonomy 1 with hash 0000000000000000') &&
      thrown.message.includes(`this process has ${plan.taxonomyHash}`),
  )
})

for (const [name, deps, says] of [
  ['changed in the registry', {}, `as 0000000000000000, the registry now says ${canonicalHash(writerSchema(1))}`],
  [
    'vanished from the registry',
    { schema: () => Promise.resolve({ fault: 'id 1 is not registered' }) },
    'as 0000000000000000, the registry now says id 1 is not registered',
  ],
] as const) {
  test(`stops when a schema of a plan has ${name}, and names both`, async () => {
    const { feed, settled } = planned({ schemas: { 1: '0000000000000000', 2: plan.schemas[2]! } }, deps)
    await assert.rejects(feed(fetchOf(logOf([12]), 10, 19, 41)), (thrown: PipelineError) => {
      assert.equal(thrown.code, 'plan_unreadable')
      assert.equal(thrown.retryable, false)
      assert.ok(thrown.message.includes(`batch 10-19 was planned with schema 1 ${says}`), thrown.message)
      return true
    })
    assert.deepEqual(settled, [])
  })
}

test('reads what stands before a replay for its ids alone: a copy of it is a duplicate, and none of it is stored', async () => {
  // 10-13 stand before the range; 14 is a copy of 11, 16 one of 10, and so is 12.
  const ids: Record<number, number> = { 12: 10, 14: 11, 16: 10 }
  const log = logOf(range(10, 19), (offset) => values[1]!.encode(makeEvent(ids[offset] ?? offset)))
  const { feed, settled, calls, partition } = open(
    { rangeOf: () => ({ first: 14, end: 18 }) },
    { offset: 14, readFrom: 10 },
  )
  assert.equal(partition.expected, 10)
  await feed(fetchOf(log, 10, 12, 20))
  assert.equal(partition.expected, 13)
  await feed(fetchOf(log, 13, 19, 20))
  assert.deepEqual([partition.expected, settled, calls.at(-1)], [14, [], 'seek 14'])
  await feed(fetchOf(log, 14, 19, 20))
  assert.deepEqual(
    settled.map(({ first, last, tally }) => [first, last, tally.accepted, tally.duplicate]),
    [[14, 17, 2, 2]],
  )
  assert.equal(calls.at(-1), 'pause')
})

test('ends the last batch of a replay at its last message, also where the end of the range holds none', async () => {
  const log = logOf([0, 1, 2, 5, 6])
  const { feed, ranges, calls } = open({ rangeOf: () => ({ first: 0, end: 5 }) })
  await feed(fetchOf(log, 0, 6, 7))
  assert.deepEqual([ranges(), calls.at(-1)], [[[0, 2]], 'pause'])
})

test('knows that the messages before a replay are over when only markers stand at its start', async () => {
  const log = logOf([10, 11, 15], () => values[1]!.encode(makeEvent(7)))
  const { feed, settled, partition } = open({ rangeOf: () => ({ first: 13, end: 16 }) }, { offset: 13, readFrom: 10 })
  await feed(fetchOf(log, 10, 11, 16))
  partition.skip(12, 14)
  await feed(fetchOf(log, 15, 15, 16))
  assert.deepEqual(
    settled.map(({ first, last, tally }) => [first, last, tally.duplicate]),
    [[13, 15, 1]],
  )
})

test('a schema that only stands before a planned batch is read before it and unknown in it', async () => {
  const log = logOf([10, 11, 12, 13], (offset) => values[offset < 12 ? 0 : 1]!.encode(makeEvent(offset % 2)))
  const whole = open({}, { offset: 12 })
  await whole.feed(fetchOf(log, 12, 13, 14))
  const plan = whole.settled[0]!.plan
  const { feed, settled } = open({ rangeOf: () => ({ first: 12, end: 14 }) }, { offset: 12, readFrom: 10, plan })
  await feed(fetchOf(log, 10, 13, 14))
  await feed(fetchOf(log, 12, 13, 14))
  assert.deepEqual(
    settled.map(({ recovered, tally }) => [recovered, tally.duplicate, tally.rejected]),
    [[true, 2, 0]],
  )
})
