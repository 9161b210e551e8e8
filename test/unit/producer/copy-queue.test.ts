import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createCopyQueue } from '../../../services/producer/copy-queue.ts'

test('a copy comes that many messages later, what is left comes in its order', () => {
  const queue = createCopyQueue<string>()
  assert.deepEqual(queue.next(), [])
  queue.put('a', 2)
  queue.put('b', 1)
  queue.put('late', 90)
  queue.put('later', 91)
  assert.deepEqual(queue.next(), ['b'])
  queue.put('c', 1)
  assert.deepEqual(queue.next(), ['a', 'c'])
  assert.deepEqual(queue.rest(), ['late', 'later'])
  assert.deepEqual(queue.rest(), [])
})
