import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createLagWatch, type LagDeps } from '../../../services/classifier/lag.ts'
import { createLogger } from '../../../services/shared/io/log.ts'

const log = createLogger({ service: 'test', level: 'silent', pretty: false })

/** A log of which each message was sent at its time; `undefined` is a marker. Answers as Kafka would, one entry a look. */
function world(partitions: Record<number, (number | undefined)[]>, over: Partial<LagDeps> = {}) {
  const state = { nowMs: 100_000, away: false, peeks: [] as string[], settled: new Map<number, number>() }
  const watch = createLagWatch({
    peek: (partition, offset) => {
      state.peeks.push(`${partition}@${offset}`)
      const messages = partitions[partition]!
      const time = messages[offset]
      return state.away
        ? Promise.reject(new Error('away'))
        : Promise.resolve({
            high: messages.length,
            firstOffset: time === undefined ? undefined : offset,
            firstTimeMs: time,
            emptyTo: time === undefined && offset < messages.length ? offset + 1 : offset,
          })
    },
    committed: () => Promise.resolve(new Map([[1, { offset: 2, metadata: null }]])),
    watermarks: () => Promise.resolve([{ partition: 2, low: 1, high: 9 }]),
    log,
    lagMaxS: 30,
    now: () => state.nowMs,
    ...over,
  })
  const own = (...owned: number[]) => watch.own(1, owned, (partition) => state.settled.get(partition))
  return { state, watch, own }
}

test('tells offsets and seconds of the first message that is not settled, as of its own time of sending', async (t) => {
  const { state, watch, own } = world({ 0: [10_000, 60_000, 90_000], 1: [1_000, 2_000] })
  t.after(() => watch.disown(1))
  state.settled.set(0, 1).set(1, 2)
  own(0, 1)
  await watch.look()
  assert.deepEqual(watch.lags(), [
    { partition: 0, offsets: 2, seconds: 40 },
    { partition: 1, offsets: 0, seconds: 0 },
  ])
})

test('the age grows by itself while nothing is settled and Kafka does not answer', async (t) => {
  const { state, watch, own } = world({ 0: [80_000] })
  t.after(() => watch.disown(1))
  state.settled.set(0, 0)
  own(0)
  await watch.look()
  assert.equal(watch.tooOld(), undefined)
  state.away = true
  state.nowMs = 110_000
  await watch.look()
  assert.equal(watch.tooOld(), undefined, 'exactly the bound is borne')
  state.nowMs = 110_500
  assert.equal(
    watch.tooOld(),
    'partition 0: its first message that is not stored was sent 30 s ago, where 30 s are borne (READY_LAG_MAX_S); 1 offsets wait',
  )
  state.settled.set(0, 1)
  assert.equal(watch.tooOld(), undefined, 'settled since')
})

test('a backlog that grows without being fetched is seen, at one cheap look a partition', async (t) => {
  const backlog: number[] = []
  const { state, watch, own } = world({ 0: backlog })
  t.after(() => watch.disown(1))
  state.settled.set(0, 0)
  own(0)
  await watch.look()
  assert.deepEqual(watch.lags(), [{ partition: 0, offsets: 0, seconds: 0 }])
  backlog.push(99_000, 99_500)
  await watch.look()
  assert.deepEqual(watch.lags(), [{ partition: 0, offsets: 2, seconds: 1 }])
  backlog.push(99_900)
  await watch.look()
  assert.deepEqual(watch.lags(), [{ partition: 0, offsets: 3, seconds: 1 }])
  assert.deepEqual(state.peeks.slice(-1), ['0@2'], 'what is known is not read again')
})

test('markers and aborted records are passed over to the first message, look by look', async (t) => {
  const { state, watch, own } = world({ 0: [undefined, undefined, 90_000] })
  t.after(() => watch.disown(1))
  state.settled.set(0, 0)
  own(0)
  await watch.look()
  assert.deepEqual(watch.lags(), [{ partition: 0, offsets: 3, seconds: 0 }], 'no message, no age')
  await watch.look()
  await watch.look()
  assert.deepEqual(watch.lags(), [{ partition: 0, offsets: 3, seconds: 10 }])
})

test('a partition that is not open yet stands where the group has committed, or where the log begins', async (t) => {
  const { watch, own } = world({ 1: [1, 1, 70_000], 2: [1, 60_000], 3: [50_000] })
  t.after(() => watch.disown(1))
  own(1, 2, 3)
  assert.deepEqual(watch.lags(), [], 'nothing is said before the first look')
  await watch.look()
  assert.deepEqual(
    watch.lags().map(({ seconds }) => seconds),
    [30, 40, 50],
  )
})

test('what is known of a partition stays while it is not open, and goes when it is lost', async (t) => {
  const { state, watch, own } = world({ 0: [10_000, 50_000] }, { lagMaxS: 0 })
  t.after(() => watch.disown(1))
  state.settled.set(0, 1)
  own(0)
  await watch.look()
  state.settled.delete(0)
  own(0)
  assert.deepEqual(watch.lags(), [{ partition: 0, offsets: 1, seconds: 50 }])
  assert.equal(watch.tooOld(), undefined, 'no bound is set')
  own()
  assert.deepEqual(watch.lags(), [])
})

test('a partition that a rejoin closed is not behind once its last message is committed, though no message opens it', async (t) => {
  const { state, watch, own } = world({ 1: [10_000, 50_000] })
  t.after(() => watch.disown(1))
  state.settled.set(1, 0)
  own(1)
  await watch.look()
  assert.match(watch.tooOld()!, /^partition 1: its first message that is not stored was sent 90 s ago/)
  state.settled.delete(1)
  own(1)
  await watch.look()
  assert.deepEqual(watch.lags(), [{ partition: 1, offsets: 0, seconds: 0 }])
  assert.equal(watch.tooOld(), undefined)
})

test('partitions of several members: one that moves between them is known on, whoever says so first', async (t) => {
  const { watch } = world({ 0: [90_000], 1: [80_000, 95_000], 2: [70_000] })
  t.after(() => Promise.all([watch.disown(1), watch.disown(2)]))
  const from = (offset: number) => () => offset
  const known = () => watch.lags().map(({ partition, offsets }) => [partition, offsets])
  watch.own(1, [0, 1], from(0))
  watch.own(2, [2], from(0))
  await watch.look()
  assert.deepEqual(known().sort(), [
    [0, 1],
    [1, 2],
    [2, 1],
  ])
  watch.own(2, [1, 2], from(1))
  watch.own(1, [0], from(0))
  assert.deepEqual(
    known().sort(),
    [
      [0, 1],
      [1, 1],
      [2, 0],
    ],
    'the new owner says what is settled',
  )
  await watch.disown(2)
  assert.deepEqual(known(), [[0, 1]])
})
