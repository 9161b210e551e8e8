import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createRateProgress, timeText } from '../../../../services/shared/io/progress.ts'
import { collectSaid } from '../../../support/said.ts'

test('says a time in two units at most', () => {
  assert.deepEqual([0.2, 59, 61, 3_599, 7_384].map(timeText), ['1 s', '59 s', '1 min 1 s', '59 min 59 s', '2 h 3 min'])
})

test('says rate and time left every few seconds where there is no terminal, from where it began', (t) => {
  t.mock.timers.enable({ apis: ['Date'] })
  const { said, streams } = collectSaid()
  const progress = createRateProgress({ stderr: streams.stderr, label: 'replay x', unit: 'offsets' })
  progress.update(1_000, 9_000)
  assert.equal(said.stderr, '')
  t.mock.timers.tick(3_000)
  progress.update(2_000, 9_000)
  assert.match(said.stderr, /^replay x: 2,000 offsets of 9,000 offsets, [\d,]+ offsets\/s, 1 s left\n$/)
  t.mock.timers.tick(3_000)
  progress.update(3_000, Infinity)
  assert.match(said.stderr, /\nreplay x: 3,000 offsets of 9,000 offsets, [\d,]+ offsets\/s\n$/)
  progress.stop()
})
