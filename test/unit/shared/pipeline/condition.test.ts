import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createCondition } from '../../../../services/shared/pipeline/condition.ts'
import { PipelineError } from '../../../../services/shared/domain/faults.ts'

const away = new PipelineError("ClickHouse can't be reached", { code: 'clickhouse_unreachable', retryable: true })

function open() {
  let now = 1_000
  const condition = createCondition({ silenceMaxMs: 10_000, nowMs: () => now })
  return { condition, pass: (ms: number) => (now += ms) }
}

test('is ready from joining on, and not while it starts', () => {
  const { condition } = open()
  assert.match(condition.notReady()!, /^starting/)
  condition.joined()
  assert.equal(condition.notReady(), undefined)
})

test('says what fails and for how long, until the last of it is over', () => {
  const { condition, pass } = open()
  condition.joined()
  condition.away('a', away)
  condition.away('b', away)
  pass(5_000)
  condition.heard()
  condition.away('a', away)
  assert.equal(condition.notReady(), "a: ClickHouse can't be reached (for 5 s)")
  condition.over('a', true)
  assert.equal(condition.troubledMs(), 5_000)
  condition.over('b', true)
  assert.equal(condition.notReady(), undefined)
  assert.equal(condition.troubledMs(), 0)
})

test('is not ready when Kafka has been silent for too long', () => {
  const { condition, pass } = open()
  condition.joined()
  pass(10_000)
  assert.equal(condition.notReady(), undefined)
  pass(2_000)
  assert.match(condition.notReady()!, /^Kafka has not answered for 12 s/)
  condition.heard()
  assert.equal(condition.notReady(), undefined)
})

test('an outage that ends a membership is one trouble from its first fault on', () => {
  const { condition, pass } = open()
  condition.joined()
  condition.away('a', away)
  for (let seconds = 0; seconds < 600; seconds += 2) {
    pass(2_000)
    condition.away('a', away)
  }
  condition.over('a', false)
  condition.membershipEnded(away)
  assert.equal(condition.notReady(), away.message)
  assert.equal(condition.troubledMs(), 600_000)
})

test('memberships that keep ending are one trouble, until one lasts or a batch is settled', () => {
  const { condition, pass } = open()
  for (let nth = 0; nth < 3; nth++) {
    condition.joined()
    pass(30_000)
    condition.membershipEnded(away)
  }
  assert.equal(condition.troubledMs(), 60_000)
  condition.joined()
  pass(61_000)
  condition.membershipEnded(away)
  assert.equal(condition.troubledMs(), 0)
  pass(1_000)
  condition.settled()
  assert.equal(condition.troubledMs(), 0)
})
