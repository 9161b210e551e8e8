import assert from 'node:assert/strict'
import { test } from 'node:test'

import { PipelineError } from '../../../../services/shared/domain/faults.ts'
import { createKafka, isMembershipRefusal, kafkaFault } from '../../../../services/shared/io/kafka.ts'
import { createLogger } from '../../../../services/shared/io/log.ts'

const login = 'wrong user or password: check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD'
for (const [message, code, retryable, hint] of [
  ['Connection error: connect ECONNREFUSED 127.0.0.1:9092', 'kafka_unreachable', true, undefined],
  ['Request Fetch timed out', 'kafka_unreachable', true, undefined],
  [
    'There is no leader for this topic-partition as we are in the middle of a leadership election',
    'kafka_unreachable',
    true,
    undefined,
  ],
  ['Closed connection', 'kafka_unreachable', true, 'if it lasts, check KAFKA_SSL and KAFKA_SASL_MECHANISM'],
  ['Failed to find group coordinator', 'kafka_unreachable', true, 'if it lasts, this user may not use the group'],
  ['SASL PLAIN authentication failed: Authentication failed', 'kafka_refused', false, login],
  ['The broker does not support the requested SASL mechanism', 'kafka_refused', false, 'check KAFKA_SASL_MECHANISM'],
  ['SASL PLAIN mechanism is not supported by the server', 'kafka_refused', false, 'check KAFKA_SASL_MECHANISM'],
  ['Not authorized to access topics: [Topic authorization failed]', 'kafka_refused', false, 'SECURITY.md lists'],
] as const) {
  test(`takes "${message}" for ${retryable ? 'a fault that may pass' : 'a refusal'}, and says what we were doing and what to check`, () => {
    const cause = new Error(message)
    const fault = kafkaFault('reading assistant-intents', cause)
    const said = `reading assistant-intents: ${message}${hint === undefined ? '' : `; ${hint}`}`
    assert.equal(fault.message.slice(0, said.length), said)
    assert.ok(hint !== undefined || fault.message === said)
    assert.equal(fault.code, code)
    assert.equal(fault.retryable, retryable)
    assert.equal(fault.cause, cause)
  })
}

test('takes a certificate that is not to be trusted for a refusal, and names the broker', () => {
  const cause = Object.assign(new Error('Connection error: unable to verify the first certificate'), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    broker: 'kafka-2:9093',
  })
  const fault = kafkaFault('reading', new Error('retries exceeded', { cause }))
  assert.equal(
    fault.message,
    'reading: kafka-2:9093: its certificate is not signed by an authority that is trusted here (UNABLE_TO_VERIFY_LEAF_SIGNATURE); check KAFKA_SSL_CA_FILE',
  )
  assert.equal(fault.retryable, false)
})

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
