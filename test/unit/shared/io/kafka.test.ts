import assert from 'node:assert/strict'
import { test } from 'node:test'

import { PipelineError } from '../../../../services/shared/domain/faults.ts'
import { createKafka, isMembershipRefusal, kafkaFault } from '../../../../services/shared/io/kafka.ts'
import { createLogger } from '../../../../services/shared/io/log.ts'

for (const [message, code, retryable] of [
  ['Connection error: connect ECONNREFUSED 127.0.0.1:9092', 'kafka_unreachable', true],
  ['Request Fetch timed out', 'kafka_unreachable', true],
  [
    'There is no leader for this topic-partition as we are in the middle of a leadership election',
    'kafka_unreachable',
    true,
  ],
  ['SASL PLAIN authentication failed: Authentication failed', 'kafka_refused', false],
  ['Not authorized to access topics: [Topic authorization failed]', 'kafka_refused', false],
] as const) {
  test(`takes "${message}" for ${retryable ? 'a fault that may pass' : 'a refusal'}, and says what we were doing`, () => {
    const cause = new Error(message)
    const fault = kafkaFault('reading assistant-intents', cause)
    assert.equal(fault.message, `reading assistant-intents: ${message}`)
    assert.equal(fault.code, code)
    assert.equal(fault.retryable, retryable)
    assert.equal(fault.cause, cause)
  })
}

test('leaves a fault of ours as it is', () => {
  const fault = new PipelineError('ours', { code: 'membership_lost' })
  assert.equal(kafkaFault('reading', fault), fault)
})

for (const [type, refusal] of [
  ['REBALANCE_IN_PROGRESS', true],
  ['UNKNOWN_MEMBER_ID', true],
  ['ILLEGAL_GENERATION', true],
  ['FENCED_INSTANCE_ID', true],
  ['REQUEST_TIMED_OUT', false],
  ['NOT_COORDINATOR_FOR_GROUP', false],
  [undefined, false],
] as const) {
  test(`takes ${type ?? 'an error without a type'} for ${refusal ? 'proof that nothing was committed' : 'an unknown outcome'}`, () => {
    assert.equal(isMembershipRefusal(Object.assign(new Error('x'), type === undefined ? {} : { type })), refusal)
  })
}

test('takes nothing but an error for a refusal', () => {
  assert.equal(isMembershipRefusal({ type: 'ILLEGAL_GENERATION' }), false)
  assert.equal(isMembershipRefusal(undefined), false)
})

test("silences kafkajs' negative timer and no other warning", async (t) => {
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  const emitted: string[] = []
  const listen = ({ name }: Error) => void emitted.push(name)
  process.on('warning', listen)
  t.after(() => process.off('warning', listen))
  createKafka({ brokers: ['127.0.0.1:9'], clientId: 'test', ssl: false }, log)
  const others = new Promise<void>((resolve) => process.once('warning', () => resolve()))
  process.emitWarning('negative', 'TimeoutNegativeWarning')
  process.emitWarning('expected by this test', 'ExpectedWarning')
  await others
  assert.deepEqual(emitted, ['ExpectedWarning'])
})
