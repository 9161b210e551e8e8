import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createRejectionLimit } from '../../../../services/shared/domain/rejection-limit.ts'

const batch = (messages: number, rejected: number, partition = 0) => ({
  partition,
  messages,
  rejected,
  reasons: rejected === 0 ? {} : { malformed: rejected - 1, too_old: 1 },
})
const open = (over: Partial<Parameters<typeof createRejectionLimit>[0]> = {}) =>
  createRejectionLimit({ percentMax: 50, rowsMin: 1_000, ...over })

for (const [messages, rejected, borne] of [
  [999, 999, true],
  [1_000, 1_000, false],
  [2_000, 1_000, true],
  [1_999, 1_000, false],
  [100_000, 50_000, true],
  [100_000, 50_001, false],
  [5, 0, true],
] as const) {
  test(`${borne ? 'bears' : 'does not bear'} ${rejected} rejected of ${messages}`, () => {
    assert.equal(open().exceededBy(batch(messages, rejected)) === undefined, borne)
  })
}

test('says how many, why and what is borne', () => {
  assert.equal(
    open().exceededBy(batch(4_000, 3_000)),
    '3000 of 4000 messages would be rejected (malformed 2999, too_old 1), and 75 % of the recent ones, where 50 % are borne',
  )
})

test('adds up small batches of a live topic until they are enough', () => {
  const limit = open()
  let borne = 0
  while (limit.exceededBy(batch(100, 100)) === undefined) {
    limit.settled(batch(100, 100))
    borne += 100
    assert.ok(borne < 2_000)
  }
  assert.ok(borne >= 900, String(borne))
})

test('is not lulled by a long good past', () => {
  const limit = open()
  for (let round = 0; round < 1_000; round++) {
    limit.settled(batch(1_000, 0))
  }
  let borne = 0
  while (limit.exceededBy(batch(1_000, 1_000)) === undefined) {
    limit.settled(batch(1_000, 1_000))
    borne += 1_000
    assert.ok(borne <= 10_000, 'half of what counts is new after as many messages as halve the past')
  }
})

test('keeps partitions apart', () => {
  const limit = open()
  limit.settled(batch(900, 900, 1))
  assert.equal(limit.exceededBy(batch(900, 900, 2)), undefined)
  assert.notEqual(limit.exceededBy(batch(900, 900, 1)), undefined)
})

test('bears everything at 100 per cent, and at 0 nothing above the least number', () => {
  assert.equal(open({ percentMax: 100 }).exceededBy(batch(1e6, 1e6)), undefined)
  assert.notEqual(open({ percentMax: 0, rowsMin: 1 }).exceededBy(batch(1e6, 1)), undefined)
})
