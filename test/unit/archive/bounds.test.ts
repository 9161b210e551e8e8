import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fixBounds, goOnAt } from '../../../services/archive/bounds.ts'
import { parseLogBound } from '../../../services/shared/domain/log-bound.ts'

const marks = [
  { partition: 0, low: 5, high: 100 },
  { partition: 1, low: 0, high: 0 },
]
const admin = {
  offsetsAt: (_topic: string, timeMs: number) =>
    Promise.resolve(
      new Map([
        [0, timeMs / 1_000],
        [1, 0],
      ]),
    ),
}
const fix = (from: string | undefined, to: string | undefined, follow = false) => {
  const bound = (text: string | undefined) => (text === undefined ? undefined : parseLogBound('--x', text))
  return fixBounds(admin, 'log', marks, { from: bound(from), to: bound(to), follow })
}

test('without bounds it is all from the first offset, also what retention has deleted, to what is there now', async () => {
  assert.deepEqual(await fix(undefined, undefined), [
    { partition: 0, start: 0, end: 100 },
    { partition: 1, start: 0, end: 0 },
  ])
})

test('offsets bound the partitions that they name, times all', async () => {
  assert.deepEqual((await fix('0:7', '0:9'))[0], { partition: 0, start: 7, end: 9 })
  assert.deepEqual((await fix('1970-01-01T00:00:50Z', '1970-01-01T00:01:00Z'))[0], { partition: 0, start: 50, end: 60 })
})

test('what is followed has no end', async () => {
  assert.deepEqual(
    (await fix(undefined, undefined, true)).map(({ end }) => end),
    [Infinity, Infinity],
  )
})

test('refuses ends that are not there yet, and partitions that are none', async () => {
  await assert.rejects(fix(undefined, '0:101'), /partition 0 ends at offset 100, before --to 0:101/)
  await assert.rejects(fix('2:0', undefined), /topic log has no partition 2/)
})

test('an archive goes on behind what it holds, and refuses to grow anywhere else', () => {
  const wanted = (start: number) => ({ partition: 0, start, end: 100 })
  const held = { start: 10, next: 20 }
  const offsets = parseLogBound('--from', '0:1')
  const time = parseLogBound('--from', '2026-03-02')
  assert.equal(goOnAt(wanted(3), undefined, offsets), 3)
  assert.equal(goOnAt(wanted(0), held, undefined), 20)
  for (const start of [10, 15, 20]) {
    assert.equal(goOnAt(wanted(start), held, offsets), 20)
  }
  assert.throws(() => goOnAt(wanted(9), held, offsets), /the archive at 10: an archive grows at its end alone/)
  assert.throws(() => goOnAt(wanted(9), held, time), /an archive grows at its end alone/)
  assert.throws(() => goOnAt(wanted(21), held, offsets), /ends before 20: that would leave a gap/)
  // Retention can have moved the first offset of a time.
  assert.equal(goOnAt(wanted(21), held, time), 20)
})
