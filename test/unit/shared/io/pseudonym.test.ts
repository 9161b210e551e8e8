import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createPseudonymizer, pseudonym } from '../../../../services/shared/io/pseudonym.ts'

test('is the first 8 bytes of HMAC-SHA256 (RFC 4231, test case 2)', () => {
  const made = pseudonym(Buffer.from('Jefe'), 'what do ya want for nothing?')
  assert.equal(made.toString('hex'), '5bdcc146bf60754e')
})

test('is the same for the same key and id, and another for another of either', () => {
  const key = Buffer.alloc(32, 1)
  assert.deepEqual(pseudonym(key, 'G090XG1234'), pseudonym(key, 'G090XG1234'))
  assert.notDeepEqual(pseudonym(key, 'G090XG1234'), pseudonym(key, 'G090XG1235'))
  assert.notDeepEqual(pseudonym(key, 'G090XG1234'), pseudonym(Buffer.alloc(32, 2), 'G090XG1234'))
})

test('the pseudonymizer gives what pseudonym gives, also for more ids than it remembers', () => {
  const key = Buffer.alloc(32, 1)
  const pseudonymOf = createPseudonymizer(key)
  for (let index = 0; index < 25_000; index++) {
    pseudonymOf(`device ${index}`)
  }
  for (const rawId of ['device 0', 'device 24999', 'device 0']) {
    assert.deepEqual(pseudonymOf(rawId), pseudonym(key, rawId))
  }
})
