import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Candidate } from '../../../services/redrive/candidates.ts'
import { createTally } from '../../../services/redrive/tally.ts'

const candidate = (detail: string): Candidate => ({
  ...{ topicId: 'id', partition: 3, offset: 0, recordedAtMs: 0, key: null, value: null, detail },
})

test('counts by the old detail and the new fate, the most frequent first', () => {
  const tally = createTally()
  tally.add(candidate('id 9'), { reason: 'malformed', detail: 'schema 9' })
  tally.add(candidate('id 9'), undefined)
  tally.add(candidate('id 9'), undefined)
  tally.add(candidate('id 8'), 'no_partition')
  assert.deepEqual([tally.sent, tally.stay], [2, 2])
  assert.deepEqual(tally.rows, [
    { detail: 'id 9', reason: null, reasonDetail: '', messages: 2 },
    { detail: 'id 9', reason: 'malformed', reasonDetail: 'schema 9', messages: 1 },
    { detail: 'id 8', reason: 'no_partition', reasonDetail: 'the topic has no partition 3', messages: 1 },
  ])
})

test('beyond a thousand kinds the rest is summed up by fate', () => {
  const tally = createTally()
  for (let size = 0; size < 3_000; size++) {
    tally.add(candidate(`${size} bytes`), { reason: 'too_large', detail: `${size} bytes` })
  }
  tally.add(candidate('3000 bytes'), undefined)
  assert.equal(tally.stay + tally.sent, 3_001)
  assert.equal(tally.rows.length, 1_002)
  assert.deepEqual(tally.rows[0], {
    ...{ detail: 'other details', reason: 'too_large', reasonDetail: 'other details', messages: 2_000 },
  })
})
