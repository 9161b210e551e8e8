import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { RedriveRow } from '../../../services/redrive/record.ts'
import { settled, type LogView } from '../../../services/redrive/settle.ts'

const topicId = '11111111-2222-3333-4444-555555555555'
const earlierId = '00000000-2222-3333-4444-555555555555'
const planned = (over: Partial<RedriveRow> = {}): RedriveRow => ({
  ...{
    state: 'planned',
    attempt: 'a',
    origin: { topicId, partition: 0, offset: 7 },
    toTopicId: topicId,
    toOffset: 100,
  },
  ...over,
})
const log = (over: Partial<LogView> = {}): LogView => ({ topicId, lows: new Map([[0, 50]]), found: new Map(), ...over })
const stateOf = (row: RedriveRow, view: LogView) => settled([row], view)[0]!.state

test('a copy that stands in the log is sent, and its place is noted', () => {
  const found = new Map([[`${topicId}/0/7`, 123]])
  assert.deepEqual(settled([planned()], log({ found })), [planned({ state: 'sent', toOffset: 123 })])
})

test('a copy counts wherever it was sent from: another attempt, an earlier topic, below what retention has deleted', () => {
  const found = new Map([[`${earlierId}/0/7`, 123]])
  const row = planned({ origin: { topicId: earlierId, partition: 0, offset: 7 }, toTopicId: earlierId })
  assert.deepEqual(settled([row], log({ found, lows: new Map([[0, 110]]) })), [
    { ...row, state: 'sent', toTopicId: topicId, toOffset: 123 },
  ])
})

test('what is not there may be planned again only when all of the log is there in which it could stand', () => {
  assert.equal(stateOf(planned(), log({ lows: new Map([[0, 99]]) })), 'not_sent')
  assert.equal(stateOf(planned(), log({ lows: new Map([[0, 100]]) })), 'not_sent')
  assert.equal(stateOf(planned(), log({ lows: new Map([[0, 101]]) })), 'unknown')
  assert.equal(stateOf(planned(), log({ lows: new Map() })), 'unknown', 'a partition that is gone')
  assert.equal(stateOf(planned({ toTopicId: earlierId }), log()), 'unknown', 'a topic that was made anew')
})

test('another message at the same place of another topic or partition is not its copy', () => {
  const found = new Map([
    [`${earlierId}/0/7`, 123],
    [`${topicId}/1/7`, 124],
    [`${topicId}/0/8`, 125],
  ])
  assert.equal(stateOf(planned(), log({ found })), 'not_sent')
})
