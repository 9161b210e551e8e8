import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { createDuplicateMemory } from '../../../../services/shared/domain/duplicate-memory.ts'
import { eventId } from '../../../support/events.ts'

/** The rule as its words say it: an earlier copy, at most W offsets back. */
function createModel(windowOffsets: number) {
  const lastSeen = new Map<string, number>()
  return (id: Buffer, offset: number): boolean => {
    const last = lastSeen.get(id.toString('hex'))
    lastSeen.set(id.toString('hex'), offset)
    return last !== undefined && offset - last <= windowOffsets
  }
}

/** Ids that differ in one word only, and spread ones. */
function idOf(number: number): Buffer {
  const id = eventId(0)
  id.writeInt32LE(number * 0x10001, (number % 4) * 4)
  return id
}

test('agrees with the rule for every window, id and gap, gaps far beyond the window too', () => {
  const step = (windowOffsets: number) =>
    fc.record({
      id: fc.nat({ max: 12 }),
      gap: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 1, max: 3 }) },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 * windowOffsets + 2 }) },
        { weight: 1, arbitrary: fc.constantFrom(windowOffsets, windowOffsets + 1, 2 * windowOffsets, 2 ** 40) },
      ),
    })
  const run = fc
    .integer({ min: 1, max: 20 })
    .chain((windowOffsets) =>
      fc.tuple(fc.constant(windowOffsets), fc.nat(), fc.array(step(windowOffsets), { maxLength: 120 })),
    )
  fc.assert(
    fc.property(run, ([windowOffsets, start, steps]) => {
      const memory = createDuplicateMemory(windowOffsets)
      const model = createModel(windowOffsets)
      let offset = start
      for (const { id, gap } of steps) {
        offset += gap
        assert.equal(memory.seenBefore(idOf(id), 0, offset), model(idOf(id), offset), `id ${id} at ${offset}`)
      }
    }),
    { numRuns: 2_000 },
  )
})

for (const windowOffsets of [1, 2, 1_000]) {
  for (const start of [0, 1, windowOffsets - 1, 7 * windowOffsets]) {
    test(`knows a copy exactly ${windowOffsets} offsets back and forgets it one later, from offset ${start}`, () => {
      const at = createDuplicateMemory(windowOffsets)
      assert.equal(at.seenBefore(idOf(1), 0, start), false)
      assert.equal(at.seenBefore(idOf(1), 0, start + windowOffsets), true)
      const beyond = createDuplicateMemory(windowOffsets)
      beyond.seenBefore(idOf(1), 0, start)
      assert.equal(beyond.seenBefore(idOf(1), 0, start + windowOffsets + 1), false)
    })
  }
}

test('counts the distance from the latest copy, also one that was itself a duplicate', () => {
  const memory = createDuplicateMemory(10)
  assert.deepEqual(
    [0, 9, 18, 27, 38].map((offset) => memory.seenBefore(idOf(1), 0, offset)),
    [false, true, true, true, false],
  )
})

test('stays right over thousands of ids while its room is used again several times', () => {
  const memory = createDuplicateMemory(5_000)
  const model = createModel(5_000)
  let duplicates = 0
  for (let offset = 0; offset < 40_000; offset++) {
    const id = idOf((offset * 7_919) % 11_003)
    const seen = memory.seenBefore(id, 0, offset)
    duplicates += Number(seen)
    assert.equal(seen, model(id, offset), `offset ${offset}`)
  }
  assert.equal(duplicates, 0, 'a cycle of 11,003 ids never comes back within 5,000')
  for (let offset = 40_000; offset < 60_000; offset++) {
    const id = idOf(offset % 4_999)
    assert.equal(memory.seenBefore(id, 0, offset), model(id, offset), `offset ${offset}`)
  }
})

test('gives the same answers when it is rebuilt from the window before an offset', () => {
  const sequence = Array.from({ length: 3_000 }, (_, offset) => idOf((offset * 37) % 211))
  for (const offset of [1, 99, 100, 101, 1_500, 2_999]) {
    const whole = createDuplicateMemory(100)
    sequence.slice(0, offset).forEach((id, at) => whole.seenBefore(id, 0, at))
    const rebuilt = createDuplicateMemory(100)
    sequence.slice(0, offset).forEach((id, at) => at >= offset - 100 && rebuilt.seenBefore(id, 0, at))
    for (let next = offset; next < sequence.length; next++) {
      assert.equal(rebuilt.seenBefore(sequence[next]!, 0, next), whole.seenBefore(sequence[next]!, 0, next))
    }
  }
})

test('compares ids whole and at the place it is told', () => {
  const memory = createDuplicateMemory(100)
  const bytes = Buffer.concat([Buffer.from([9, 9, 9]), idOf(5)])
  assert.equal(memory.seenBefore(bytes, 3, 0), false)
  assert.equal(memory.seenBefore(idOf(5), 0, 1), true)
  for (let byte = 0; byte < 16; byte++) {
    const other = Buffer.from(idOf(5))
    other[byte]! ^= 0x80
    assert.equal(memory.seenBefore(other, 0, 2 + byte), false, `byte ${byte}`)
  }
})
